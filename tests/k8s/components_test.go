package k8s

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

var component = regexp.MustCompile(`(?m)^  - \.\./\.\./components/(.+)\n`)

// change renders an overlay whose kustomization is another one, with files that people write.
func change(t *testing.T, overlay string, edit func(string) string, files ...map[string]string) *manifests {
	t.Helper()
	dir := checkout(t)
	newSecrets(t, dir)
	path := filepath.Join(dir, "k8s", overlay, "kustomization.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(edit(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, written := range files {
		for name, text := range written {
			if err := os.WriteFile(filepath.Join(dir, "k8s", name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	documents, err := build(dir, overlay)
	if err != nil {
		t.Fatal(err)
	}
	m, err := parse(documents)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEachComponentCanBeLeftOut(t *testing.T) {
	for _, overlay := range overlays {
		text, err := os.ReadFile(filepath.Join("../../k8s", overlay, "kustomization.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range component.FindAllStringSubmatch(string(text), -1) {
			t.Run(overlay+" without "+found[1], func(t *testing.T) {
				m := change(t, overlay, func(text string) string {
					text = strings.Replace(text, found[0], "", 1)
					// What the overlay says of the component goes with it.
					if found[1] == "tls" || found[1] == "autoscaling" {
						text, _, _ = strings.Cut(text, "patches:")
					}
					return text
				})
				m.checkReferences(t)
				m.checkRestriction(t)
				m.checkReplicas(t)
				m.checkConnections(t)
				if found[1] == "observability" && m.has("loki") || found[1] == "backup" && m.has("backup") {
					t.Error("it is still there")
				}
			})
		}
	}
}

// with adds a component to those of production, at their end.
func with(component string) func(string) string {
	return func(text string) string {
		return strings.Replace(text, "images:", "  - ../../components/"+component+"\nimages:", 1)
	}
}

func TestTheDatabaseMayBeElsewhere(t *testing.T) {
	change(t, "overlays/production", with("external-database")).checkOtherDatabase(t)
}

func TestTheDatabaseMayBeAnOperators(t *testing.T) {
	m := change(t, "overlays/production", func(text string) string {
		// As the component's own file says it.
		added := `secretGenerator:
  - {name: database-owner, type: kubernetes.io/basic-auth, envs: [database-owner.env], options: {disableNameSuffixHash: true}}
  - {name: database-exporter, type: kubernetes.io/basic-auth, envs: [database-exporter.env], options: {disableNameSuffixHash: true}}
`
		own, err := os.ReadFile("../../k8s/components/cloudnative-pg/kustomization.yaml")
		if err != nil || !strings.Contains(string(own), strings.ReplaceAll("\n"+strings.TrimSpace(added), "\n", "\n#   ")) {
			t.Errorf("the component does not say what is added here: %v", err)
		}
		return strings.Replace(with("cloudnative-pg")(text), "secretGenerator:\n", added, 1)
	})
	m.checkOtherDatabase(t)
	if got := m.services["postgres"].Spec.ExternalName; got != "database-rw.shopmicro.svc.cluster.local" {
		t.Errorf("the name postgres leads to %s", got)
	}
	database := m.operated["Cluster"]
	for _, secret := range []struct{ name, key string }{{"database-owner", "SHOPMICRO_PASSWORD"}, {"database-exporter", "SHOPMICRO_EXPORTER_PASSWORD"}} {
		if !strings.Contains(fmt.Sprint(database), "name:"+secret.name) {
			t.Errorf("the database does not use the Secret %s", secret.name)
		}
		for name, values := range m.secrets {
			if strings.HasPrefix(name, "shopmicro-") && string(m.secrets[secret.name]["password"]) != string(values[secret.key]) {
				t.Errorf("%s has another password than the shop", secret.name)
			}
		}
	}
	// What the one pod is told, the operator's servers are told, too.
	text, err := os.ReadFile("../../config/postgres/postgresql.conf")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range database["postgresql"].(map[string]any)["parameters"].(map[string]any) {
		if line := fmt.Sprintf("\n%s = %s\n", name, value); !strings.Contains(string(text), line) {
			t.Errorf("postgresql.conf has not%s", line)
		}
	}
}

func TestSecretsMayComeFromAStore(t *testing.T) {
	m := change(t, "overlays/production", func(text string) string {
		before, after, _ := strings.Cut(with("external-secrets")(text), "secretGenerator:\n")
		_, after, _ = strings.Cut(after, "patches:\n")
		return before + "patches:\n" + after
	})
	if len(m.secrets) != 0 || m.operated["ExternalSecret"]["target"].(map[string]any)["name"] != "shopmicro" {
		t.Errorf("the Secret is not the operator's: %v", m.operated)
	}
	// The operator makes it with every name that new-secrets would.
	m.secrets["shopmicro"] = map[string][]byte{}
	for _, values := range render(t, "overlays/production").secrets {
		maps.Copy(m.secrets["shopmicro"], values)
	}
	m.checkReferences(t)
}

func TestTelemetryMayLieInObjectStorage(t *testing.T) {
	m := change(t, "overlays/production", func(text string) string {
		return with("object-storage")(text) + `
  - target:
      kind: ConfigMap
      name: object-storage
    patch: |-
      - op: replace
        path: /data/S3_ENDPOINT
        value: s3.shop.example
`
	})
	for name, values := range m.configMaps {
		if strings.HasPrefix(name, "object-storage") && values["S3_ENDPOINT"] != "s3.shop.example" {
			t.Errorf("the overlay's word does not count: %v", values)
		}
	}
	for _, values := range m.secrets {
		values["S3_ACCESS_KEY_ID"], values["S3_SECRET_ACCESS_KEY"] = nil, nil
	}
	m.checkReferences(t)
	for i := range m.workloads {
		w := &m.workloads[i]
		want := w.name == "loki" || w.name == "mimir" || w.name == "tempo"
		if got := m.allows(t, networkingv1.PolicyTypeEgress, w, nil, w, 443); got != (want || w.name == "alloy") {
			t.Errorf("%s reaches the storage: %v", w.name, got)
		}
		got := slices.ContainsFunc(w.pod.Spec.Containers[0].EnvFrom, func(e corev1.EnvFromSource) bool {
			return strings.HasPrefix(e.ConfigMapRef.Name, "object-storage-")
		})
		if got != want {
			t.Errorf("%s is told where the storage is: %v", w.name, got)
		}
	}
}

func TestAlertsMayBeTold(t *testing.T) {
	read := func(path string) string {
		text, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	// As docs/kubernetes.md has people write it.
	const nobody = "receivers:\n  - name: nobody\n"
	_, receivers, _ := strings.Cut(read("docs/kubernetes.md"), "\n    receivers:\n")
	receivers, _, _ = strings.Cut("    receivers:\n"+receivers, "\n\n")
	receivers = strings.ReplaceAll("\n"+receivers, "\n    ", "\n")[1:] + "\n"
	original := read("config/mimir/alertmanager.yaml")
	if !strings.HasPrefix(receivers, nobody) || !strings.Contains(original, nobody) {
		t.Fatalf("docs/kubernetes.md names another receiver than alertmanager.yaml:\n%s", receivers)
	}
	own := strings.Replace(original, nobody, receivers, 1)
	m := change(t, "overlays/production", with("alert-receiver"), map[string]string{"components/alert-receiver/alertmanager.yaml": own})
	mimir := m.workload(t, "mimir")
	for _, v := range mimir.pod.Spec.Volumes {
		if v.ConfigMap == nil || v.Name != "config" {
			continue
		}
		if data := m.configMaps[v.ConfigMap.Name]; data["alertmanager.yaml"] != own || data["mimir.yaml"] != read("config/mimir/mimir.yaml") {
			t.Errorf("Mimir reads another file than the overlay's: %v", data)
		}
	}
	for name, values := range m.secrets {
		if strings.HasPrefix(name, "shopmicro-") {
			values["ALERT_RECEIVER"] = nil
		}
	}
	m.checkReferences(t)
	m.checkRestriction(t)
	for i := range m.workloads {
		w := &m.workloads[i]
		if got := m.allows(t, networkingv1.PolicyTypeEgress, w, nil, w, 443); got != (w.name == "mimir" || w.name == "alloy") {
			t.Errorf("%s reaches the receiver: %v", w.name, got)
		}
	}
	container := m.container(t, "mimir")
	for _, file := range regexp.MustCompile(`url_file: (\S+)/secret`).FindAllStringSubmatch(own, -1) {
		if !slices.ContainsFunc(container.VolumeMounts, func(mount corev1.VolumeMount) bool { return mount.MountPath == file[1] }) {
			t.Errorf("nothing is at %s", file[1])
		}
	}
}

func (m *manifests) checkOtherDatabase(t report) {
	t.Helper()
	m.checkReferences(t)
	if service := m.services["postgres"]; m.has("postgres") || service.Spec.Type != corev1.ServiceTypeExternalName || len(service.Spec.Ports) != 0 {
		t.Errorf("there is a database in the cluster")
	}
	for i := range m.workloads {
		w := &m.workloads[i]
		want := w.name == "backend" || w.name == "backup" || w.name == "postgres-exporter"
		if got := m.allows(t, networkingv1.PolicyTypeEgress, w, nil, w, 5432); got != want {
			t.Errorf("%s reaches the database: %v", w.name, got)
		}
	}
}
