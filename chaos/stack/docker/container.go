package docker

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// A Container is a container of an engine. Its methods are safe for concurrent use.
type Container struct {
	Image string // it was made of

	engine *Engine
	made   testcontainers.Container

	mu    sync.Mutex
	since string // when it ended before the last start, by the engine's clock; "": never
}

// ID is the engine's name for the container.
func (c *Container) ID() string { return c.made.GetContainerID() }

// Start starts what the container is for, for the first time or again. Its disk is
// as the last time left it. It returns when the process is there, which is before
// that is of any use.
func (c *Container) Start(ctx context.Context) error {
	s, err := c.made.State(ctx)
	if err != nil {
		return fmt.Errorf("starting the container: %w", err)
	}
	if s.StartedAt != never {
		c.mu.Lock()
		c.since = s.FinishedAt
		c.mu.Unlock()
	}
	if err := c.made.Start(ctx); err != nil {
		return fmt.Errorf("starting the container: %s", oneLine(err))
	}
	return nil
}

// never is how an engine writes a time that has not come.
const never = "0001-01-01T00:00:00Z"

// A State is what the engine says about a container.
type State struct {
	PID     int // on the machine that the engine runs on; 0: it does not run
	Running bool
	Paused  bool
}

// State asks for the container's state.
func (c *Container) State(ctx context.Context) (State, error) {
	s, err := c.made.State(ctx)
	if err != nil {
		return State{}, fmt.Errorf("asking for the state of the container: %w", err)
	}
	return State{PID: s.Pid, Running: s.Running, Paused: s.Paused}, nil
}

// Wait waits until the container does not run, and returns the exit status of its
// process: 128 and the signal's number, if one killed it.
func (c *Container) Wait(ctx context.Context) (status int64, err error) {
	wait := c.engine.client().ContainerWait(ctx, c.ID(), client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
	select {
	case r := <-wait.Result:
		return r.StatusCode, nil
	case err = <-wait.Error:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return 0, fmt.Errorf("waiting for the end of the container: %w", err)
}

// Signal sends a signal to the container's process: "SIGTERM". The engine lets a
// paused one go on, so that it hears of it. One that does not run is no error.
func (c *Container) Signal(ctx context.Context, signal string) error {
	_, err := c.engine.client().ContainerKill(ctx, c.ID(), client.ContainerKillOptions{Signal: signal})
	if err == nil || absent(err) {
		return nil
	}
	if s, serr := c.State(ctx); serr == nil && !s.Running {
		return nil
	}
	return fmt.Errorf("sending %s to the container: %w", signal, err)
}

// Pause freezes everything in the container, by the kernel's freezer.
func (c *Container) Pause(ctx context.Context) error {
	if _, err := c.engine.client().ContainerPause(ctx, c.ID(), client.ContainerPauseOptions{}); err != nil {
		return fmt.Errorf("pausing the container: %w", err)
	}
	return nil
}

// Unpause lets a frozen container go on. One that is not frozen goes on anyway.
func (c *Container) Unpause(ctx context.Context) error {
	_, err := c.engine.client().ContainerUnpause(ctx, c.ID(), client.ContainerUnpauseOptions{})
	if err == nil {
		return nil
	}
	if s, serr := c.State(ctx); serr == nil && s.Running && !s.Paused {
		return nil
	}
	return fmt.Errorf("continuing the container: %w", err)
}

// Logs returns what the container has written since it was last started, both streams
// in one.
func (c *Container) Logs(ctx context.Context) ([]byte, error) {
	c.mu.Lock()
	since := c.since // not the time of the start: who fails at once has written before it
	c.mu.Unlock()
	stream, err := c.engine.client().ContainerLogs(ctx, c.ID(), client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Since: since,
	})
	if err != nil {
		return nil, fmt.Errorf("reading the log of the container: %w", err)
	}
	defer stream.Close()
	var text bytes.Buffer
	if _, err := stdcopy.StdCopy(&text, &text, stream); err != nil {
		return text.Bytes(), fmt.Errorf("reading the log of the container: %w", err)
	}
	return text.Bytes(), nil
}

// Remove removes the container, whatever it is doing, and what it wrote. Removing it
// again does nothing.
func (c *Container) Remove(ctx context.Context) error {
	_ = c.Unpause(ctx) // some engines stop nobody who is paused
	// The library's way first: it lets the reaper go.
	if err := c.made.Terminate(ctx, testcontainers.StopTimeout(0)); err == nil {
		return nil
	}
	return c.engine.remove(ctx, c.ID())
}

// absent reports whether err says that the engine does not have a thing.
func absent(err error) bool { return errdefs.IsNotFound(err) }
