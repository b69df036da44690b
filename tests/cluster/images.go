package cluster

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// image is what a container starts from, made of this machine's files.
type image struct {
	config v1.Config
	// programs are files by their place in the image; each brings the libraries that it is linked to.
	programs map[string]string
	// trees are directories that are copied as they are, by their place in the image.
	trees map[string]string
	// texts are files by their place in the image.
	texts map[string]string
	// temporary directories, which anybody may write to.
	temporary []string
}

// push makes an image and gives it to the registry under the name by which manifests ask for it.
func (n *node) push(ctx context.Context, reference string, i image) error {
	layer, err := i.layer()
	if err != nil {
		return fmt.Errorf("%s: %w", reference, err)
	}
	made, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return err
	}
	file, err := made.ConfigFile()
	if err != nil {
		return err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", "amd64", i.config
	made, err = mutate.ConfigFile(made, file)
	if err != nil {
		return err
	}
	asked, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	// Whatever registry a name has, containerd asks ours for the rest of it.
	ours := fmt.Sprintf("%s/%s:%s", registryAddress, asked.Context().RepositoryStr(), asked.Identifier())
	target, err := name.ParseReference(ours, name.Insecure)
	if err != nil {
		return err
	}
	return remote.Write(target, made, remote.WithContext(ctx))
}

// layer is the whole root, all of it root's and of one time.
func (i image) layer() (v1.Layer, error) {
	var text bytes.Buffer
	w := layerWriter{tar: tar.NewWriter(&text), there: map[string]bool{}}
	for _, to := range sorted(i.programs) {
		from := i.programs[to]
		libraries, err := linked(from)
		if err != nil {
			return nil, err
		}
		if err := w.file(to, from); err != nil {
			return nil, err
		}
		for _, library := range libraries {
			if err := w.file(library, library); err != nil {
				return nil, err
			}
		}
	}
	for _, to := range sorted(i.trees) {
		if err := w.tree(to, i.trees[to]); err != nil {
			return nil, err
		}
	}
	for _, to := range sorted(i.texts) {
		if err := w.content(to, 0o755, []byte(i.texts[to])); err != nil {
			return nil, err
		}
	}
	for _, to := range i.temporary {
		if err := w.directory(to, 0o1777); err != nil {
			return nil, err
		}
	}
	if err := w.tar.Close(); err != nil {
		return nil, err
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text.Bytes())), nil }
	return tarball.LayerFromOpener(opener, tarball.WithCompressedCaching)
}

func sorted(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// layerWriter writes each path once, its directories before it.
type layerWriter struct {
	tar   *tar.Writer
	there map[string]bool
}

func (w *layerWriter) directory(path string, mode int64) error {
	if path == "/" || path == "." || w.there[path] {
		return nil
	}
	if err := w.directory(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	w.there[path] = true
	return w.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: path[1:] + "/", Mode: mode})
}

func (w *layerWriter) file(to, from string) error {
	if w.there[to] {
		return nil
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	return w.content(to, int64(info.Mode().Perm())|0o444, content)
}

func (w *layerWriter) content(to string, mode int64, content []byte) error {
	if err := w.directory(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	w.there[to] = true
	header := &tar.Header{Typeflag: tar.TypeReg, Name: to[1:], Mode: mode, Size: int64(len(content))}
	if err := w.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := w.tar.Write(content)
	return err
}

func (w *layerWriter) tree(to, from string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		// Links to files are followed; those to directories lead back into the tree.
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return w.file(filepath.Join(to, rest), path)
	})
}

var library = regexp.MustCompile(`(/\S+) \(0x`)

// linked are the libraries of a program, the loader among them; none for one that is linked statically, or a script.
func linked(program string) ([]string, error) {
	out, err := exec.Command("ldd", program).CombinedOutput()
	if err != nil {
		if strings.Contains(string(out), "not a dynamic executable") {
			return nil, nil
		}
		return nil, fmt.Errorf("ldd %s: %w: %s", program, err, out)
	}
	var libraries []string
	for _, found := range library.FindAllStringSubmatch(string(out), -1) {
		libraries = append(libraries, found[1])
	}
	return libraries, nil
}

// shop are our own images, laid out as nix/images.nix has them: a program, what it is linked to, a numeric user, no shell.
func shop(root, profile string) (map[string]image, error) {
	service := func(program string) image {
		return image{
			config:   v1.Config{User: "65532:65532", Entrypoint: []string{"/bin/" + program}, Cmd: []string{"serve"}},
			programs: map[string]string{"/bin/" + program: filepath.Join(root, "target", profile, program)},
		}
	}
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		return nil, err
	}
	return map[string]image{
		"shopmicro-backend:latest":    service("shopmicro-backend"),
		"shopmicro-ml-service:latest": service("shopmicro-ml-service"),
		"shopmicro-frontend:latest": {
			config: v1.Config{User: "65532:65532", StopSignal: "SIGQUIT", Entrypoint: []string{
				"/bin/nginx", "-p", "/tmp", "-c", "/etc/nginx/nginx.conf", "-e", "stderr", "-g", "daemon off; pid nginx.pid;",
			}},
			programs:  map[string]string{"/bin/nginx": nginx},
			trees:     map[string]string{"/etc/nginx": filepath.Join(root, "config/nginx"), "/usr/share/nginx/html": filepath.Join(root, "web/dist")},
			temporary: []string{"/tmp"},
		},
	}, nil
}

// others are stand-ins for the images of others, of Debian's packages and of what `build` makes: as much of each as the
// manifests rely on. Tempo and Grafana have none.
func (n *node) others(root string, versions map[string]string) (map[string]image, error) {
	var missing error
	find := func(program string) string {
		path, err := exec.LookPath(program)
		missing = errors.Join(missing, err)
		return path
	}
	single := func(to, from string) image {
		return image{config: v1.Config{Entrypoint: []string{to}}, programs: map[string]string{to: from}, temporary: []string{"/tmp"}}
	}
	entrypoint, err := os.ReadFile(filepath.Join(root, "tests/machines/postgres-entrypoint"))
	if err != nil {
		return nil, err
	}
	postgres := func(user string) image {
		i := image{
			config: v1.Config{
				User: user,
				// As the image has it: it shall end at once, not when the last client has left.
				StopSignal: "SIGINT",
				Entrypoint: []string{"/bin/postgres-entrypoint"},
				Env:        []string{"PATH=/usr/lib/postgresql/15/bin:/bin"},
			},
			programs: map[string]string{},
			trees: map[string]string{
				"/usr/lib/postgresql/15/lib": "/usr/lib/postgresql/15/lib",
				"/usr/share/postgresql/15":   "/usr/share/postgresql/15",
				"/usr/share/zoneinfo":        "/usr/share/zoneinfo",
			},
			texts: map[string]string{
				"/etc/passwd":              "postgres:x:" + user + ":" + user + "::/tmp:/bin/sh\n",
				"/bin/postgres-entrypoint": "#!/bin/bash\n" + string(entrypoint),
			},
			temporary: []string{"/tmp", "/var/run/postgresql"},
		}
		for _, program := range []string{"initdb", "pg_ctl", "pg_dump", "pg_isready", "pg_restore", "postgres", "psql"} {
			i.programs["/usr/lib/postgresql/15/bin/"+program] = "/usr/lib/postgresql/15/bin/" + program
		}
		for _, program := range []string{"bash", "cat", "chmod", "date", "env", "head", "ls", "mkdir", "mv", "printenv", "rm", "sh", "sleep", "sort", "sync", "tail"} {
			i.programs["/bin/"+program] = find(program)
		}
		return i
	}
	// 70 and 999 are the user `postgres` of the Alpine and of the Debian image.
	backup := postgres("999")
	backup.config.Entrypoint = nil
	redis := image{
		config:    v1.Config{User: "999:1000", Env: []string{"PATH=/bin"}},
		programs:  map[string]string{"/bin/redis-server": find("redis-server"), "/bin/redis-cli": find("redis-cli")},
		temporary: []string{"/tmp"},
	}
	byName := map[string]image{
		"postgres:15-alpine":   postgres("70"),
		"postgres:15-bookworm": backup,
		"redis:7-alpine":       redis,
		sandboxImage:           single("/pause", n.program("pause")),
	}
	for repository, i := range map[string]image{
		"grafana/alloy":                                 single("/bin/alloy", n.program("alloy")),
		"grafana/loki":                                  single("/usr/bin/loki", find("loki")),
		"grafana/mimir":                                 single("/bin/mimir", find("mimir")),
		"prom/prometheus":                               single("/bin/prometheus", n.program("prometheus")),
		"nginx/nginx-prometheus-exporter":               single("/usr/bin/nginx-prometheus-exporter", find("prometheus-nginx-exporter")),
		"oliver006/redis_exporter":                      single("/redis_exporter", find("prometheus-redis-exporter")),
		"quay.io/prometheuscommunity/postgres-exporter": single("/bin/postgres_exporter", find("prometheus-postgres-exporter")),
	} {
		version, asked := versions[repository]
		if !asked {
			return nil, fmt.Errorf("no manifest asks for %s", repository)
		}
		byName[repository+":"+version] = i
	}
	return byName, missing
}
