package k8s

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

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
			probes := []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe}
			// A pod is as ready as all of its containers, and customers need nginx alone.
			if c.Name == "nginx-exporter" {
				if c.StartupProbe != nil || c.ReadinessProbe != nil {
					t.Errorf("%s/%s: decides whether customers are sent to the pod", w.name, c.Name)
				}
				probes = []*corev1.Probe{c.LivenessProbe}
			}
			for _, probe := range probes {
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
	if surge := m.workload(t, "frontend").surge; surge == nil || surge.String() != "100%" {
		t.Errorf("frontend: the pages of two versions are served by turns for as long as pods leave one by one")
	}
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
