package k8s

import (
	"fmt"
	"strings"
	"testing"
)

// complaints counts what a check complains of.
type complaints struct{ list []string }

func (*complaints) Helper() {}

func (c *complaints) Errorf(format string, values ...any) {
	c.list = append(c.list, fmt.Sprintf(format, values...))
}

// A check that cannot go on has found something, too.
func (c *complaints) Fatalf(format string, values ...any) {
	c.Errorf(format, values...)
	panic(c)
}

// faults are mistakes that people make: in the object that `of` names, `from` is written as `to`, and a check complains.
var faults = []struct{ name, of, from, to, complaint string }{
	{"a Service leads to a port that has another name", "Service backend", "targetPort: http", "targetPort: web", "leads to web"},
	{"a Service selects nothing", "Service backend", "name: backend", "name: back-end", "no Service backend"},
	{"a Service has another port", "Service ml-service", "port: 3002", "port: 3003", "has the ports"},
	{"a ConfigMap is missing", "Deployment redis", "name: redis-", "name: rediss-", "no ConfigMap"},
	{"a key of a ConfigMap is missing", "StatefulSet grafana", "key: grafana.ini", "key: grafana.conf", "no key"},
	{"a key of a Secret is missing", "Deployment backend", "key: REDIS_PASSWORD", "key: REDIS_SECRET", "no key"},
	{"a volume is missing", "StatefulSet loki", "mountPath: /tmp\n          name: tmp", "mountPath: /tmp\n          name: temp", "no volume"},
	{"liveness asks for dependencies", "Deployment backend", "path: /health/live", "path: /health/ready", "does not ask /health/live"},
	{"a probe asks a path that is none", "StatefulSet loki", "path: /ready", "path: /readyz", "does not ask /ready"},
	{"a probe asks a port that is none", "Deployment frontend", "port: metrics", "port: metric", "which it does not have"},
	{"what only measures has a say in who is served", "Deployment frontend", "livenessProbe:\n          failureThreshold: 6", "readinessProbe:\n          failureThreshold: 6", "decides whether customers"},
	{"a probe is missing", "Deployment prometheus", "readinessProbe:", "lifecycle: {}\n        readinessProbeOff:", "unknown field"},
	{"root runs it", "Deployment backend", "runAsUser: 65532", "runAsUser: 0", "runAsUser=0"},
	{"privileges may grow", "Deployment alloy", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "allowPrivilegeEscalation"},
	{"the root can be written to", "StatefulSet mimir", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "is writable"},
	{"a token is carried", "Deployment backend", "automountServiceAccountToken: false", "automountServiceAccountToken: true", "carries a token"},
	{"a limit is above the table", "StatefulSet tempo", "memory: 224Mi", "memory: 1Gi", "not 224 MiB"},
	{"a program is told of another limit", "StatefulSet loki", "value: 230MiB", "value: 300MiB", "GOMEMLIMIT is"},
	{"more customers are remembered than fit", "Deployment ml-service", `"30720"`, `"100000"`, "MAX_USERS is"},
	{"an image of somebody else is the latest", "StatefulSet postgres", "image: postgres:15-alpine", "image: postgres:latest", "no known version"},
	{"nobody makes an image", "Deployment ml-service", "image: shopmicro-ml-service", "image: shopmicro-recommender", "nobody makes"},
	{"a policy opens more", "NetworkPolicy redis", "- backend\n", "- backend\n          - frontend\n", "is let in: true, should be: false"},
	{"a policy opens less", "NetworkPolicy frontend", "port: 3001", "port: 3000", "is let out: false, should be: true"},
	{"not all is denied by default", "NetworkPolicy deny-by-default", "- Ingress", "- Egress", "is let in: true, should be: false"},
	{"an address has another port", "Deployment backend", "http://ml-service:3002", "http://ml-service:5000", "does not have"},
	{"an address names nobody", "Deployment alloy", "http://loki:3100", "http://logs:3100", "which no Service answers"},
	{"pods that are not ready are asked nothing", "Service backend-pods", "publishNotReadyAddresses: true", "publishNotReadyAddresses: false", "every pod"},
	{"the ingress leads nowhere", "Ingress shop", "name: http", "name: web", "no port"},
	{"a Role is missing", "RoleBinding alloy", "kind: Role\n  name: alloy", "kind: Role\n  name: reader", "no Role"},
	{"all may be evicted", "PodDisruptionBudget backend", "maxUnavailable: 1", "maxUnavailable: 2", "evicted at once"},
	{"one replica has to do", "Deployment frontend", "replicas: 2", "replicas: 1", "below two"},
	{"two versions of the pages are there for long", "Deployment frontend", "maxSurge: 100%", "maxSurge: 25%", "served by turns"},
	{"backends want more connections than there are", "Deployment backend", "maxSurge: 1", "maxSurge: 200%", "connections"},
	{"several backends leave at once", "Deployment backend", "minReadySeconds: 20", "minReadySeconds: 5", "several have connections"},
	{"a backend is killed while it answers", "Deployment backend", "terminationGracePeriodSeconds: 20", "terminationGracePeriodSeconds: 10", "is killed after"},
	{"an alert thinks of another disk", "StatefulSet postgres", "storage: 1Gi", "storage: 5Gi", "budgets.yaml does not have"},
	{"a field is misspelt", "Deployment backend", "replicas: 2", "replicsa: 2", "unknown field"},
}

func TestPlantedFaultsAreFound(t *testing.T) {
	documents, err := build(checkout(t), "overlays/dev")
	if err != nil {
		t.Fatal(err)
	}
	if found := judge(documents); len(found) != 0 {
		t.Fatalf("without a fault: %v", found)
	}
	for _, fault := range faults {
		t.Run(fault.name, func(t *testing.T) {
			kind, name, _ := strings.Cut(fault.of, " ")
			planted := make([][]byte, len(documents))
			changed := false
			for i, document := range documents {
				text := string(document)
				if strings.Contains(text, "\nkind: "+kind+"\n") && strings.Contains(text, "\n  name: "+name+"\n") {
					text = strings.ReplaceAll(text, fault.from, fault.to)
					changed = changed || text != string(document)
				}
				planted[i] = []byte(text)
			}
			if !changed {
				t.Fatalf("%s has no %q", fault.of, fault.from)
			}
			if found := strings.Join(judge(planted), "\n"); !strings.Contains(found, fault.complaint) {
				t.Errorf("not found; the complaints are: %s", found)
			}
		})
	}
}

// judge runs every check, and answers what they complain of.
func judge(documents [][]byte) []string {
	m, err := parse(documents)
	if err != nil {
		return []string{err.Error()}
	}
	var all []string
	for _, check := range []func(*manifests, report){
		(*manifests).checkRestriction, (*manifests).checkContainers, (*manifests).checkContract, (*manifests).checkReferences,
		(*manifests).checkImages, (*manifests).checkReplicas, (*manifests).checkMemory,
		(*manifests).checkPolicies, (*manifests).checkAddresses, (*manifests).checkDiscovery,
		(*manifests).checkConnections, (*manifests).checkLeaving, (*manifests).checkBudgets,
	} {
		var c complaints
		func() {
			defer func() {
				if stop := recover(); stop != nil && stop != any(&c) {
					panic(stop)
				}
			}()
			check(m, &c)
		}()
		all = append(all, c.list...)
	}
	return all
}
