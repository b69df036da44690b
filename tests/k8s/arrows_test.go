package k8s

import (
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
)

// arrow is one permission to open a connection, by container port. A name of "" is anyone, from anywhere.
type arrow struct {
	from, to string
	port     int32
}

var architecture = []arrow{
	{"", "frontend", 8080},
	{"frontend", "backend", 3001},
	{"backend", "postgres", 5432},
	{"backend", "redis", 6379},
	{"backend", "ml-service", 3002},
	{"ml-service", "backend", 3001},
	{"ml-service", "redis", 6379},
}

func TestPoliciesOpenTheArrowsAndNothingElse(t *testing.T) {
	each(t, func(t *testing.T, m *manifests) {
		for _, to := range m.workloads {
			if m.allows(t, networkingv1.PolicyTypeEgress, &to, nil, &to, 443) {
				t.Errorf("%s may call the world outside", to.name)
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
						want := slices.Contains(architecture, a)
						if got := m.opens(t, from, &to, p.ContainerPort); got != want {
							t.Errorf("%q -> %s:%d is open: %v, should be: %v", a.from, a.to, a.port, got, want)
						}
					}
				}
			}
		}
	})
}

func TestEveryAddressThatAComponentIsGivenIsAnArrow(t *testing.T) {
	upstream := regexp.MustCompile(`(?m)^\s*server\s+([a-z-]+:[0-9]+)`)
	each(t, func(t *testing.T, m *manifests) {
		used := map[arrow]bool{{"", "frontend", 8080}: true}
		use := func(from, address string) {
			host, port, err := net.SplitHostPort(address)
			service := m.services[host]
			if err != nil || service == nil || strconv.Itoa(int(service.Spec.Ports[0].Port)) != port {
				t.Errorf("%s is told to ask %q, which no Service answers", from, address)
				return
			}
			to := m.workload(t, host)
			target, _ := to.port(service.Spec.Ports[0].TargetPort)
			used[arrow{from, host, target}] = true
		}
		for _, w := range m.workloads {
			for _, c := range w.containers() {
				for _, env := range c.Env {
					if !strings.HasSuffix(env.Name, "_URL") {
						continue
					}
					// A password's place is not part of an address.
					address, err := url.Parse(variable.ReplaceAllString(env.Value, "secret"))
					if err != nil {
						t.Errorf("%s: %s: %v", w.name, env.Name, err)
						continue
					}
					use(w.name, address.Host)
				}
			}
			for _, v := range w.pod.Spec.Volumes {
				if v.ConfigMap != nil {
					for _, server := range upstream.FindAllStringSubmatch(m.configMaps[v.ConfigMap.Name]["deployment.conf"], -1) {
						use(w.name, server[1])
					}
				}
			}
		}
		for _, a := range architecture {
			if !used[a] {
				t.Errorf("%v is open, but nobody is told to use it", a)
			}
			delete(used, a)
		}
		for a := range maps.Keys(used) {
			t.Errorf("%v is used, but not of the architecture", a)
		}
	})
}

// opens says whether the policies let a connection out of one pod and into the other.
func (m *manifests) opens(t *testing.T, from, to *workload, port int32) bool {
	t.Helper()
	return m.allows(t, networkingv1.PolicyTypeIngress, to, from, to, port) &&
		(from == nil || m.allows(t, networkingv1.PolicyTypeEgress, from, to, to, port))
}

// allows reads the policies of one direction at one end, as the API defines them: no policy that
// selects the pod is freedom, otherwise one rule must let the peer through. A peer of nil is outside.
func (m *manifests) allows(t *testing.T, direction networkingv1.PolicyType, self, peer, server *workload, port int32) bool {
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

func peersMatch(t *testing.T, peers []networkingv1.NetworkPolicyPeer, peer *workload) bool {
	t.Helper()
	return len(peers) == 0 || slices.ContainsFunc(peers, func(p networkingv1.NetworkPolicyPeer) bool {
		// Rules for other namespaces and address ranges do not reach a pod of the shop.
		return peer != nil && p.NamespaceSelector == nil && p.PodSelector != nil && matches(t, p.PodSelector, peer.pod.Labels)
	})
}

func portsMatch(ports []networkingv1.NetworkPolicyPort, server *workload, port int32) bool {
	return len(ports) == 0 || slices.ContainsFunc(ports, func(p networkingv1.NetworkPolicyPort) bool {
		if p.Port == nil {
			return true
		}
		number, ok := server.port(*p.Port)
		return ok && number == port
	})
}
