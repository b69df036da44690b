// Package k8s checks the Kubernetes manifests as kustomize renders them, without a cluster.
package k8s

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// workload is whatever makes pods, reduced to what the checks ask of it.
type workload struct {
	name     string
	serves   bool   // unlike what a CronJob makes
	replicas *int32 // nil where an autoscaler decides
	surge    *intstr.IntOrString
	minReady int32
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
	roles      map[string]*rbacv1.Role
	claims     map[string]*corev1.PersistentVolumeClaim
	ingresses  []*networkingv1.Ingress
	policies   []*networkingv1.NetworkPolicy
	budgets    []*policyv1.PodDisruptionBudget
	scalers    []*autoscalingv2.HorizontalPodAutoscaler
	bindings   []*rbacv1.RoleBinding
	// operated are objects of operators, whose types are theirs, by kind.
	operated map[string]map[string]any
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
	own, err := filepath.Glob(filepath.Join(dir, "k8s/overlays/production/*.env"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range own {
		os.Remove(file)
	}
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

// render builds an overlay and reads it.
func render(t *testing.T, overlay string) *manifests {
	t.Helper()
	dir := checkout(t)
	newSecrets(t, dir)
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

// parse reads each object into its type; a field that the type does not have is an error.
func parse(documents [][]byte) (*manifests, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme, corev1.AddToScheme,
		networkingv1.AddToScheme, policyv1.AddToScheme, rbacv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	m := &manifests{
		services: map[string]*corev1.Service{}, configMaps: map[string]map[string]string{},
		secrets: map[string]map[string][]byte{}, accounts: map[string]*corev1.ServiceAccount{},
		namespaces: map[string]*corev1.Namespace{}, roles: map[string]*rbacv1.Role{},
		claims: map[string]*corev1.PersistentVolumeClaim{}, operated: map[string]map[string]any{},
	}
	for _, document := range documents {
		var head metav1.TypeMeta
		if err := yaml.Unmarshal(document, &head); err != nil {
			return nil, err
		}
		if slices.Contains([]string{"postgresql.cnpg.io/v1", "external-secrets.io/v1"}, head.APIVersion) {
			var object map[string]any
			if err := yaml.Unmarshal(document, &object); err != nil {
				return nil, err
			}
			m.operated[head.Kind] = object["spec"].(map[string]any)
			continue
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("%w, in:\n%s", err, bytes.TrimSpace(document))
		}
		if err := m.add(object); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *manifests) add(object runtime.Object) error {
	switch o := object.(type) {
	case *corev1.Namespace:
		m.namespaces[o.Name] = o
		return nil
	case *corev1.Service:
		m.services[o.Name] = o
	case *corev1.ServiceAccount:
		m.accounts[o.Name] = o
	case *corev1.ConfigMap:
		m.configMaps[o.Name] = o.Data
	case *corev1.Secret:
		m.secrets[o.Name] = o.Data
	case *corev1.PersistentVolumeClaim:
		m.claims[o.Name] = o
	case *rbacv1.Role:
		m.roles[o.Name] = o
	case *rbacv1.RoleBinding:
		m.bindings = append(m.bindings, o)
	case *networkingv1.Ingress:
		m.ingresses = append(m.ingresses, o)
	case *networkingv1.NetworkPolicy:
		m.policies = append(m.policies, o)
	case *policyv1.PodDisruptionBudget:
		m.budgets = append(m.budgets, o)
	case *autoscalingv2.HorizontalPodAutoscaler:
		m.scalers = append(m.scalers, o)
	case *appsv1.Deployment:
		w := workload{
			name: o.Name, serves: true, replicas: o.Spec.Replicas, minReady: o.Spec.MinReadySeconds,
			selector: o.Spec.Selector, pod: o.Spec.Template,
		}
		if rolling := o.Spec.Strategy.RollingUpdate; rolling != nil {
			w.surge = rolling.MaxSurge
		}
		m.workloads = append(m.workloads, w)
	case *appsv1.StatefulSet:
		m.workloads = append(m.workloads, workload{
			name: o.Name, serves: true, replicas: o.Spec.Replicas, selector: o.Spec.Selector, pod: o.Spec.Template,
			claims: o.Spec.VolumeClaimTemplates, service: o.Spec.ServiceName,
		})
	case *batchv1.CronJob:
		m.workloads = append(m.workloads, workload{name: o.Name, pod: o.Spec.JobTemplate.Spec.Template})
	default:
		return fmt.Errorf("no check knows what to make of a %T", object)
	}
	meta := object.(metav1.Object)
	if meta.GetNamespace() != "shopmicro" {
		return fmt.Errorf("%T %s is in namespace %q", object, meta.GetName(), meta.GetNamespace())
	}
	return nil
}

// containers are all that the pod runs, those that only prepare it included.
func (w *workload) containers() []corev1.Container {
	return append(append([]corev1.Container{}, w.pod.Spec.InitContainers...), w.pod.Spec.Containers...)
}
