package cluster

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// everyPodDeleted takes everything away but the volumes.
func everyPodDeleted(t *testing.T) {
	ada := newCustomer(t)
	if err := ada.buy(); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "delete", "pods", "--all", "--timeout=4m")
	rollOut(t, running...)
	eventually(t, 2*minutes, "the shop", func() error {
		_, err := ada.send("GET", "/api/orders", "", nil, nil)
		return err
	})
	ada.check(t)
	// What watches keeps what it had, too.
	telemetry(t)
}

// killed takes processes away in the middle of a purchase, without a word.
func killed(t *testing.T) {
	// What is bought here is more than the demo has.
	kubectl(t, "exec", "postgres-0", "--", "psql", "--username=postgres", "--quiet", "--command=update products set stock = 100000", "shopmicro")
	for _, victim := range []struct{ pod, command string }{
		{"backend", "/bin/shopmicro-backend serve"},
		{"ml-service", "/bin/shopmicro-ml-service serve"},
		{"redis", "redis-server"},
		{"postgres", "postgres -c"},
	} {
		ada := newCustomer(t)
		stop, bought := make(chan struct{}), make(chan []string)
		go func() {
			var failures []string
			for {
				select {
				case <-stop:
					bought <- failures
					return
				default:
					if err := ada.buy(); err != nil {
						failures = append(failures, err.Error())
						time.Sleep(50 * time.Millisecond)
					}
				}
			}
		}()
		time.Sleep(time.Second)
		found := processes(t, victim.command)
		before := restarts(t, victim.pod)
		if len(found) == 0 {
			t.Fatalf("nobody is %q", victim.command)
		}
		if err := syscall.Kill(found[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killedAt := time.Now()
		eventually(t, 3*minutes, victim.pod+" again", func() error {
			if restarts(t, victim.pod) == before {
				return fmt.Errorf("it was not restarted")
			}
			for _, pod := range pods(t, victim.pod) {
				for _, status := range pod.Status.ContainerStatuses {
					if !status.Ready {
						return fmt.Errorf("%s is not ready", pod.Name)
					}
				}
			}
			return nil
		})
		again := time.Since(killedAt)
		close(stop)
		failures := <-bought
		t.Logf("%s was ready again after %.1f s; of the customer's purchases %d were acknowledged, %d failed, %d of these without a clear answer",
			victim.pod, again.Seconds(), len(ada.acknowledged), len(failures), len(ada.unanswered))
		ada.check(t)
		// Without recommendations and without Redis the shop sells as before.
		if (victim.pod == "ml-service" || victim.pod == "redis") && len(failures) > 0 {
			t.Errorf("purchases failed without %s: %q", victim.pod, failures)
		}
		if len(ada.acknowledged) == 0 {
			t.Error("nothing was bought: this proves nothing")
		}
	}
}

// restarts counts those of a workload's containers.
func restarts(t *testing.T, name string) int32 {
	t.Helper()
	var count int32
	for _, pod := range pods(t, name) {
		for _, status := range pod.Status.ContainerStatuses {
			count += status.RestartCount
		}
	}
	return count
}

// restored goes the way of docs/kubernetes.md: a larger volume and another password of the database, a dump by the nightly job,
// made now, and the shop of that dump on a new volume.
func restored(t *testing.T) {
	shell(t, documented(t, "and leaves its pod running:"))
	change(t, "name: postgres|loki|mimir|tempo\n", "name: loki|mimir|tempo\n", false)
	change(t, "SHOPMICRO_PASSWORD=shopmicro\n", "SHOPMICRO_PASSWORD=another\n", false)
	change(t, "  - ../../components/node-port\n", "  - ../../components/node-port\n  - ../../components/backup\n", false)
	shell(t, strings.ReplaceAll(documented(t, "apply, and tell it"), prod, dev))
	rollOut(t, running...)

	ada := newCustomer(t)
	if err := ada.buy(); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "create", "job", "--from=cronjob/backup", "backup-now")
	kubectl(t, "wait", "--for=condition=Complete", "job/backup-now", "--timeout=3m")
	_, dump, found := strings.Cut(kubectl(t, "logs", "job/backup-now"), "/var/backup/")
	if !found {
		t.Fatal("the job does not say where the dump is")
	}
	// Of what is bought after the dump, the restored shop knows nothing.
	before := len(ada.acknowledged)
	if err := ada.buy(); err != nil {
		t.Fatal(err)
	}
	shell(t, strings.ReplaceAll(documented(t, "where `ls` says its NAME:"), "NAME", strings.TrimSpace(dump)))
	shell(t, documented(t, "a new one takes its place first"))
	if size := kubectl(t, "get", "pvc", "data-postgres-0", "--output=jsonpath={.spec.resources.requests.storage}"); size != "10Gi" {
		t.Errorf("a new claim asks for %s, not for as much as the overlay does", size)
	}
	shell(t, documented(t, "what was before stays as `shopmicro_replaced`:"))
	eventually(t, 2*minutes, "the orders of the dump", func() error {
		orders, err := ada.orders()
		if err == nil && len(orders) != before {
			err = fmt.Errorf("%d orders", len(orders))
		}
		return err
	})
	rollOut(t, running...)
}

var indented = regexp.MustCompile(`(?m)(?:^    .+\n)+`)

// documented are the commands that docs/kubernetes.md has next after these words.
func documented(t *testing.T, words string) string {
	t.Helper()
	_, after, found := strings.Cut(file(t, filepath.Join(root, "docs/kubernetes.md")), words)
	commands := indented.FindString(after)
	if !found || commands == "" {
		t.Fatalf("docs/kubernetes.md has no commands after %q", words)
	}
	return "set -euo pipefail\n" + commands
}
