package k8s

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
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
