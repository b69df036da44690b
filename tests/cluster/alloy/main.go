// A stand-in for Alloy, which cannot be built from its module: of config/alloy it does what pods.alloy says. As that, it finds
// the pods and reads their output by the API of Kubernetes, with the rights of Alloy's ServiceAccount, and pushes lines to
// Loki under the same labels. Traces it takes and drops.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	poll = time.Second
	// maxBatch bounds the lines of one push, and maxWaiting those that wait for one: who writes more is read more slowly.
	maxBatch   = 1000
	maxWaiting = 10_000
	deadline   = 10 * time.Second
)

// line is one of a container's output, with the labels of its stream.
type line struct {
	service, level string
	at             time.Time
	text           string
}

func main() {
	ctx := context.Background()
	config, err := rest.InClusterConfig()
	if err == nil {
		var client *kubernetes.Clientset
		if client, err = kubernetes.NewForConfig(config); err == nil {
			lines := make(chan line, maxWaiting)
			go serve(variable("ALLOY_OTLP_ADDRESS", "127.0.0.1:4318"))
			go serve("0.0.0.0:12345")
			go push(lines)
			err = follow(ctx, client, lines)
		}
	}
	slog.Error("alloy stops", "error", err)
	os.Exit(1)
}

func variable(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// serve answers probes, and whoever sends traces.
func serve(address string) {
	server := http.Server{Addr: address, ReadTimeout: deadline, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 8<<20))
	})}
	slog.Error("the server ends", "error", server.ListenAndServe())
	os.Exit(1)
}

// follow reads each container of each pod from its first line on.
func follow(ctx context.Context, client *kubernetes.Clientset, lines chan<- line) error {
	pods := client.CoreV1().Pods(variable("ALLOY_NAMESPACE", "shopmicro"))
	followed := map[string]bool{}
	for {
		listing, cancel := context.WithTimeout(ctx, deadline)
		list, err := pods.List(listing, metav1.ListOptions{})
		cancel()
		if err != nil {
			return err
		}
		for _, pod := range list.Items {
			for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
				// A restarted container has another id.
				if status.ContainerID == "" || followed[status.ContainerID] {
					continue
				}
				followed[status.ContainerID] = true
				options := &corev1.PodLogOptions{Container: status.Name, Follow: true, Timestamps: true}
				service := "shopmicro-" + pod.Labels["app.kubernetes.io/name"]
				go read(ctx, func() (io.ReadCloser, error) { return pods.GetLogs(pod.Name, options).Stream(ctx) }, service, lines)
			}
		}
		time.Sleep(poll)
	}
}

func read(ctx context.Context, open func() (io.ReadCloser, error), service string, lines chan<- line) {
	stream, err := open()
	if err != nil {
		slog.Warn("a log cannot be read", "service", service, "error", err)
		return
	}
	defer stream.Close()
	scanner := bufio.NewScanner(stream)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		stamp, text, _ := strings.Cut(scanner.Text(), " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			continue
		}
		var fields struct{ Level string }
		// What is no JSON has no level.
		_ = json.Unmarshal([]byte(text), &fields)
		lines <- line{service, strings.ToLower(fields.Level), at, text}
	}
}

// push sends what has come since the last time, until Loki has it.
func push(lines <-chan line) {
	client := http.Client{Timeout: deadline}
	for first := range lines {
		batch := []line{first}
		for len(batch) < maxBatch && len(lines) > 0 {
			batch = append(batch, <-lines)
		}
		for {
			err := send(&client, batch)
			if err == nil {
				break
			}
			slog.Warn("lines are not taken", "error", err)
			time.Sleep(poll)
		}
		time.Sleep(poll / 4)
	}
}

func send(client *http.Client, batch []line) error {
	type stream struct {
		Labels map[string]string `json:"stream"`
		Values [][2]string       `json:"values"`
	}
	streams := map[string]*stream{}
	for _, l := range batch {
		key := l.service + " " + l.level
		if streams[key] == nil {
			labels := map[string]string{"service": l.service, "env": variable("ALLOY_ENVIRONMENT", "production")}
			if l.level != "" {
				labels["level"] = l.level
			}
			streams[key] = &stream{Labels: labels}
		}
		streams[key].Values = append(streams[key].Values, [2]string{strconv.FormatInt(l.at.UnixNano(), 10), l.text})
	}
	var body struct {
		Streams []*stream `json:"streams"`
	}
	for _, s := range streams {
		body.Streams = append(body.Streams, s)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := client.Post(variable("LOKI_URL", "http://loki:3100")+"/loki/api/v1/push", "application/json", bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	// Lines that Loki refuses, such as those of another age, it would refuse again.
	if answer.StatusCode >= 500 {
		return fmt.Errorf("loki answers %s", answer.Status)
	}
	return nil
}
