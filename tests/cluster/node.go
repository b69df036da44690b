// Package cluster runs the shop on a real Kubernetes cluster of one node: upstream's API server, controllers, scheduler,
// kubelet and proxy, with etcd, containerd and runc, on a throw-away machine (`machine` beside this file). Images come from a
// registry in this process, by the names that the manifests give.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

const (
	// nodeAddress is that of the machine.
	nodeAddress = "172.30.0.1"
	apiServer   = "https://" + nodeAddress + ":6443"
	podRange    = "10.244.0.0/24"
	services    = "10.96.0.0/16"
	// registryAddress is where containerd looks for every image, whatever registry its name has.
	registryAddress = "127.0.0.1:5000"
	sandboxImage    = "registry.k8s.io/pause:tests"
	// startDeadline is for each part of the cluster.
	startDeadline = 2 * time.Minute
)

// node is the running cluster.
type node struct {
	// dir has everything that the cluster writes.
	dir string
	// programs is the directory that `build` printed.
	programs string
	keys     *authority
	mu       sync.Mutex
	dead     []string
}

// startNode starts a cluster, and waits until its node is ready.
func startNode(ctx context.Context, dir, programs string) (*node, error) {
	keys, err := newAuthority(filepath.Join(dir, "keys"))
	if err != nil {
		return nil, err
	}
	n := &node{dir: dir, programs: programs, keys: keys}
	for _, step := range []func(context.Context) error{
		n.writeKeys, n.startRegistry, n.startControlPlane, n.startNames, n.startMetrics, n.startContainers, n.startKubelet,
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *node) path(elements ...string) string {
	return filepath.Join(append([]string{n.dir}, elements...)...)
}

func (n *node) program(name string) string { return filepath.Join(n.programs, name) }

// start runs a part of the cluster until the machine ends; what it says goes to `logs/NAME`.
func (n *node) start(ctx context.Context, name, program string, arguments ...string) error {
	if err := os.MkdirAll(n.path("logs"), 0o755); err != nil {
		return err
	}
	output, err := os.Create(n.path("logs", name))
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, program, arguments...)
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		return errors.Join(err, output.Close())
	}
	go func() {
		err := command.Wait()
		output.Close()
		n.mu.Lock()
		defer n.mu.Unlock()
		n.dead = append(n.dead, fmt.Sprintf("%s has ended: %v", name, err))
	}()
	return nil
}

// until asks again and again, until the answer is no error, a part of the cluster has ended or the time is over.
func (n *node) until(ctx context.Context, patience time.Duration, what string, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		n.mu.Lock()
		dead := strings.Join(n.dead, "; ")
		n.mu.Unlock()
		if dead != "" {
			return fmt.Errorf("%s: %s (logs are in %s)", what, dead, n.path("logs"))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %s: %w", what, patience, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (n *node) writeKeys(context.Context) error {
	// The key by which tokens of ServiceAccounts are signed.
	_, err := newKey(n.keys.path("accounts.key"))
	return errors.Join(err,
		n.keys.issue("apiserver", "kube-apiserver", nil, nodeAddress, "127.0.0.1", "10.96.0.1", "kubernetes", "kubernetes.default.svc"),
		n.keys.issue("kubelet-server", "node", nil, nodeAddress, "node"),
		n.keys.issue("front-proxy", "front-proxy-client", nil),
		n.keys.client(apiServer, "admin", "admin", "system:masters"),
		n.keys.client(apiServer, "controller-manager", "system:kube-controller-manager"),
		n.keys.client(apiServer, "scheduler", "system:kube-scheduler"),
		n.keys.client(apiServer, "kubelet", "system:node:node", "system:nodes"),
		n.keys.client(apiServer, "proxy", "system:kube-proxy"),
	)
}

// startRegistry serves images from this process; whoever pushes pays with disk, not with memory.
func (n *node) startRegistry(ctx context.Context) error {
	if err := os.MkdirAll(n.path("registry"), 0o755); err != nil {
		return err
	}
	handler := registry.New(
		registry.WithBlobHandler(registry.NewDiskBlobHandler(n.path("registry"))), registry.Logger(log.New(io.Discard, "", 0)))
	server := &http.Server{Addr: registryAddress, Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	return n.until(ctx, 10*time.Second, "the registry", func() error {
		select {
		case err := <-failed:
			return err
		default:
		}
		answer, err := http.Get("http://" + registryAddress + "/v2/")
		if err == nil {
			answer.Body.Close()
		}
		return err
	})
}

func (n *node) startControlPlane(ctx context.Context) error {
	err := n.start(ctx, "etcd", "etcd", "--data-dir="+n.path("etcd"), "--unsafe-no-fsync",
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380")
	if err != nil {
		return err
	}
	err = n.start(ctx, "kube-apiserver", n.program("kube-apiserver"),
		"--etcd-servers=http://127.0.0.1:2379",
		"--advertise-address="+nodeAddress,
		"--service-cluster-ip-range="+services,
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--client-ca-file="+n.keys.path("ca.crt"),
		"--tls-cert-file="+n.keys.path("apiserver.crt"),
		"--tls-private-key-file="+n.keys.path("apiserver.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+n.keys.path("accounts.key.pub"),
		"--service-account-signing-key-file="+n.keys.path("accounts.key"),
		"--kubelet-certificate-authority="+n.keys.path("ca.crt"),
		"--kubelet-client-certificate="+n.keys.path("admin.crt"),
		"--kubelet-client-key="+n.keys.path("admin.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--requestheader-client-ca-file="+n.keys.path("ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+n.keys.path("front-proxy.crt"),
		"--proxy-client-key-file="+n.keys.path("front-proxy.key"))
	if err != nil {
		return err
	}
	if err := n.until(ctx, startDeadline, "the API server", func() error {
		_, err := n.kubectl(ctx, "get", "--raw=/readyz")
		return err
	}); err != nil {
		return err
	}
	return errors.Join(
		n.start(ctx, "kube-controller-manager", n.program("kube-controller-manager"),
			"--kubeconfig="+n.keys.path("controller-manager.conf"),
			"--authentication-kubeconfig="+n.keys.path("controller-manager.conf"),
			"--authorization-kubeconfig="+n.keys.path("controller-manager.conf"),
			"--service-account-private-key-file="+n.keys.path("accounts.key"),
			"--root-ca-file="+n.keys.path("ca.crt"),
			"--use-service-account-credentials=true",
			"--horizontal-pod-autoscaler-sync-period=5s",
			"--leader-elect=false"),
		n.start(ctx, "kube-scheduler", n.program("kube-scheduler"),
			"--kubeconfig="+n.keys.path("scheduler.conf"),
			"--authentication-kubeconfig="+n.keys.path("scheduler.conf"),
			"--authorization-kubeconfig="+n.keys.path("scheduler.conf"),
			"--leader-elect=false"),
	)
}

// startNames answers for the names of Services and pods.
func (n *node) startNames(ctx context.Context) error {
	file := n.path("Corefile")
	text := fmt.Sprintf("cluster.local {\n\terrors\n\tkubernetes {\n\t\tkubeconfig %s\n\t}\n}\n", n.keys.path("admin.conf"))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	return n.start(ctx, "dns", n.program("dns"), "-conf="+file)
}

// startMetrics measures pods for the autoscaler, by the API metrics.k8s.io.
func (n *node) startMetrics(ctx context.Context) error {
	conf := n.keys.path("admin.conf")
	err := n.start(ctx, "metrics-server", n.program("metrics-server"),
		"--kubeconfig="+conf, "--authentication-kubeconfig="+conf, "--authorization-kubeconfig="+conf,
		"--secure-port=4443", "--cert-dir="+n.path("metrics-server"), "--metric-resolution=10s", "--kubelet-request-timeout=5s",
		"--kubelet-certificate-authority="+n.keys.path("ca.crt"), "--kubelet-preferred-address-types=InternalIP")
	if err != nil {
		return err
	}
	return n.apply(ctx, `
apiVersion: v1
kind: Service
metadata: {name: metrics-server, namespace: kube-system}
spec: {ports: [{port: 443, targetPort: 4443}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: metrics-server, namespace: kube-system, labels: {kubernetes.io/service-name: metrics-server}}
addressType: IPv4
ports: [{port: 4443}]
endpoints: [{addresses: [`+nodeAddress+`]}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  service: {name: metrics-server, namespace: kube-system}
  group: metrics.k8s.io
  version: v1beta1
  insecureSkipTLSVerify: true
  groupPriorityMinimum: 100
  versionPriority: 100
`)
}

func (n *node) startContainers(ctx context.Context) error {
	files := map[string]string{
		"/etc/cni/net.d/10-tests.conflist": `{"cniVersion": "1.0.0", "name": "tests", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "` + podRange + `"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}`,
		"/etc/containerd/certs.d/_default/hosts.toml": `server = "http://` + registryAddress + `"
[host."http://` + registryAddress + `"]
  capabilities = ["pull", "resolve"]`,
		// Without the capability CAP_SYS_RESOURCE nobody may lower a score.
		"/etc/containerd/config.toml": `version = 2
disabled_plugins = ["io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "` + sandboxImage + `"
  restrict_oom_score_adj = true
  disable_apparmor = true
  registry.config_path = "/etc/containerd/certs.d"
  cni.bin_dir = "/usr/lib/cni"
  cni.conf_dir = "/etc/cni/net.d"
  containerd.snapshotter = "overlayfs"
  containerd.runtimes.runc.runtime_type = "io.containerd.runc.v2"`,
	}
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := n.start(ctx, "containerd", "containerd"); err != nil {
		return err
	}
	return n.until(ctx, startDeadline, "containerd", func() error {
		return exec.CommandContext(ctx, "ctr", "version").Run()
	})
}

func (n *node) startKubelet(ctx context.Context) error {
	kubelet, proxy := n.path("kubelet.yaml"), n.path("proxy.yaml")
	err := errors.Join(
		os.WriteFile(kubelet, fmt.Appendf(nil, `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %s}}
authorization: {mode: Webhook}
tlsCertFile: %s
tlsPrivateKeyFile: %s
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
clusterDomain: cluster.local
clusterDNS: [%s]
resolvConf: /etc/resolv.conf
oomScoreAdj: 0
maxOpenFiles: 20000
evictionHard: {memory.available: 100Mi, nodefs.available: 1%%, nodefs.inodesFree: 1%%, imagefs.available: 1%%}
imageGCHighThresholdPercent: 100
`, n.keys.path("ca.crt"), n.keys.path("kubelet-server.crt"), n.keys.path("kubelet-server.key"), nodeAddress), 0o644),
		os.WriteFile(proxy, fmt.Appendf(nil, `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: %s}
clusterCIDR: %s
hostnameOverride: node
linux: {oomScoreAdj: 0, conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}}
`, n.keys.path("proxy.conf"), podRange), 0o644),
		n.start(ctx, "kubelet", n.program("kubelet"), "--config="+kubelet, "--kubeconfig="+n.keys.path("kubelet.conf"),
			"--hostname-override=node", "--node-ip="+nodeAddress),
		n.start(ctx, "kube-proxy", n.program("kube-proxy"), "--config="+proxy),
	)
	if err != nil {
		return err
	}
	return n.until(ctx, startDeadline, "the node", func() error {
		_, err := n.kubectl(ctx, "wait", "--for=condition=Ready", "node/node", "--timeout=1s")
		return err
	})
}

// kubectl runs as the cluster's admin, in the shop's namespace unless told otherwise, and gives what is printed.
func (n *node) kubectl(ctx context.Context, arguments ...string) (string, error) {
	return n.kubectlWith(ctx, "", arguments...)
}

func (n *node) kubectlWith(ctx context.Context, input string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, n.program("kubectl"), arguments...)
	command.Env = n.environment()
	command.Stdin = strings.NewReader(input)
	var out, problems strings.Builder
	command.Stdout, command.Stderr = &out, &problems
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(arguments, " "), err, strings.TrimSpace(problems.String()))
	}
	return out.String(), nil
}

// environment is that of a person who has this cluster as theirs.
func (n *node) environment() []string {
	return append(os.Environ(), "KUBECONFIG="+n.keys.path("admin.conf"), "PATH="+n.programs+":"+os.Getenv("PATH"), "HOME="+n.dir)
}

// apply gives objects to the API server, which refuses what it does not know.
func (n *node) apply(ctx context.Context, objects string) error {
	return n.until(ctx, startDeadline, "kubectl apply", func() error {
		_, err := n.kubectlWith(ctx, objects, "apply", "--validate=strict", "--filename=-")
		return err
	})
}
