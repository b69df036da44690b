package cluster

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// objectStorage lets Loki and Mimir keep their data in a server that speaks S3, outside of the cluster.
func objectStorage(t *testing.T) {
	storage := s3mem.New()
	buckets := map[string]string{"loki": "shopmicro-logs", "mimir": "shopmicro-metrics", "tempo": "shopmicro-traces"}
	for _, bucket := range buckets {
		if err := storage.CreateBucket(bucket); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", nodeAddress+":0")
	if err != nil {
		t.Fatal(err)
	}
	quiet := gofakes3.WithLogger(gofakes3.StdLog(log.New(io.Discard, "", 0)))
	server := http.Server{Handler: gofakes3.New(storage, quiet).Server(), ReadHeaderTimeout: client.Timeout}
	go server.Serve(listener)
	defer server.Close()

	const components = "  - ../../components/observability\n"
	change(t, components, components+"  - ../../components/object-storage\n", false)
	endpoint := `patches:
  - target:
      kind: ConfigMap
      name: object-storage
    patch: |-
      - op: replace
        path: /data/S3_ENDPOINT
        value: ` + listener.Addr().String() + `
      - op: add
        path: /data/S3_INSECURE
        value: "true"
`
	change(t, "patches:\n", endpoint, true)
	rollOut(t, "statefulset/loki", "statefulset/mimir")

	// Both write what is whole now and then, and at once when they are asked to.
	loki, mimir := serviceURL(t, "loki"), serviceURL(t, "mimir")
	if err := newCustomer(t).buy(); err != nil {
		t.Fatal(err)
	}
	for name, flush := range map[string]string{"loki": loki + "/flush", "mimir": mimir + "/ingester/flush?wait=true"} {
		eventually(t, 2*minutes, name+" in object storage", func() error {
			answer, err := client.Post(flush, "", nil)
			if err != nil {
				return err
			}
			answer.Body.Close()
			list, err := storage.ListBucket(buckets[name], &gofakes3.Prefix{}, gofakes3.ListBucketPage{})
			if err != nil {
				return err
			}
			for _, object := range list.Contents {
				// Of Loki's chunks and index, and of Mimir's blocks; not what they keep there of themselves.
				if strings.HasPrefix(object.Key, "fake/") || strings.HasSuffix(object.Key, "/index") {
					t.Logf("%s keeps %d objects, such as %s", name, len(list.Contents), object.Key)
					return nil
				}
			}
			return fmt.Errorf("none of %d objects is one of its data", len(list.Contents))
		})
	}
	// What lies there is read from there.
	kubectl(t, "delete", "pod", "loki-0")
	rollOut(t, "statefulset/loki")
	eventually(t, minutes, "lines from object storage", func() error {
		answer, err := ask(loki+"/loki/api/v1/query_range", url.Values{"query": {`{service="shopmicro-backend"}`}, "since": {"1h"}, "limit": {"1"}})
		if err == nil && len(answer.Data.Result) == 0 {
			err = fmt.Errorf("none")
		}
		return err
	})

	change(t, components+"  - ../../components/object-storage\n", components, false)
	change(t, endpoint, "patches:\n", true)
	rollOut(t, "statefulset/loki", "statefulset/mimir")
}
