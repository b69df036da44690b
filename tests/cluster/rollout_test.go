package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// load sends customers to the shop until the function that it returns is called, which gives the report.
func load(t *testing.T) func() string {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(root, "target/debug/stack"), "load",
		"--url="+serviceURL(t, "frontend"), "--rate=2", "--duration=900", "--think=0.2",
		// A machine that is too busy to serve all is not what is looked for here, and shedding load is no loss.
		"--patient")
	var report strings.Builder
	command.Stdout, command.Stderr = &report, &report
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return func() string {
		t.Helper()
		// It stops to send customers, and waits for those who are in the shop.
		if err := command.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); err != nil {
			t.Fatalf("load: %v\n%s", err, report.String())
		}
		return report.String()
	}
}

var (
	lost      = regexp.MustCompile(`no answer: \d+|\b5\d\d: \d+|found no place`)
	customers = regexp.MustCompile(`(?m)^(\d+) customers`)
)

// replaced puts new pods in the place of all, twice, while customers shop: the same version, and another image. Those of the
// backend, whose turn takes longest, come the second time and go back: to them the one is as the other.
func replaced(t *testing.T) {
	ours, err := shop(root, "debug")
	if err != nil {
		t.Fatal(err)
	}
	stop := load(t)
	kubectl(t, "rollout", "restart", "deployment/frontend", "deployment/ml-service")
	rollOut(t, "deployment/frontend", "deployment/ml-service")
	for name, containers := range map[string][]string{
		"backend": {"backend", "migrate", "seed"}, "frontend": {"frontend"}, "ml-service": {"ml-service"},
	} {
		next := ours["shopmicro-"+name+":latest"]
		next.config.Labels = map[string]string{"org.opencontainers.image.version": "next"}
		if err := shared.push(t.Context(), "shopmicro-"+name+":next", next); err != nil {
			t.Fatal(err)
		}
		arguments := []string{"set", "image", "deployment/" + name}
		for _, container := range containers {
			arguments = append(arguments, container+"=shopmicro-"+name+":next")
		}
		kubectl(t, arguments...)
	}
	rollOut(t, "deployment/backend", "deployment/frontend", "deployment/ml-service")
	// And the way back, as docs/kubernetes.md has it.
	kubectl(t, "rollout", "undo", "deployment/backend")
	rollOut(t, "deployment/backend")
	report := stop()
	t.Logf("\n%s", report)
	if found := lost.FindAllString(report, -1); found != nil {
		t.Errorf("requests were lost: %v", found)
	}
	if count := customers.FindStringSubmatch(report); count == nil || len(count[1]) < 2 {
		t.Error("hardly anybody came: this proves nothing")
	}
}

// evicted asks as somebody does who drains a node.
func evicted(t *testing.T) {
	rollOut(t, "deployment/backend")
	both := pods(t, "backend")
	if len(both) != 2 {
		t.Fatalf("%d pods of the backend", len(both))
	}
	evict := func(name string) (string, error) {
		body := fmt.Sprintf(`{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": %q, "namespace": "shopmicro"}}`, name)
		return shared.kubectlWith(t.Context(), body, "create", "--raw=/api/v1/namespaces/shopmicro/pods/"+name+"/eviction", "--filename=-")
	}
	eventually(t, minutes, "the first eviction", func() error {
		_, err := evict(both[0].Name)
		return err
	})
	if out, err := evict(both[1].Name); err == nil || !strings.Contains(err.Error(), "disruption budget") {
		t.Errorf("the second eviction was taken: %v %s", err, out)
	}
	rollOut(t, "deployment/backend")
}

// scaled adds the autoscaler, and as much load as makes it act.
func scaled(t *testing.T) {
	change(t, "  - ../../components/node-port\n", "  - ../../components/node-port\n  - ../../components/autoscaling\n", true)
	rollOut(t, "deployment/backend")
	eventually(t, 3*minutes, "a measurement", func() error {
		if out := kubectl(t, "get", "hpa", "backend", "--output=jsonpath={.status.currentMetrics}"); !strings.Contains(out, "averageUtilization") {
			return fmt.Errorf("none: %s", out)
		}
		return nil
	})
	// A login costs the backend more than anything else, and whoever asks for it next to nothing.
	ada := newCustomer(t)
	delete(ada.account, "name")
	ctx, stop := context.WithCancel(t.Context())
	var everybody sync.WaitGroup
	for range 8 {
		everybody.Go(func() {
			for ctx.Err() == nil {
				// Who is turned away, as under any load, asks again.
				ada.send("POST", "/api/users/login", "", ada.account, nil)
			}
		})
	}
	eventually(t, 5*minutes, "more replicas", func() error {
		var asked, ready int
		out := kubectl(t, "get", "deployment", "backend", "--output=jsonpath={.spec.replicas} {.status.readyReplicas}")
		if _, err := fmt.Sscan(out, &asked, &ready); err != nil || asked <= 2 || ready <= 2 {
			return fmt.Errorf("asked for and ready are %s", out)
		}
		return nil
	})
	t.Logf("%s", kubectl(t, "get", "hpa"))
	stop()
	everybody.Wait()
	// Without the component the number is the overlay's again, once somebody applies it: the next test does.
	change(t, "  - ../../components/autoscaling\n", "", false)
	kubectl(t, "delete", "hpa", "backend", "frontend")
}
