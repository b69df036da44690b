package k8s

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

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
	for _, from := range c.EnvFrom {
		if from.ConfigMapRef == nil || m.configMaps[from.ConfigMapRef.Name] == nil {
			t.Errorf("%s: no ConfigMap to take its environment from", where)
		}
	}
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
