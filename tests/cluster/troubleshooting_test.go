package cluster

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// faults are what people come to docs/troubleshooting.md with, by the heading of the section: how to make it happen, and how to
// end it. A section without one shows the shop as it should be.
var faults = map[string]struct{ plant, mend string }{
	"An image is missing": {
		"kubectl set image deployment/frontend frontend=shopmicro-frontend:1.0.0-typo",
		"kubectl rollout undo deployment/frontend",
	},
	"A setting is wrong": {
		"kubectl set env deployment/backend --containers=backend TRUSTED_PROXIES=everyone",
		"kubectl rollout undo deployment/backend",
	},
	"A key of the Secret is missing": {
		patch("deployment/ml-service", `{"containers": [{"name": "ml-service", "env": [{"name": "REDIS_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "shopmicro-gone", "key": "REDIS_PASSWORD"}}}]}]}`),
		"kubectl rollout undo deployment/ml-service",
	},
	"A ConfigMap is missing": {
		patch("deployment/frontend", `{"volumes": [{"name": "config", "configMap": {"name": "nginx-gone"}}]}`),
		"kubectl rollout undo deployment/frontend",
	},
	"Memory is not enough": {
		patch("deployment/prometheus", `{"containers": [{"name": "prometheus", "resources": {"requests": {"memory": "12Mi"}, "limits": {"memory": "12Mi"}}}]}`),
		"kubectl rollout undo deployment/prometheus",
	},
	"The node has no room": {
		patch("deployment/ml-service", `{"containers": [{"name": "ml-service", "resources": {"requests": {"cpu": "900"}, "limits": {"cpu": "900"}}}]}`),
		"kubectl rollout undo deployment/ml-service",
	},
	"A dependency is away": {
		"kubectl scale statefulset/postgres --replicas=0",
		"kubectl scale statefulset/postgres --replicas=1",
	},
	"A probe asks the wrong path": {
		patch("deployment/frontend", `{"containers": [{"name": "frontend", "readinessProbe": {"httpGet": {"path": "/healthz.json", "port": "http"}}}]}`),
		"kubectl rollout undo deployment/frontend",
	},
	"Root is asked for": {
		patch("deployment/frontend", `{"securityContext": {"runAsNonRoot": false, "runAsUser": 0}}`),
		"kubectl rollout undo deployment/frontend",
	},
	// With new frontends: those that are there go on with the connections that they have.
	"A Service leads to a port that has another name": {
		`kubectl patch service backend --patch '{"spec": {"ports": [{"port": 3001, "targetPort": "web"}]}}' &&
			kubectl rollout restart deployment/frontend && kubectl rollout status deployment/frontend`,
		`kubectl patch service backend --patch '{"spec": {"ports": [{"port": 3001, "targetPort": "http"}]}}'`,
	},
	"A Service selects nobody": {
		`kubectl patch service ml-service --patch '{"spec": {"selector": {"app.kubernetes.io/name": "recommender"}}}'`,
		`kubectl patch service ml-service --patch '{"spec": {"selector": {"app.kubernetes.io/name": "ml-service"}}}'`,
	},
}

func patch(workload, pod string) string {
	return fmt.Sprintf("kubectl patch %s --patch '{\"spec\": {\"template\": {\"spec\": %s}}}'", workload, pod)
}

var (
	section = regexp.MustCompile(`(?m)^### (.+)$`)
	// console is a block of commands, each behind a dollar sign, with the output to expect.
	console = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")
)

// troubleshooting plants each fault of the page, runs its commands until they print what the page says, and ends it.
func troubleshooting(t *testing.T) {
	page := file(t, filepath.Join(root, "docs/troubleshooting.md"))
	const here = "kubectl config set-context --current --namespace=shopmicro"
	if !strings.Contains(page, "\n    "+here+"\n") {
		t.Fatalf("the page does not begin with %q", here)
	}
	shell(t, here)
	planted := maps.Clone(faults)
	headings := section.FindAllStringSubmatchIndex(page, -1)
	for i, heading := range headings {
		end := len(page)
		if i+1 < len(headings) {
			end = headings[i+1][0]
		}
		name, text := page[heading[2]:heading[3]], page[heading[1]:end]
		fault, found := planted[name]
		delete(planted, name)
		t.Run(name, func(t *testing.T) {
			if found {
				shell(t, fault.plant)
				defer func() {
					shell(t, fault.mend)
					rollOut(t, running...)
				}()
			}
			blocks := console.FindAllStringSubmatch(text, -1)
			if len(blocks) == 0 {
				t.Fatal("it shows no command")
			}
			for _, block := range blocks {
				for _, example := range strings.Split("\n"+block[1], "\n$ ")[1:] {
					command, want, _ := strings.Cut(example, "\n")
					expect(t, command, want)
				}
			}
		})
	}
	if len(planted) > 0 {
		t.Errorf("the page has no section for %v", slices.Sorted(maps.Keys(planted)))
	}
}

// expect runs a command until each line of what is wanted matches one of its output: white space as much as there is, `…` for
// whatever stands in its place.
func expect(t *testing.T, command, want string) {
	t.Helper()
	eventually(t, 3*minutes, command, func() error {
		// What fails may be what the page shows.
		out, _ := bash(t, command)
		for line := range strings.Lines(want) {
			words := strings.Fields(line)
			for i, word := range words {
				words[i] = strings.ReplaceAll(regexp.QuoteMeta(word), "…", ".*")
			}
			if !regexp.MustCompile(strings.Join(words, `\s+`)).MatchString(out) {
				return fmt.Errorf("no line is like %q in\n%s", strings.TrimSpace(line), out)
			}
		}
		return nil
	})
}

func shell(t *testing.T, command string) {
	t.Helper()
	if out, err := bash(t, command); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

func bash(t *testing.T, command string) (string, error) {
	run := exec.CommandContext(t.Context(), "bash", "-c", command)
	run.Dir, run.Env = manifests, shared.environment()
	out, err := run.CombinedOutput()
	return string(out), err
}
