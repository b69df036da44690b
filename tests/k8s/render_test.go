// Package k8s checks the Kubernetes manifests as kustomize renders them, without a cluster.
package k8s

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// workload is a Deployment or a StatefulSet, reduced to what the checks ask of either.
type workload struct {
	name     string
	selector *metav1.LabelSelector
	pod      corev1.PodTemplateSpec
	claims   []corev1.PersistentVolumeClaim
	service  string
}

// manifests is one overlay as it would be applied.
type manifests struct {
	workloads  []workload
	services   map[string]*corev1.Service
	configMaps map[string]map[string]string
	secrets    map[string]map[string][]byte
	accounts   map[string]*corev1.ServiceAccount
	namespaces map[string]*corev1.Namespace
	ingresses  []*networkingv1.Ingress
	policies   []*networkingv1.NetworkPolicy
}

// checkout copies what kustomize reads, so that a test may write secrets beside it.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, part := range []string{"k8s", "config"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(filepath.Join("..", "..", part))); err != nil {
			t.Fatal(err)
		}
	}
	// The developer's own secrets stay out of the tests.
	os.Remove(filepath.Join(dir, "k8s/overlays/production/secrets.env"))
	return dir
}

func newSecrets(t *testing.T, dir string) {
	t.Helper()
	if out, err := exec.Command(filepath.Join(dir, "k8s/overlays/production/new-secrets")).CombinedOutput(); err != nil {
		t.Fatalf("new-secrets: %v: %s", err, out)
	}
}

func build(dir, overlay string) ([][]byte, error) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).
		Run(filesys.MakeFsOnDisk(), filepath.Join(dir, "k8s", overlay))
	if err != nil {
		return nil, err
	}
	var documents [][]byte
	for _, resource := range resources.Resources() {
		document, err := resource.AsYAML()
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
	return documents, nil
}

// render builds an overlay and reads each object into its type; a field that the type does not have is an error.
func render(t *testing.T, overlay string) *manifests {
	t.Helper()
	dir := checkout(t)
	newSecrets(t, dir)
	documents, err := build(dir, overlay)
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, networkingv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	m := &manifests{
		services: map[string]*corev1.Service{}, configMaps: map[string]map[string]string{},
		secrets: map[string]map[string][]byte{}, accounts: map[string]*corev1.ServiceAccount{},
		namespaces: map[string]*corev1.Namespace{},
	}
	for _, document := range documents {
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v, in:\n%s", err, bytes.TrimSpace(document))
		}
		m.add(t, object)
	}
	return m
}

func (m *manifests) add(t *testing.T, object runtime.Object) {
	t.Helper()
	switch o := object.(type) {
	case *corev1.Namespace:
		m.namespaces[o.Name] = o
		return
	case *corev1.Service:
		m.services[o.Name] = o
	case *corev1.ServiceAccount:
		m.accounts[o.Name] = o
	case *corev1.ConfigMap:
		m.configMaps[o.Name] = o.Data
	case *corev1.Secret:
		m.secrets[o.Name] = o.Data
	case *networkingv1.Ingress:
		m.ingresses = append(m.ingresses, o)
	case *networkingv1.NetworkPolicy:
		m.policies = append(m.policies, o)
	case *appsv1.Deployment:
		m.workloads = append(m.workloads, workload{o.Name, o.Spec.Selector, o.Spec.Template, nil, ""})
	case *appsv1.StatefulSet:
		m.workloads = append(m.workloads, workload{o.Name, o.Spec.Selector, o.Spec.Template, o.Spec.VolumeClaimTemplates, o.Spec.ServiceName})
	default:
		t.Fatalf("no check knows what to make of a %T", object)
	}
	if namespace := object.(metav1.Object).GetNamespace(); namespace != "shopmicro" {
		t.Errorf("%T %s is in namespace %q", object, object.(metav1.Object).GetName(), namespace)
	}
}

// containers are all that the pod runs, those that only prepare it included.
func (w *workload) containers() []corev1.Container {
	return append(append([]corev1.Container{}, w.pod.Spec.InitContainers...), w.pod.Spec.Containers...)
}
