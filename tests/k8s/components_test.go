package k8s

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
)

var component = regexp.MustCompile(`(?m)^  - \.\./\.\./components/(.+)\n`)

// change renders an overlay whose kustomization is another one.
func change(t *testing.T, overlay string, edit func(string) string) *manifests {
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
				if found[1] == "observability" && m.has("loki") || found[1] == "backup" && m.has("backup") {
					t.Error("it is still there")
				}
			})
		}
	}
}

func TestTheDatabaseMayBeElsewhere(t *testing.T) {
	m := change(t, "overlays/production", func(text string) string {
		return strings.Replace(text, "images:", "  - ../../components/external-database\nimages:", 1)
	})
	m.checkReferences(t)
	if service := m.services["postgres"]; m.has("postgres") || service.Spec.Type != corev1.ServiceTypeExternalName || len(service.Spec.Ports) != 0 {
		t.Error("there is a database in the cluster")
	}
	for i := range m.workloads {
		w := &m.workloads[i]
		want := w.name == "backend" || w.name == "backup" || w.name == "postgres-exporter"
		if got := m.allows(t, networkingv1.PolicyTypeEgress, w, nil, w, 5432); got != want {
			t.Errorf("%s reaches the database: %v", w.name, got)
		}
	}
}
