package k8s

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

var overlays = []string{"overlays/dev", "overlays/production"}

// each runs a check on every overlay.
func each(t *testing.T, check func(*testing.T, *manifests)) {
	for _, overlay := range overlays {
		t.Run(overlay, func(t *testing.T) { check(t, render(t, overlay)) })
	}
}

func TestEveryPodIsRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: podsecurity.LatestVersion()}
	each(t, func(t *testing.T, m *manifests) {
		if got := m.namespaces["shopmicro"].Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
			t.Errorf("the namespace enforces %q", got)
		}
		for _, w := range m.workloads {
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &w.pod.ObjectMeta, &w.pod.Spec))
			if !result.Allowed {
				t.Errorf("%s: %s", w.name, result.ForbiddenDetail())
			}
			spec := w.pod.Spec
			if spec.SecurityContext.RunAsUser == nil {
				t.Errorf("%s: no numeric user", w.name)
			}
			if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
				t.Errorf("%s: carries a token of its service account", w.name)
			}
			if spec.EnableServiceLinks == nil || *spec.EnableServiceLinks {
				t.Errorf("%s: service links would set variables such as REDIS_PORT", w.name)
			}
			for _, c := range w.containers() {
				if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
					t.Errorf("%s/%s: the root file system is writable", w.name, c.Name)
				}
			}
		}
	})
}

func TestEveryContainerHasLimitsAndProbes(t *testing.T) {
	each(t, func(t *testing.T, m *manifests) {
		for _, w := range m.workloads {
			for _, c := range w.containers() {
				for _, resource := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
					request, limit := c.Resources.Requests[resource], c.Resources.Limits[resource]
					if request.IsZero() || request.Cmp(limit) > 0 {
						t.Errorf("%s/%s: requests %s of %s under a limit of %s", w.name, c.Name, &request, resource, &limit)
					}
				}
			}
			for _, c := range w.pod.Spec.Containers {
				if c.StartupProbe == nil || c.LivenessProbe == nil || c.ReadinessProbe == nil {
					t.Errorf("%s/%s: lacks a probe", w.name, c.Name)
				}
			}
		}
		// Liveness that asked for dependencies would restart the shop because of a database that is away.
		for _, name := range []string{"backend", "ml-service"} {
			c := m.workload(t, name).pod.Spec.Containers[0]
			for probe, want := range map[*corev1.Probe]string{
				c.StartupProbe: "/health/live", c.LivenessProbe: "/health/live", c.ReadinessProbe: "/health/ready",
			} {
				if probe.HTTPGet.Path != want {
					t.Errorf("%s: a probe asks %s, not %s", name, probe.HTTPGet.Path, want)
				}
			}
		}
	})
}

func TestNamesAndPortsAreTheContract(t *testing.T) {
	type port struct{ service, container int32 }
	contract := map[string]port{
		"frontend": {80, 8080}, "backend": {3001, 3001}, "ml-service": {3002, 3002},
		"postgres": {5432, 5432}, "redis": {6379, 6379},
	}
	each(t, func(t *testing.T, m *manifests) {
		if len(m.services) != len(contract) || len(m.workloads) != len(contract) {
			t.Errorf("%d services and %d workloads", len(m.services), len(m.workloads))
		}
		for name, want := range contract {
			service := m.services[name]
			if service == nil || len(service.Spec.Ports) != 1 || service.Spec.Ports[0].Port != want.service {
				t.Errorf("no Service %s on port %d alone", name, want.service)
				continue
			}
			pods := m.selectedBy(service.Spec.Selector)
			if len(pods) != 1 || pods[0].name != name {
				t.Errorf("Service %s selects %d workloads, not its own alone", name, len(pods))
				continue
			}
			if got, ok := pods[0].port(service.Spec.Ports[0].TargetPort); !ok || got != want.container {
				t.Errorf("Service %s leads to container port %d, not %d", name, got, want.container)
			}
			for _, c := range pods[0].pod.Spec.Containers {
				for _, env := range c.Env {
					if env.Name == "PORT" && env.Value != fmt.Sprint(want.container) {
						t.Errorf("%s listens on %s, not %d", name, env.Value, want.container)
					}
				}
			}
		}
	})
}

func TestEveryReferenceResolves(t *testing.T) {
	each(t, func(t *testing.T, m *manifests) {
		for _, w := range m.workloads {
			spec := w.pod.Spec
			if m.accounts[spec.ServiceAccountName] == nil {
				t.Errorf("%s: no ServiceAccount %q", w.name, spec.ServiceAccountName)
			}
			if w.service != "" && m.services[w.service] == nil {
				t.Errorf("%s: no Service %q", w.name, w.service)
			}
			if !matches(t, w.selector, w.pod.Labels) {
				t.Errorf("%s: does not select its own pods", w.name)
			}
			var volumes []string
			for _, claim := range w.claims {
				volumes = append(volumes, claim.Name)
			}
			for _, v := range spec.Volumes {
				volumes = append(volumes, v.Name)
				if v.ConfigMap == nil {
					continue
				}
				data, ok := m.configMaps[v.ConfigMap.Name]
				if !ok {
					t.Errorf("%s: no ConfigMap %q", w.name, v.ConfigMap.Name)
				}
				for _, item := range v.ConfigMap.Items {
					if _, ok := data[item.Key]; !ok {
						t.Errorf("%s: no key %q in ConfigMap %q", w.name, item.Key, v.ConfigMap.Name)
					}
				}
			}
			for _, c := range w.containers() {
				for _, mount := range c.VolumeMounts {
					if !slices.Contains(volumes, mount.Name) {
						t.Errorf("%s/%s: no volume %q", w.name, c.Name, mount.Name)
					}
				}
				m.checkEnvironment(t, w.name+"/"+c.Name, c)
			}
		}
		for _, ingress := range m.ingresses {
			for _, rule := range ingress.Spec.Rules {
				for _, path := range rule.HTTP.Paths {
					to := path.Backend.Service
					service := m.services[to.Name]
					if service == nil || !slices.ContainsFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == to.Port.Name }) {
						t.Errorf("Ingress %s: no port %q of Service %q", ingress.Name, to.Port.Name, to.Name)
					}
				}
			}
		}
	})
}

var variable = regexp.MustCompile(`\$\((\w+)\)`)

// checkEnvironment wants the key behind each secret, and `$(NAME)` only after NAME: Kubernetes leaves others as they stand.
func (m *manifests) checkEnvironment(t *testing.T, where string, c corev1.Container) {
	t.Helper()
	var known []string
	for _, e := range c.Env {
		if from := e.ValueFrom; from != nil {
			if _, ok := m.secrets[from.SecretKeyRef.Name][from.SecretKeyRef.Key]; !ok {
				t.Errorf("%s: no key %q in Secret %q", where, from.SecretKeyRef.Key, from.SecretKeyRef.Name)
			}
		}
		checkVariables(t, where+": "+e.Name, e.Value, known)
		if slices.Contains(known, e.Name) {
			t.Errorf("%s: %s is set twice", where, e.Name)
		}
		known = append(known, e.Name)
	}
	for _, argument := range append(c.Command, c.Args...) {
		checkVariables(t, where, argument, known)
	}
}

func checkVariables(t *testing.T, where, text string, known []string) {
	t.Helper()
	for _, used := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(known, used[1]) {
			t.Errorf("%s uses %s, which is not set before it", where, used[1])
		}
	}
}

func TestImagesAreOursOrPinned(t *testing.T) {
	ours := []string{"shopmicro-backend", "shopmicro-ml-service", "shopmicro-frontend"}
	each(t, func(t *testing.T, m *manifests) {
		for _, w := range m.workloads {
			for _, c := range w.containers() {
				name, tag, _ := strings.Cut(c.Image, ":")
				if tag == "" || (tag == "latest" && !slices.Contains(ours, name)) {
					t.Errorf("%s/%s: image %s is of no known version", w.name, c.Name, c.Image)
				}
				// They are loaded into the nodes: `latest` would be asked of a registry at every start.
				if slices.Contains(ours, name) && c.ImagePullPolicy != corev1.PullIfNotPresent {
					t.Errorf("%s/%s: pull policy %s", w.name, c.Name, c.ImagePullPolicy)
				}
			}
		}
	})
}

func TestSecretsComeFromOutsideGit(t *testing.T) {
	dir := checkout(t)
	if _, err := build(dir, "overlays/production"); err == nil || !strings.Contains(err.Error(), "secrets.env") {
		t.Errorf("production renders without secrets: %v", err)
	}
	documents, err := build(dir, "base")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range documents {
		if strings.Contains(string(document), "kind: Secret\n") {
			t.Errorf("a secret in the base:\n%s", document)
		}
	}
	passwords := map[string]bool{}
	for range 2 {
		for _, data := range render(t, "overlays/production").secrets {
			for key, value := range data {
				if passwords[string(value)] || !regexp.MustCompile(`^[0-9a-f]{48}$`).Match(value) {
					t.Errorf("production's %s is not a password of its own", key)
				}
				passwords[string(value)] = true
			}
		}
	}
}

func (m *manifests) workload(t *testing.T, name string) *workload {
	t.Helper()
	for i := range m.workloads {
		if m.workloads[i].name == name {
			return &m.workloads[i]
		}
	}
	t.Fatalf("no workload %s", name)
	return nil
}

func (m *manifests) selectedBy(selector map[string]string) []*workload {
	var selected []*workload
	for i := range m.workloads {
		if labels.SelectorFromSet(selector).Matches(labels.Set(m.workloads[i].pod.Labels)) {
			selected = append(selected, &m.workloads[i])
		}
	}
	return selected
}

// port finds the container port that a Service, a probe or a policy names.
func (w *workload) port(wanted intstr.IntOrString) (int32, bool) {
	for _, c := range w.pod.Spec.Containers {
		for _, p := range c.Ports {
			if p.Name == wanted.StrVal || (wanted.Type == intstr.Int && p.ContainerPort == wanted.IntVal) {
				return p.ContainerPort, true
			}
		}
	}
	return 0, false
}

func matches(t *testing.T, selector *metav1.LabelSelector, set map[string]string) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(labels.Set(set))
}
