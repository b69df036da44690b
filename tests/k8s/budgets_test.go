package k8s

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

const mib = 1 << 20

func TestMemoryIsThatOfTheTable(t *testing.T) { each(t, (*manifests).checkMemory) }

func (m *manifests) checkMemory(t report) {
	var budgets map[string]map[string]int64
	read(t, "config/budgets.json", func(text []byte) error { return json.Unmarshal(text, &budgets) })
	for _, w := range m.workloads {
		for _, c := range w.containers() {
			job := strings.Replace(w.name, "postgres", "postgresql", 1)
			if strings.HasSuffix(c.Name, "-exporter") {
				job = "exporters"
			}
			if !w.serves {
				continue
			}
			request, ours := budgets["shop"][job]
			limit := budgets["cluster"][job]
			if !ours {
				request = budgets["observability"][job]
				limit = request
			}
			got := [2]int64{c.Resources.Requests.Memory().Value(), c.Resources.Limits.Memory().Value()}
			if request == 0 || got != [2]int64{request * mib, limit * mib} {
				t.Errorf("%s/%s: memory %v, not %d MiB under a limit of %d MiB", w.name, c.Name, got, request, limit)
			}
			for _, env := range c.Env {
				// The programs are told to stay below.
				want, known := map[string]string{
					"GOMEMLIMIT":         fmt.Sprintf("%dMiB", limit*9/10),
					"ALLOY_MEMORY_LIMIT": fmt.Sprintf("%dMiB", limit*6/10),
					"MAX_PRODUCTS":       fmt.Sprint(limit * 200),
					"MAX_USERS":          fmt.Sprint(limit * 30),
				}[env.Name]
				if known && env.Value != want {
					t.Errorf("%s/%s: %s is %s, not %s", w.name, c.Name, env.Name, env.Value, want)
				}
			}
			told := func(name string) bool {
				return slices.ContainsFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == name })
			}
			if !ours && !told("GOMEMLIMIT") || job == "ml-service" && !(told("MAX_PRODUCTS") && told("MAX_USERS")) {
				t.Errorf("%s/%s: is not told of its limit", w.name, c.Name)
			}
		}
	}
}

func TestAlertsKnowWhatMayBeUsed(t *testing.T) { each(t, (*manifests).checkBudgets) }

// Alerts on memory and disks go by a file, which says what the overlay gives.
func (m *manifests) checkBudgets(t report) {
	var rules string
	for _, data := range m.configMaps {
		rules += data["budgets.yaml"]
	}
	memory := func(name string) int64 {
		c := m.container(t, name)
		return c.Resources.Limits.Memory().Value()
	}
	for _, want := range []struct {
		resource, job string
		bytes         int64
	}{
		{"memory", "backend", memory("backend")},
		{"memory", "ml-service", memory("ml-service")},
		{"disk", "postgres", m.workload(t, "postgres").claims[0].Spec.Resources.Requests.Storage().Value()},
	} {
		rule := fmt.Sprintf("record: service:%s_budget:bytes\n        labels: {job: %s}\n        expr: vector(%d * 2 ^ 20)",
			want.resource, want.job, want.bytes/mib)
		if !strings.Contains(rules, rule) {
			t.Errorf("budgets.yaml does not have:\n%s", rule)
		}
	}
}

func TestBackendsFitIntoTheConnections(t *testing.T) { each(t, (*manifests).checkConnections) }

// othersConnections are kept for superusers (PostgreSQL's own 3), migrations, the exporter, backups and operators.
const othersConnections = 13

// While they are replaced there are more backends than replicas: those that come, and the one that leaves.
func (m *manifests) checkConnections(t report) {
	connections := number(t, "config/postgres/postgresql.conf", `\nmax_connections = (\d+)`)
	pool := number(t, "docs/configuration.md", "`POSTGRES_POOL_SIZE` \\| `(\\d+)`")
	if own := value(m.container(t, "backend"), "POSTGRES_POOL_SIZE"); own != "" {
		fmt.Sscan(own, &pool)
	}
	w := m.workload(t, "backend")
	var replicas int
	if w.replicas != nil {
		replicas = int(*w.replicas)
	}
	for _, scaler := range m.scalers {
		if scaler.Spec.ScaleTargetRef.Name == w.name {
			replicas = int(scaler.Spec.MaxReplicas)
		}
	}
	quarter := intstr.FromString("25%")
	surge, err := intstr.GetScaledValueFromIntOrPercent(cmp.Or(w.surge, &quarter), replicas, true)
	if err != nil {
		t.Fatalf("maxSurge: %v", err)
	}
	if most := (replicas + surge + 1) * pool; most > connections-othersConnections {
		t.Errorf("%d backends take up to %d of %d connections", replicas+surge+1, most, connections)
	}
}

func TestBackendsLeaveOneByOne(t *testing.T) { each(t, (*manifests).checkLeaving) }

// One that leaves has its connections until it is gone. The next is told to only once a new one has been ready for a while: no
// shorter than the first may take.
func (m *manifests) checkLeaving(t report) {
	w := m.workload(t, "backend")
	preStop := m.container(t, "backend").Lifecycle.PreStop.Sleep.Seconds
	drain := number(t, "src/platform/shutdown.rs", `DRAIN_TIMEOUT: Duration = Duration::from_secs\((\d+)\)`)
	flush := number(t, "src/platform/telemetry.rs", `FLUSH_TIMEOUT: Duration = Duration::from_secs\((\d+)\)`)
	grace := int64(corev1.DefaultTerminationGracePeriodSeconds)
	if own := w.pod.Spec.TerminationGracePeriodSeconds; own != nil {
		grace = *own
	}
	if leave := preStop + int64(drain+flush); grace <= leave {
		t.Errorf("a backend is killed after %d s, and may take %d to leave", grace, leave)
	}
	if int64(w.minReady) < grace {
		t.Errorf("backends leave every %d s, and may take %d: several have connections at once", w.minReady, grace)
	}
}

// number is the one that a file has in this place.
func number(t report, file, pattern string) (number int) {
	t.Helper()
	read(t, file, func(text []byte) error {
		found := regexp.MustCompile(pattern).FindSubmatch(text)
		if found == nil {
			return fmt.Errorf("it has no %s", pattern)
		}
		_, err := fmt.Sscan(string(found[1]), &number)
		return err
	})
	return number
}

// nginx counts the node's processors, not its container's share of them, and each worker takes memory.
func TestTheNumberOfWebServersWorkersIsNotTheNodes(t *testing.T) {
	read(t, "config/nginx/nginx.conf", func(text []byte) error {
		if !regexp.MustCompile(`(?m)^worker_processes [1-9][0-9]*;`).Match(text) {
			return fmt.Errorf("it leaves the number of workers to nginx")
		}
		return nil
	})
}

func TestRequestsAreWhatThePagesSay(t *testing.T) {
	for _, overlay := range overlays {
		m := render(t, overlay)
		var memory, processors int64
		for i := range m.workloads {
			w := &m.workloads[i]
			if !w.serves {
				continue
			}
			replicas := int64(m.fewest(w))
			for _, c := range w.pod.Spec.Containers {
				memory += replicas * c.Resources.Requests.Memory().Value()
				processors += replicas * c.Resources.Requests.Cpu().MilliValue()
			}
		}
		sum := fmt.Sprintf("%.1f GiB and %.1f processors in `%s`",
			float64(memory)/(1<<30), float64(processors)/1000, strings.TrimPrefix(overlay, "overlays/"))
		for _, page := range []string{"docs/kubernetes.md", "docs/troubleshooting.md"} {
			read(t, page, func(text []byte) error {
				if !strings.Contains(strings.Join(strings.Fields(string(text)), " "), sum) {
					return fmt.Errorf("it does not say that pods request %s", sum)
				}
				return nil
			})
		}
	}
}

// fewest are the replicas of a workload at rest.
func (m *manifests) fewest(w *workload) int32 {
	for _, scaler := range m.scalers {
		if scaler.Spec.ScaleTargetRef.Name == w.name {
			return *scaler.Spec.MinReplicas
		}
	}
	return *w.replicas
}

func read(t report, path string, parse func([]byte) error) {
	t.Helper()
	text, err := os.ReadFile("../../" + path)
	if err == nil {
		err = parse(text)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
