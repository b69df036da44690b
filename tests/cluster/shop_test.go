package cluster

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestShop follows a shop on Kubernetes from its first day on. Each step finds what the ones before left; by itself runs, as an
// example, `run -run 'Shop/(deploy|back up)'`.
func TestShop(t *testing.T) {
	for _, step := range []struct {
		promise string
		check   func(*testing.T)
	}{
		{"the API server takes every overlay and component", dryRun},
		{"deploy", deploy},
		{"pods are as restricted as their manifests say", restricted},
		{"the acceptance suite passes", acceptance},
		{"the first admin is made, and the way in is forwarded", byHand},
		{"logs and metrics of every pod arrive", telemetry},
		{"logs and metrics may lie in object storage", objectStorage},
		{"data survive the deletion of every pod", everyPodDeleted},
		{"what is killed comes back, and nothing acknowledged is lost", killed},
		{"restart and update lose no request", replaced},
		{"a budget refuses the second eviction", evicted},
		{"replicas follow the load", scaled},
		{"back up and restore", restored},
		{"troubleshooting.md shows what is to be seen", troubleshooting},
	} {
		if !t.Run(step.promise, step.check) {
			// What comes after would complain of the same.
			t.FailNow()
		}
	}
}

// dryRun lets the real API server judge what is not run here, too: it knows each field and version.
func dryRun(t *testing.T) {
	kubectl(t, "apply", "--validate=strict", "--filename="+filepath.Join(manifests, "k8s/base/namespace.yaml"))
	program(t, nil, filepath.Join(manifests, prod, "new-secrets"))
	for _, overlay := range []string{dev, prod} {
		// Warnings speak of what Pod Security would refuse, and of versions that will be gone.
		command := exec.CommandContext(t.Context(), shared.program("kubectl"), "apply", "--dry-run=server", "--validate=strict", "--kustomize="+filepath.Join(manifests, overlay))
		command.Env = shared.environment()
		out, err := command.CombinedOutput()
		if err != nil || strings.Contains(string(out), "Warning") {
			t.Errorf("%s: %v\n%s", overlay, err, out)
		}
		t.Logf("%s: %d objects", overlay, strings.Count(string(out), "(server dry run)"))
	}
}

func deploy(t *testing.T) {
	began := time.Now()
	kubectl(t, "apply", "--validate=strict", "--kustomize="+filepath.Join(manifests, dev))
	rollOut(t, running...)
	t.Logf("everything was ready after %.0f s", time.Since(began).Seconds())
}

// restricted looks at the processes themselves.
func restricted(t *testing.T) {
	for name, user := range map[string]string{
		"/bin/shopmicro-backend serve": "65532", "/bin/shopmicro-ml-service serve": "65532", "nginx: master process": "65532",
		"postgres -c": "70", "redis-server": "999", "/usr/bin/loki": "10001", "/bin/prometheus": "65534",
	} {
		found := processes(t, name)
		if len(found) == 0 {
			t.Errorf("no process is %q", name)
			continue
		}
		status := file(t, fmt.Sprintf("/proc/%d/status", found[0]))
		for _, want := range []string{"Uid:\t" + user + "\t", "CapEff:\t0000000000000000\n", "CapBnd:\t0000000000000000\n", "NoNewPrivs:\t1\n", "Seccomp:\t2\n"} {
			if !strings.Contains(status, want) {
				t.Errorf("%s: is not %q in\n%s", name, want, status)
			}
		}
		// The fifth field of a mount is where it is, the sixth how.
		writable := true
		for line := range strings.Lines(file(t, fmt.Sprintf("/proc/%d/mountinfo", found[0]))) {
			if fields := strings.Fields(line); fields[4] == "/" {
				writable = !strings.HasPrefix(fields[5], "ro")
			}
		}
		if writable {
			t.Errorf("%s: its root is writable", name)
		}
	}
}

// acceptance runs the suite that every deployment has to pass, through the frontend's Service.
func acceptance(t *testing.T) {
	out := program(t, []string{"SHOP_URL=" + serviceURL(t, "frontend")}, os.Getenv("ACCEPTANCE"))
	t.Log(out[strings.LastIndex(out, "test result"):])
}

// byHand does what docs/kubernetes.md has people do from their own machine.
func byHand(t *testing.T) {
	email, password := strings.ToLower(rand.Text())+"@shop.example", rand.Text()
	out, err := shared.kubectlWith(t.Context(), password, "--namespace=shopmicro", "exec", "-i", "deployment/backend", "-c", "backend",
		"--", "/proc/1/exe", "create-admin", "--email", email)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := exec.CommandContext(t.Context(), shared.program("kubectl"), "--namespace=shopmicro", "port-forward", "service/frontend", "30081:80")
	command.Env = shared.environment()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer command.Wait()
	defer command.Process.Kill()
	eventually(t, minutes, "the forwarded port", func() error {
		answer, err := client.Get("http://127.0.0.1:30081/health")
		if err == nil {
			answer.Body.Close()
		}
		return err
	})
	ada := newCustomer(t)
	if _, err := ada.send("POST", "/api/users/login", "", map[string]string{"email": email, "password": password}, nil); err != nil {
		t.Fatal(err)
	}
	// What only admins may ask.
	if _, err := ada.send("GET", "/api/users", "", nil, nil); err != nil {
		t.Error(err)
	}
}

func file(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// processes are those of this machine whose command line contains what is given, the oldest first.
func processes(t *testing.T, command string) []int {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, path := range lines {
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(strings.ReplaceAll(string(text), "\x00", " "), command) {
			continue
		}
		var id int
		if _, err := fmt.Sscanf(path, "/proc/%d/", &id); err == nil && id != os.Getpid() {
			found = append(found, id)
		}
	}
	return found
}
