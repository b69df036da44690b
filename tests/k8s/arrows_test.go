package k8s

import (
	"maps"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// arrow is one permission to open a connection, by container port. A name of "" is anyone, from anywhere.
type arrow struct {
	from, to string
	port     int32
}

// architecture is the table of docs/architecture.md. An arrow to `outside` is one beyond the namespace.
func architecture(t report) []arrow {
	t.Helper()
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatalf("%v", err)
	}
	_, table, _ := strings.Cut(string(text), "\n| asks | is asked | at port |")
	table, _, _ = strings.Cut(table, "\n\n")
	var arrows []arrow
	for _, row := range regexp.MustCompile(`\| ([a-z-]+) \| ([a-z-]+) \| ([0-9]+) \|`).FindAllStringSubmatch(table, -1) {
		port, _ := strconv.ParseInt(row[3], 10, 32)
		arrows = append(arrows, arrow{strings.TrimPrefix(row[1], "anyone"), row[2], int32(port)})
	}
	if len(arrows) == 0 {
		t.Fatalf("docs/architecture.md has no table of who asks whom")
	}
	return arrows
}

func TestPoliciesOpenTheArrowsAndNothingElse(t *testing.T) { each(t, (*manifests).checkPolicies) }

func (m *manifests) checkPolicies(t report) {
	arrows := architecture(t)
	for _, to := range m.workloads {
		want := slices.Contains(arrows, arrow{to.name, "outside", 443})
		if got := m.allows(t, networkingv1.PolicyTypeEgress, &to, nil, &to, 443); got != want {
			t.Errorf("%s may call the world outside: %v", to.name, got)
		}
		// A cache of names on the node has an address of no pod.
		if !m.allows(t, networkingv1.PolicyTypeEgress, &to, nil, &to, 53) {
			t.Errorf("%s may ask for names in kube-system alone", to.name)
		}
		for _, c := range to.pod.Spec.Containers {
			for _, p := range c.Ports {
				froms := []*workload{nil}
				for i := range m.workloads {
					froms = append(froms, &m.workloads[i])
				}
				for _, from := range froms {
					a := arrow{"", to.name, p.ContainerPort}
					if from != nil {
						a.from = from.name
					}
					want := slices.Contains(arrows, a)
					// Both ends are looked at: one that is open alone waits for a mistake at the other.
					welcome := want || slices.Contains(arrows, arrow{"", a.to, a.port})
					if got := m.allows(t, networkingv1.PolicyTypeIngress, &to, from, &to, p.ContainerPort); got != welcome {
						t.Errorf("%q -> %s:%d is let in: %v, should be: %v", a.from, a.to, a.port, got, welcome)
					}
					if from == nil {
						continue
					}
					if got := m.allows(t, networkingv1.PolicyTypeEgress, from, &to, &to, p.ContainerPort); got != want {
						t.Errorf("%q -> %s:%d is let out: %v, should be: %v", a.from, a.to, a.port, got, want)
					}
				}
			}
		}
	}
}

func TestEveryAddressThatAComponentIsGivenIsAnArrow(t *testing.T) {
	each(t, (*manifests).checkAddresses)
}

var (
	upstream = regexp.MustCompile(`(?m)^\s*server\s+([a-z-]+:[0-9]+)`)
	// What names another by a variable.
	addressed = regexp.MustCompile(`_(URL|URI|ADDR|ENDPOINT|OTLP_ADDRESS)$`)
)

func (m *manifests) checkAddresses(t report) {
	used := map[arrow]bool{{"", "frontend", 8080}: true}
	use := func(from, address string) {
		host, port, err := net.SplitHostPort(address)
		// Where it listens, and itself.
		if strings.HasPrefix(address, "0.0.0.0") || host == "127.0.0.1" || host == "localhost" {
			return
		}
		service := m.services[host]
		if err != nil || service == nil {
			t.Errorf("%s is told to ask %q, which no Service answers", from, address)
			return
		}
		for _, p := range service.Spec.Ports {
			for _, to := range m.selectedBy(service.Spec.Selector) {
				target, ok := to.port(p.TargetPort)
				// Of a Service without an address, the ports are those of its pods.
				if ok && (strconv.Itoa(int(p.Port)) == port) {
					used[arrow{from, to.name, target}] = true
					return
				}
			}
		}
		t.Errorf("%s is told to ask %q, a port that the Service does not have", from, address)
	}
	for _, w := range m.workloads {
		for _, c := range w.containers() {
			if host := value(c, "PGHOST"); host != "" {
				use(w.name, net.JoinHostPort(host, value(c, "PGPORT")))
			}
			for _, env := range c.Env {
				if !addressed.MatchString(env.Name) {
					continue
				}
				// A password's place is not part of an address.
				value := variable.ReplaceAllString(env.Value, "secret")
				if !strings.Contains(value, "://") {
					value = "any://" + value
				}
				address, err := url.Parse(value)
				if err != nil {
					t.Errorf("%s: %s: %v", w.name, env.Name, err)
					continue
				}
				use(w.name, address.Host)
			}
		}
		for _, v := range w.pod.Spec.Volumes {
			if v.ConfigMap == nil {
				continue
			}
			data := m.configMaps[v.ConfigMap.Name]
			for _, server := range upstream.FindAllStringSubmatch(data["deployment.conf"], -1) {
				use(w.name, server[1])
			}
			if text, ok := data["prometheus.yml"]; ok {
				for _, address := range prometheusTargets(t, text) {
					use(w.name, address)
				}
			}
		}
	}
	for _, a := range architecture(t) {
		if !used[a] && a.to != "outside" && m.has(a.from) {
			t.Errorf("%v is open, but nobody is told to use it", a)
		}
		delete(used, a)
	}
	for a := range maps.Keys(used) {
		t.Errorf("%v is used, but not of the architecture", a)
	}
}

func value(c corev1.Container, name string) string {
	for _, env := range c.Env {
		if env.Name == name {
			return env.Value
		}
	}
	return ""
}

// has says whether the overlay runs a workload: those of components may be left out.
func (m *manifests) has(name string) bool {
	return name == "" || slices.ContainsFunc(m.workloads, func(w workload) bool { return w.name == name })
}

// allows reads the policies of one direction at one end, as the API defines them: no policy that
// selects the pod is freedom, otherwise one rule must let the peer through. A peer of nil is outside.
func (m *manifests) allows(t report, direction networkingv1.PolicyType, self, peer, server *workload, port int32) bool {
	t.Helper()
	isolated := false
	for _, policy := range m.policies {
		if !slices.Contains(policy.Spec.PolicyTypes, direction) || !matches(t, &policy.Spec.PodSelector, self.pod.Labels) {
			continue
		}
		isolated = true
		if direction == networkingv1.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				if peersMatch(t, rule.From, peer) && portsMatch(rule.Ports, server, port) {
					return true
				}
			}
		} else {
			for _, rule := range policy.Spec.Egress {
				if peersMatch(t, rule.To, peer) && portsMatch(rule.Ports, server, port) {
					return true
				}
			}
		}
	}
	return !isolated
}

func peersMatch(t report, peers []networkingv1.NetworkPolicyPeer, peer *workload) bool {
	t.Helper()
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		if peer == nil {
			return p.IPBlock != nil
		}
		// Rules for other namespaces do not reach a pod of the shop, and those for addresses are not meant to.
		return p.NamespaceSelector == nil && p.PodSelector != nil && matches(t, p.PodSelector, peer.pod.Labels)
	})
}

func portsMatch(ports []networkingv1.NetworkPolicyPort, server *workload, port int32) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		if p.Port == nil {
			return true
		}
		if p.Port.Type == intstr.Int {
			return p.Port.IntVal == port
		}
		number, ok := server.port(*p.Port)
		return ok && number == port
	})
}
