package docker

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
)

// A Spec says what a container is made of.
type Spec struct {
	Run   string            // required: what RemoveRun knows it by
	Name  string            // required: of the container; no other on the engine has it
	Image string            // required: with its tag, "redis:7.4.2"
	Cmd   []string          // default: the image's
	Env   map[string]string // beside the image's
	Files []File
	Port  int    // required: where the server listens in the container
	Addr  string // required: host:port of this machine at which that is published
}

// A File is put into a container before it is started. Everybody in there may read
// it: who the server runs as is the image's to say.
type File struct {
	Path string // absolute, in the container
	Data []byte
}

// fileMode is that of a File.
const fileMode = 0o644

func (s Spec) request() (testcontainers.ContainerRequest, error) {
	addr, err := netip.ParseAddrPort(s.Addr)
	if err != nil {
		return testcontainers.ContainerRequest{}, err
	}
	inside, err := network.ParsePort(strconv.Itoa(s.Port) + "/tcp")
	if err != nil {
		return testcontainers.ContainerRequest{}, err
	}
	r := testcontainers.ContainerRequest{
		Name: s.Name, Image: s.Image, Cmd: s.Cmd, Env: s.Env,
		Labels:       map[string]string{runLabel: s.Run},
		ExposedPorts: []string{inside.String()},
		// A fixed port, and one address only: the library by itself publishes a port of
		// the engine's choice, at every address of the machine, anew at each start.
		HostConfigModifier: func(h *container.HostConfig) {
			h.PortBindings = network.PortMap{inside: {{HostIP: addr.Addr(), HostPort: strconv.Itoa(int(addr.Port()))}}}
		},
	}
	for _, f := range s.Files {
		r.Files = append(r.Files, testcontainers.ContainerFile{
			Reader: bytes.NewReader(f.Data), ContainerFilePath: f.Path, FileMode: fileMode,
		})
	}
	return r, nil
}

// Create makes a container and starts nothing in it. An image that the engine does
// not have is pulled first, which may take minutes.
func (e *Engine) Create(ctx context.Context, s Spec) (*Container, error) {
	request, err := s.request()
	if err != nil {
		return nil, fmt.Errorf("creating the container %s: %w", s.Name, err)
	}
	made, err := e.provider.CreateContainer(ctx, request)
	c := &Container{Image: s.Image, engine: e, made: made}
	if err == nil {
		return c, nil
	}
	if made != nil { // half a container
		_ = c.Remove(context.WithoutCancel(ctx))
	}
	return nil, fmt.Errorf("creating the container %s of %s: %s", s.Name, s.Image, oneLine(err))
}
