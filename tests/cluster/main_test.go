package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// shared is the cluster of all tests. The table of contents is in shop_test.go.
var shared *node

// manifests is a copy of what kubectl is given, so that a test may change it.
var manifests string

const (
	root    = "../.."
	dev     = "k8s/overlays/dev"
	prod    = "k8s/overlays/production"
	minutes = time.Minute
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, programs := os.Getenv("CLUSTER_DIR"), os.Getenv("CLUSTER_PROGRAMS")
	if dir == "" || programs == "" {
		return 1, fmt.Errorf("tests/cluster/run runs these tests")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	began := time.Now()
	var err error
	if shared, err = startNode(ctx, dir, programs); err != nil {
		return 1, err
	}
	fmt.Printf("the node was ready after %.1f s\n", time.Since(began).Seconds())
	manifests = filepath.Join(dir, "manifests")
	for _, part := range []string{"k8s", "config"} {
		if err := os.CopyFS(filepath.Join(manifests, part), os.DirFS(filepath.Join(root, part))); err != nil {
			return 1, err
		}
	}
	// Pods are replaced wherever the Secret or their Deployment changes, so both have all that tests need from the beginning.
	const secret, patches = "      - POSTGRES_PASSWORD=postgres\n", "patches:\n"
	if err := errors.Join(
		replace(secret, secret+"      - S3_ACCESS_KEY_ID=key\n      - S3_SECRET_ACCESS_KEY=secret\n"),
		replace(patches, patches+noLimits),
	); err != nil {
		return 1, err
	}
	if err := shared.prepare(ctx); err != nil {
		return 1, err
	}
	fmt.Printf("images and volumes were there after %.1f s\n", time.Since(began).Seconds())
	return m.Run(), nil
}

// noLimits is for the backend: all customers of these tests have one address, and so share one limit.
const noLimits = `  - target:
      kind: Deployment
      name: backend
    patch: |-
      - op: add
        path: /spec/template/spec/containers/0/env/-
        value: {name: RATE_LIMIT_READ, value: 1000000 burst 1000000}
      - op: add
        path: /spec/template/spec/containers/0/env/-
        value: {name: RATE_LIMIT_WRITE, value: 1000000 burst 1000000}
      - op: add
        path: /spec/template/spec/containers/0/env/-
        value: {name: RATE_LIMIT_AUTH, value: 1000000 burst 1000000}
      - op: add
        path: /spec/template/spec/containers/0/env/-
        value: {name: RATE_LIMIT_REPORT, value: 1000000 burst 1000000}
`

// replace edits the overlay of this run.
func replace(from, to string) error {
	path := filepath.Join(manifests, dev, "kustomization.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), from) {
		return fmt.Errorf("%s has no %q", path, from)
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644)
}

// change edits the overlay of this run, and applies it unless there is more to come.
func change(t *testing.T, from, to string, apply bool) {
	t.Helper()
	if err := replace(from, to); err != nil {
		t.Fatal(err)
	}
	if apply {
		kubectl(t, "apply", "--validate=strict", "--kustomize="+filepath.Join(manifests, dev))
	}
}

// image is what a manifest says of one: `REPOSITORY:VERSION`.
var imageOf = regexp.MustCompile(`(?m)^\s*(?:- )?image: ([^\s:]+):(\S+)$`)

// prepare makes what a cluster has before somebody deploys to it: images in a registry, and volumes.
func (n *node) prepare(ctx context.Context) error {
	rendered, err := n.kubectl(ctx, "kustomize", filepath.Join(manifests, dev))
	if err != nil {
		return err
	}
	versions := map[string]string{}
	for _, found := range imageOf.FindAllStringSubmatch(rendered, -1) {
		versions[found[1]] = found[2]
	}
	ours, err := shop(root, "debug")
	if err != nil {
		return err
	}
	others, err := n.others(root, versions)
	if err != nil {
		return err
	}
	for _, images := range []map[string]image{ours, others} {
		for reference, i := range images {
			if err := n.push(ctx, reference, i); err != nil {
				return err
			}
		}
	}
	// Their class lets claims grow, though no disk here does.
	var volumes strings.Builder
	volumes.WriteString(`apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: disks, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/no-provisioner
allowVolumeExpansion: true
`)
	for i := range 8 {
		path := n.path("volumes", fmt.Sprint(i))
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		fmt.Fprintf(&volumes, `---
apiVersion: v1
kind: PersistentVolume
metadata: {name: volume-%d}
spec:
  capacity: {storage: 10Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: disks
  local: {path: %s}
  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node]}]}]}}
`, i, path)
	}
	return n.apply(ctx, volumes.String())
}

// kubectl runs in the shop's namespace, and must succeed.
func kubectl(t *testing.T, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*minutes)
	defer cancel()
	out, err := shared.kubectl(ctx, append([]string{"--namespace=shopmicro"}, arguments...)...)
	if err != nil {
		t.Fatalf("%v\n%s", err, situation(ctx))
	}
	return out
}

// situation is what somebody would look at first.
func situation(ctx context.Context) string {
	pods, _ := shared.kubectl(ctx, "get", "pods", "--namespace=shopmicro", "--output=wide")
	events, _ := shared.kubectl(ctx, "get", "events", "--namespace=shopmicro", "--sort-by=.lastTimestamp", "--field-selector=type!=Normal")
	lines := strings.Split(strings.TrimSpace(events), "\n")
	return pods + strings.Join(lines[max(0, len(lines)-15):], "\n")
}

// eventually asks until the answer is no error.
func eventually(t *testing.T, patience time.Duration, what string, ask func() error) {
	t.Helper()
	if err := shared.until(t.Context(), patience, what, ask); err != nil {
		t.Fatalf("%v\n%s", err, situation(context.WithoutCancel(t.Context())))
	}
}

// rollOut waits until what was asked for is what runs, and what was before is gone.
func rollOut(t *testing.T, workloads ...string) {
	t.Helper()
	// The deadline is each one's.
	kubectl(t, append([]string{"rollout", "status", "--timeout=5m"}, workloads...)...)
	eventually(t, 2*minutes, "the end of the pods of before", func() error {
		if leaving := kubectl(t, "get", "pods", "--output=jsonpath={.items[*].metadata.deletionTimestamp}"); leaving != "" {
			return fmt.Errorf("%d are leaving", len(strings.Fields(leaving)))
		}
		return nil
	})
}

// running are the workloads of the shop, and of what watches it, that can run here: Tempo and Grafana have no image.
var running = []string{
	"statefulset/postgres", "deployment/redis", "deployment/backend", "deployment/ml-service", "deployment/frontend",
	"statefulset/loki", "statefulset/mimir", "deployment/alloy", "deployment/prometheus",
	"deployment/postgres-exporter", "deployment/redis-exporter",
}

// pods are those of a workload that are not on their way out.
func pods(t *testing.T, name string) []corev1.Pod {
	t.Helper()
	var list corev1.PodList
	text := kubectl(t, "get", "pods", "--selector=app.kubernetes.io/name="+name, "--output=json")
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	var live []corev1.Pod
	for _, pod := range list.Items {
		if pod.DeletionTimestamp == nil {
			live = append(live, pod)
		}
	}
	return live
}

// serviceURL is a Service's own address, which the cluster's proxy leads to a pod.
func serviceURL(t *testing.T, name string) string {
	t.Helper()
	address := kubectl(t, "get", "service", name, "--output=jsonpath={.spec.clusterIP}:{.spec.ports[0].port}")
	return "http://" + address
}

// program runs one on the node, and must succeed.
func program(t *testing.T, environment []string, name string, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, arguments...)
	command.Env = append(shared.environment(), environment...)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s\n%s", name, strings.Join(arguments, " "), err, out, situation(t.Context()))
	}
	return string(out)
}
