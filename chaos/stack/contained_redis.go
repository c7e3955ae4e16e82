package stack

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"brownout/chaos/stack/docker"
)

// Where a Redis finds its settings and its disk in a container. The official images
// have the second.
const (
	boxedSettings = "/etc/brownout/"
	boxedData     = "/data"
	boxedRedis    = "6379"
)

// A boxedRedisServer runs a Redis or Valkey in a container.
type boxedRedisServer struct{ contained }

func newBoxedRedis(engine *docker.Engine, s Server) *boxedRedisServer {
	return &boxedRedisServer{contained{
		engine: engine, ending: syscall.SIGTERM,
		spec: docker.Spec{Image: s.Image, Port: 6379, Cmd: []string{programs(s.Kind)[0], boxedSettings + redisConf}},
	}}
}

// fill says what is in the container: settings, and certificates if it speaks TLS.
func (r *boxedRedisServer) fill(c Config, n *Node, f *folder) error {
	r.occupy(c, n, f)
	n.open(c)
	text := strings.Join(boxedLines(c, n), "\n") + "\n"
	r.spec.Files = []docker.File{{Path: boxedSettings + redisConf, Data: []byte(text)}}
	if c.TLS == nil {
		return nil
	}
	dir := filepath.Join(f.path, n.Name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := certify(c.TLS, dir, n.Link, nil); err != nil {
		return err
	}
	for _, name := range []string{certFile, keyFile, caFile} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		r.spec.Files = append(r.spec.Files, docker.File{Path: boxedSettings + name, Data: data})
	}
	return nil
}

// boxedLines are the settings of a server in a container: those of any other, and
// after them, where they win, what is different behind the wall. The port is
// published on 127.0.0.1 only.
func boxedLines(c Config, n *Node) []string {
	lines := append(redisLines(c, n), "dir "+boxedData, "bind 0.0.0.0")
	if c.TLS == nil {
		return append(lines, "port "+boxedRedis)
	}
	return append(lines, "tls-port "+boxedRedis, "tls-cert-file "+boxedSettings+certFile,
		"tls-key-file "+boxedSettings+keyFile, "tls-ca-cert-file "+boxedSettings+caFile)
}

func (r *boxedRedisServer) ask(ctx context.Context, n *Node) (identity, error) {
	return askRedis(ctx, n.admin)
}

func (r *boxedRedisServer) save(ctx context.Context, n *Node) error {
	_, err := n.admin.Do(ctx, "SAVE")
	return err
}

// erase gives up the container; the next one is created empty.
func (r *boxedRedisServer) erase() error {
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	return r.remove(ctx)
}
