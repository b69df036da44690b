package k8s

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// scraping is what a file of Prometheus says; what the tests do not know by name is compared as it stands.
type scraping struct {
	Global  any `json:"global"`
	Write   any `json:"remote_write"`
	Scrapes []struct {
		Job         string `json:"job_name"`
		SampleLimit int    `json:"sample_limit"`
		LabelLimit  int    `json:"label_limit"`
		DNS         []struct {
			Names []string `json:"names"`
			Port  int      `json:"port"`
		} `json:"dns_sd_configs"`
		Static []target `json:"static_configs"`
	} `json:"scrape_configs"`
}

type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// jobs are the addresses that are asked, by job.
func (s scraping) jobs() map[string]string {
	jobs := map[string]string{}
	for _, scrape := range s.Scrapes {
		for _, dns := range scrape.DNS {
			jobs[scrape.Job] = fmt.Sprintf("%s:%d", dns.Names[0], dns.Port)
		}
		for _, static := range scrape.Static {
			jobs[static.Labels["job"]] = static.Targets[0]
		}
	}
	return jobs
}

func prometheusTargets(t report, text string) map[string]string {
	t.Helper()
	var s scraping
	if err := yaml.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("prometheus.yml: %v", err)
	}
	return s.jobs()
}

func TestPrometheusAsksTheSameJobsEverywhere(t *testing.T) {
	var ours, theirs scraping
	var targets []target
	read(t, "config/prometheus/kubernetes.yml", func(text []byte) error { return yaml.Unmarshal(text, &ours) })
	read(t, "config/prometheus/prometheus.yml", func(text []byte) error { return yaml.Unmarshal(text, &theirs) })
	read(t, "config/prometheus/targets.yml", func(text []byte) error { return yaml.Unmarshal(text, &targets) })
	if !reflect.DeepEqual(ours.Global, theirs.Global) || !reflect.DeepEqual(ours.Write, theirs.Write) {
		t.Error("kubernetes.yml and prometheus.yml differ in more than whom they ask")
	}
	for _, scrape := range ours.Scrapes {
		if scrape.SampleLimit != theirs.Scrapes[0].SampleLimit || scrape.LabelLimit != theirs.Scrapes[0].LabelLimit {
			t.Errorf("%s has other limits than prometheus.yml", scrape.Job)
		}
	}
	jobs := ours.jobs()
	if len(jobs) != len(targets) {
		t.Errorf("%d jobs, where targets.yml has %d", len(jobs), len(targets))
	}
	for _, want := range targets {
		// Pods have a Service of their own, whose name begins alike.
		job := want.Labels["job"]
		if got := strings.Replace(jobs[job], "-pods:", ":", 1); got != want.Targets[0] {
			t.Errorf("%s is asked at %q, where targets.yml has %q", job, got, want.Targets[0])
		}
	}
}

func TestPrometheusFindsPodsThatAreNotReady(t *testing.T) { each(t, (*manifests).checkDiscovery) }

// What is asked pod by pod has a Service for that alone, which names all pods: whoever is not ready would be gone rather than
// down, and alerts blind to it. Customers are sent by another Service, to those that are ready.
func (m *manifests) checkDiscovery(t report) {
	for _, data := range m.configMaps {
		var s scraping
		if err := yaml.Unmarshal([]byte(data["prometheus.yml"]), &s); err != nil {
			t.Fatalf("prometheus.yml: %v", err)
		}
		for _, scrape := range s.Scrapes {
			for _, dns := range scrape.DNS {
				service := m.services[dns.Names[0]]
				if service == nil || service.Spec.ClusterIP != "None" || !service.Spec.PublishNotReadyAddresses {
					t.Errorf("%s: Service %s does not name every pod", scrape.Job, dns.Names[0])
				}
			}
		}
	}
	for name, service := range m.services {
		if service.Spec.PublishNotReadyAddresses && service.Spec.ClusterIP != "None" {
			t.Errorf("Service %s sends customers to pods that are not ready", name)
		}
	}
}
