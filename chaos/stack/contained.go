package stack

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"

	"brownout/chaos/stack/docker"
)

// A contained server runs in a container. It is a part of the programs that do.
type contained struct {
	engine *docker.Engine
	spec   docker.Spec
	config Config
	name   string         // of the node
	ending syscall.Signal // ends it without waiting for its clients

	mu        sync.Mutex
	container *docker.Container // nil: it is to be created
}

// create makes the container, if there is none.
func (c *contained) create(ctx context.Context) (*docker.Container, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.container == nil {
		made, err := c.engine.Create(ctx, c.spec)
		if err != nil {
			return nil, err
		}
		c.container = made
	}
	return c.container, nil
}

// spawn starts the container again, with what is on its disk, or a new one.
func (c *contained) spawn(ctx context.Context) (*Process, error) {
	container, err := c.create(ctx)
	if err != nil {
		return nil, err
	}
	return c.config.Spawner.startBox(ctx, Command{
		Name: c.name, Log: filepath.Join(c.config.Logs, c.name+".log"),
		Base: c.config.Base, Record: c.config.Record,
	}, container)
}

func (c *contained) stop(ctx context.Context, p *Process) error { return p.Stop(ctx, c.ending) }

// remove removes the container and its disk.
func (c *contained) remove(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.container == nil {
		return nil
	}
	if err := c.container.Remove(ctx); err != nil {
		return fmt.Errorf("removing %s: %w", c.name, err)
	}
	c.container = nil
	return nil
}

// prepareContainers makes the containers, with all that is in them. It may take
// minutes when an image has to be pulled.
func (s *Stack) prepareContainers(ctx context.Context, c Config) error {
	for _, n := range s.Nodes {
		p, ok := n.program.(interface {
			fill(c Config, n *Node, f *folder) error
			create(context.Context) (*docker.Container, error)
		})
		if !ok {
			continue
		}
		if err := p.fill(c, n, s.folder); err != nil {
			return err
		}
		if _, err := p.create(ctx); err != nil {
			return err
		}
	}
	return nil
}

// occupy fills in what is the same for all.
func (c *contained) occupy(config Config, n *Node, f *folder) {
	c.config, c.name = config, n.Name
	c.spec.Run = filepath.Base(f.path)
	c.spec.Name, c.spec.Addr = c.spec.Run+"-"+n.Name, n.Addr
}
