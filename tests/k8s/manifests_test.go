package k8s

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
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

// report is what a check complains to: a test, or one that counts complaints.
type report interface {
	Helper()
	Errorf(format string, values ...any)
	Fatalf(format string, values ...any)
}

var rendered = map[string]*manifests{}

// each runs a check on every overlay, of which each is rendered once.
func each(t *testing.T, check func(*manifests, report)) {
	for _, overlay := range overlays {
		t.Run(overlay, func(t *testing.T) {
			if rendered[overlay] == nil {
				rendered[overlay] = render(t, overlay)
			}
			check(rendered[overlay], t)
		})
	}
}

func TestEveryPodIsRestricted(t *testing.T) { each(t, (*manifests).checkRestriction) }

func (m *manifests) checkRestriction(t report) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	restricted := podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: podsecurity.LatestVersion()}
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
		// Alloy alone talks to the API of Kubernetes.
		if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken != (w.name == "alloy") {
			t.Errorf("%s: carries a token of its service account, or lacks one", w.name)
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
}

func TestEveryContainerHasLimitsAndProbes(t *testing.T) { each(t, (*manifests).checkContainers) }

func (m *manifests) checkContainers(t report) {
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
			if !w.serves {
				continue
			}
			for _, probe := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
				switch {
				case probe == nil:
					t.Errorf("%s/%s: lacks a probe", w.name, c.Name)
				case probe.HTTPGet != nil && !slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool {
					return p.Name == probe.HTTPGet.Port.StrVal
				}):
					t.Errorf("%s/%s: a probe asks port %s, which it does not have", w.name, c.Name, probe.HTTPGet.Port.String())
				}
			}
		}
	}
	// What is asked whether it lives, and whether it is ready. Liveness that asked for dependencies would restart the shop
	// because of a database that is away.
	for name, paths := range map[string][2]string{
		"backend":        {"/health/live", "/health/ready"},
		"ml-service":     {"/health/live", "/health/ready"},
		"frontend":       {"/health", "/health"},
		"nginx-exporter": {"/", "/"},

		"loki":              {"/loki/api/v1/status/buildinfo", "/ready"},
		"mimir":             {"/api/v1/status/buildinfo", "/ready"},
		"tempo":             {"/api/status/buildinfo", "/ready"},
		"alloy":             {"/-/ready", "/-/ready"},
		"prometheus":        {"/-/healthy", "/-/ready"},
		"grafana":           {"/api/health", "/api/health"},
		"postgres-exporter": {"/", "/"},
		"redis-exporter":    {"/health", "/health"},
	} {
		c := m.container(t, name)
		for _, probe := range []struct {
			*corev1.Probe
			want string
		}{{c.StartupProbe, paths[0]}, {c.LivenessProbe, paths[0]}, {c.ReadinessProbe, paths[1]}} {
			if probe.Probe != nil && (probe.HTTPGet == nil || probe.HTTPGet.Path != probe.want) {
				t.Errorf("%s: a probe does not ask %s", name, probe.want)
			}
		}
	}
}

func TestNamesAndPortsAreTheContract(t *testing.T) { each(t, (*manifests).checkContract) }

// contract are the Services, the workloads behind them and the ports that they lead to, by service port.
var contract = map[string]struct {
	workload string
	ports    map[int32]int32
}{
	"frontend":   {"frontend", map[int32]int32{80: 8080}},
	"backend":    {"backend", map[int32]int32{3001: 3001}},
	"ml-service": {"ml-service", map[int32]int32{3002: 3002}},
	"postgres":   {"postgres", map[int32]int32{5432: 5432}},
	"redis":      {"redis", map[int32]int32{6379: 6379}},

	"loki":              {"loki", map[int32]int32{3100: 3100}},
	"mimir":             {"mimir", map[int32]int32{9009: 9009}},
	"tempo":             {"tempo", map[int32]int32{3200: 3200, 4317: 4317}},
	"alloy":             {"alloy", map[int32]int32{12345: 12345, 4318: 4318}},
	"prometheus":        {"prometheus", map[int32]int32{9090: 9090}},
	"grafana":           {"grafana", map[int32]int32{3000: 3000}},
	"postgres-exporter": {"postgres-exporter", map[int32]int32{9187: 9187}},
	"redis-exporter":    {"redis-exporter", map[int32]int32{9121: 9121}},
	"nginx-exporter":    {"frontend", map[int32]int32{9113: 9113}},
	"backend-pods":      {"backend", map[int32]int32{3001: 3001}},
	"ml-service-pods":   {"ml-service", map[int32]int32{3002: 3002}},
}

func (m *manifests) checkContract(t report) {
	if len(m.services) != len(contract) {
		t.Errorf("%d services, not %d", len(m.services), len(contract))
	}
	for name, want := range contract {
		service := m.services[name]
		if service == nil {
			t.Errorf("no Service %s", name)
			continue
		}
		pods := m.selectedBy(service.Spec.Selector)
		if len(pods) != 1 || pods[0].name != want.workload {
			t.Errorf("Service %s selects %d workloads, not %s alone", name, len(pods), want.workload)
			continue
		}
		ports := map[int32]int32{}
		for _, p := range service.Spec.Ports {
			target, ok := pods[0].port(p.TargetPort)
			if !ok {
				t.Errorf("Service %s leads to %s, which no container has", name, p.TargetPort.String())
			}
			ports[p.Port] = target
		}
		if !maps.Equal(ports, want.ports) {
			t.Errorf("Service %s has the ports %v, not %v", name, ports, want.ports)
		}
		for _, c := range pods[0].pod.Spec.Containers {
			for _, env := range c.Env {
				if env.Name == "PORT" && env.Value != fmt.Sprint(want.ports[service.Spec.Ports[0].Port]) {
					t.Errorf("%s listens on %s", name, env.Value)
				}
			}
		}
	}
}

func TestEveryReferenceResolves(t *testing.T) { each(t, (*manifests).checkReferences) }

func (m *manifests) checkReferences(t report) {
	for _, w := range m.workloads {
		spec := w.pod.Spec
		if m.accounts[spec.ServiceAccountName] == nil {
			t.Errorf("%s: no ServiceAccount %q", w.name, spec.ServiceAccountName)
		}
		if w.service != "" && m.services[w.service] == nil {
			t.Errorf("%s: no Service %q", w.name, w.service)
		}
		if w.serves && !matches(t, w.selector, w.pod.Labels) {
			t.Errorf("%s: does not select its own pods", w.name)
		}
		var volumes []string
		for _, claim := range w.claims {
			volumes = append(volumes, claim.Name)
		}
		for _, v := range spec.Volumes {
			volumes = append(volumes, v.Name)
			if claim := v.PersistentVolumeClaim; claim != nil && m.claims[claim.ClaimName] == nil {
				t.Errorf("%s: no PersistentVolumeClaim %q", w.name, claim.ClaimName)
			}
			if v.Secret != nil {
				for _, item := range v.Secret.Items {
					if _, ok := m.secrets[v.Secret.SecretName][item.Key]; !ok {
						t.Errorf("%s: no key %q in Secret %q", w.name, item.Key, v.Secret.SecretName)
					}
				}
			}
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
	for _, binding := range m.bindings {
		if m.roles[binding.RoleRef.Name] == nil {
			t.Errorf("RoleBinding %s: no Role %q", binding.Name, binding.RoleRef.Name)
		}
		for _, subject := range binding.Subjects {
			if m.accounts[subject.Name] == nil || subject.Namespace != "shopmicro" {
				t.Errorf("RoleBinding %s: no ServiceAccount %q in namespace %q", binding.Name, subject.Name, subject.Namespace)
			}
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
}

var variable = regexp.MustCompile(`\$\((\w+)\)`)

// checkEnvironment wants the key behind each secret, and `$(NAME)` only after NAME: Kubernetes leaves others as they stand.
func (m *manifests) checkEnvironment(t report, where string, c corev1.Container) {
	t.Helper()
	var known []string
	for _, e := range c.Env {
		if from := e.ValueFrom; from != nil && from.ConfigMapKeyRef != nil {
			if _, ok := m.configMaps[from.ConfigMapKeyRef.Name][from.ConfigMapKeyRef.Key]; !ok {
				t.Errorf("%s: no key %q in ConfigMap %q", where, from.ConfigMapKeyRef.Key, from.ConfigMapKeyRef.Name)
			}
		} else if from != nil {
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

func checkVariables(t report, where, text string, known []string) {
	t.Helper()
	for _, used := range variable.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(known, used[1]) {
			t.Errorf("%s uses %s, which is not set before it", where, used[1])
		}
	}
}

// kubectl keeps each object in an annotation, for which 256 KiB are the most.
func TestEveryConfigMapCanBeApplied(t *testing.T) {
	each(t, func(m *manifests, t report) {
		for name, data := range m.configMaps {
			if text, err := json.Marshal(data); err != nil || len(text) > 250<<10 {
				t.Errorf("ConfigMap %s takes %d bytes: %v", name, len(text), err)
			}
		}
	})
}

func TestEnvironmentsHaveOneName(t *testing.T) {
	each(t, func(m *manifests, t report) {
		for _, other := range []struct{ container, variable string }{{"ml-service", "FLASK_ENV"}, {"alloy", "ALLOY_ENVIRONMENT"}} {
			want := value(m.container(t, "backend"), "NODE_ENV")
			// config/alloy/pods.alloy says production where it is told nothing.
			if got := cmp.Or(value(m.container(t, other.container), other.variable), "production"); got != want {
				t.Errorf("%s: %s is %s, but the backend is in %s", other.container, other.variable, got, want)
			}
		}
	})
}

func TestImagesAreOursOrPinned(t *testing.T) { each(t, (*manifests).checkImages) }

func (m *manifests) checkImages(t report) {
	text, err := os.ReadFile("../../nix/images.nix")
	if err != nil {
		t.Fatalf("%v", err)
	}
	var ours, used []string
	_, list, _ := strings.Cut(string(text), "\n  all = {")
	list, _, _ = strings.Cut(list, "\n  };")
	for _, found := range regexp.MustCompile(`(?m)^    ([a-z-]+) = (service|\{)`).FindAllStringSubmatch(list, -1) {
		ours = append(ours, "shopmicro-"+found[1])
	}
	for _, w := range m.workloads {
		for _, c := range w.containers() {
			name, tag, _ := strings.Cut(c.Image, ":")
			if slices.Contains(ours, name) {
				used = append(used, name)
				// They are loaded into the nodes: `latest` would be asked of a registry at every start.
				if c.ImagePullPolicy != corev1.PullIfNotPresent {
					t.Errorf("%s/%s: pull policy %s", w.name, c.Name, c.ImagePullPolicy)
				}
			} else if !regexp.MustCompile(`^v?[0-9]`).MatchString(tag) {
				t.Errorf("%s/%s: image %s is of no known version", w.name, c.Name, c.Image)
			}
			if tag == "" || strings.HasPrefix(name, "shopmicro-") && !slices.Contains(ours, name) {
				t.Errorf("%s/%s: nobody makes the image %s", w.name, c.Name, c.Image)
			}
		}
	}
	for _, name := range ours {
		if !slices.Contains(used, name) {
			t.Errorf("nobody runs %s", name)
		}
	}
}

func TestReplicasSurviveDrains(t *testing.T) { each(t, (*manifests).checkReplicas) }

// What customers wait for has two replicas on different nodes, of which one at a time may be taken away, and lets requests
// finish; what decides how many is either the manifest or an autoscaler.
func (m *manifests) checkReplicas(t report) {
	for _, name := range []string{"backend", "frontend"} {
		w := m.workload(t, name)
		spec := w.pod.Spec
		if len(spec.TopologySpreadConstraints) == 0 || !matches(t, spec.TopologySpreadConstraints[0].LabelSelector, w.pod.Labels) {
			t.Errorf("%s: its replicas may share a node", name)
		}
		if hook := m.container(t, name).Lifecycle; hook == nil || hook.PreStop == nil || hook.PreStop.Sleep == nil {
			t.Errorf("%s: stops before it is known to", name)
		}
		var guarded, scaled bool
		for _, budget := range m.budgets {
			guarded = guarded || matches(t, budget.Spec.Selector, w.pod.Labels) && budget.Spec.MaxUnavailable.IntValue() == 1
		}
		if !guarded {
			t.Errorf("%s: all replicas may be evicted at once", name)
		}
		for _, scaler := range m.scalers {
			if scaler.Spec.ScaleTargetRef.Kind != "Deployment" || !m.has(scaler.Spec.ScaleTargetRef.Name) {
				t.Errorf("%s scales nothing", scaler.Name)
			}
			if scaler.Spec.ScaleTargetRef.Name == name {
				scaled = *scaler.Spec.MinReplicas >= 2 && *scaler.Spec.MinReplicas < scaler.Spec.MaxReplicas
				if container := scaler.Spec.Metrics[0].ContainerResource.Container; m.container(t, container).Name != name {
					t.Errorf("%s measures the container %s", name, container)
				}
			}
		}
		if w.replicas == nil && !scaled || w.replicas != nil && (scaled || *w.replicas < 2) {
			t.Errorf("%s: its number of replicas is nobody's, two parts', or below two", name)
		}
	}
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

func (m *manifests) workload(t report, name string) *workload {
	t.Helper()
	for i := range m.workloads {
		if m.workloads[i].name == name {
			return &m.workloads[i]
		}
	}
	t.Fatalf("no workload %s", name)
	return nil
}

// container finds what serves, by its name, which is unique.
func (m *manifests) container(t report, name string) corev1.Container {
	t.Helper()
	for _, w := range m.workloads {
		for _, c := range w.pod.Spec.Containers {
			if c.Name == name {
				return c
			}
		}
	}
	t.Fatalf("no container %s", name)
	return corev1.Container{}
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

func matches(t report, selector *metav1.LabelSelector, set map[string]string) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return s.Matches(labels.Set(set))
}
