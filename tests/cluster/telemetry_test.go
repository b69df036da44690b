package cluster

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// telemetry finds a line of each container's output in Loki, and each job's targets in Mimir.
func telemetry(t *testing.T) {
	var list corev1.PodList
	if err := json.Unmarshal([]byte(kubectl(t, "get", "pods", "--output=json")), &list); err != nil {
		t.Fatal(err)
	}
	loki, mimir := serviceURL(t, "loki"), serviceURL(t, "mimir")
	seen := map[string]int{}
	for _, pod := range list.Items {
		service := pod.Labels["app.kubernetes.io/name"]
		for _, status := range pod.Status.ContainerStatuses {
			if !status.Ready {
				continue
			}
			lines := strings.Split(strings.TrimSpace(kubectl(t, "logs", pod.Name, "--container="+status.Name)), "\n")
			// Some say nothing while all is well.
			if lines[0] == "" {
				continue
			}
			line := lines[len(lines)/2]
			query := fmt.Sprintf("{service=%q} |= %q", "shopmicro-"+service, line[:min(len(line), 400)])
			eventually(t, minutes, "a line of "+pod.Name+" in Loki", func() error {
				answer, err := ask(loki+"/loki/api/v1/query_range", url.Values{"query": {query}, "since": {"1h"}, "limit": {"1"}})
				if err == nil && len(answer.Data.Result) == 0 {
					err = fmt.Errorf("none for %s", query)
				}
				return err
			})
			seen[service]++
		}
	}
	for _, service := range []string{"backend", "ml-service", "frontend", "postgres", "redis"} {
		if want := len(pods(t, service)); seen[service] < want {
			t.Errorf("%d of %d pods of %s wrote a line", seen[service], want, service)
		}
	}
	targets := map[string]string{}
	for _, job := range []string{"postgres", "redis", "loki", "mimir", "prometheus", "alloy"} {
		targets[job] = fmt.Sprintf("count(up{job=%q} == 1) == 1", job)
	}
	// Each pod of what has replicas is a target of its own. Pods of before linger in answers for five minutes.
	for job, workload := range map[string]string{"backend": "backend", "ml-service": "ml-service", "nginx": "frontend"} {
		var instances []string
		for _, pod := range pods(t, workload) {
			instances = append(instances, regexp.QuoteMeta(pod.Status.PodIP)+":[0-9]+")
		}
		targets[job] = fmt.Sprintf("count(up{job=%q, instance=~%q} == 1) == %d", job, strings.Join(instances, "|"), len(instances))
	}
	for job, query := range targets {
		eventually(t, 2*minutes, job+" in Mimir", func() error {
			answer, err := ask(mimir+"/prometheus/api/v1/query", url.Values{"query": {query}})
			if err == nil && len(answer.Data.Result) == 0 {
				err = fmt.Errorf("not so: %s", query)
			}
			return err
		})
	}
	// The exporters reach whom they ask, with the passwords that they have.
	for _, metric := range []string{"pg_up", "redis_up", "nginx_up"} {
		eventually(t, minutes, metric, func() error {
			answer, err := ask(mimir+"/prometheus/api/v1/query", url.Values{"query": {"min(" + metric + ")"}})
			if err == nil && answer.value() != "1" {
				err = fmt.Errorf("it is %s", answer.value())
			}
			return err
		})
	}
}

// result is an answer of Loki or of Mimir, which speak alike.
type result struct {
	Data struct {
		Result []struct {
			Value [2]any `json:"value"`
		} `json:"result"`
	} `json:"data"`
}

// value is that of the one sample that is there.
func (r result) value() string {
	if len(r.Data.Result) != 1 {
		return "nothing"
	}
	return fmt.Sprint(r.Data.Result[0].Value[1])
}

// client gives up before a test does.
var client = http.Client{Timeout: 20 * time.Second}

func ask(address string, query url.Values) (result, error) {
	var parsed result
	answer, err := client.Get(address + "?" + query.Encode())
	if err != nil {
		return parsed, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return parsed, err
	}
	if answer.StatusCode != http.StatusOK {
		return parsed, fmt.Errorf("%s: %s", answer.Status, text)
	}
	return parsed, json.Unmarshal(text, &parsed)
}
