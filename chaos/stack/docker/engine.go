// Package docker runs servers in containers of a Docker engine on this machine,
// through testcontainers-go.
//
// The one idea: a container is a process with a wall around it. It is started,
// signalled, paused and waited for like one, its port is published at one address
// of 127.0.0.1 that stays its own, and what it wrote to its disk is there when it is
// started again.
//
// testcontainers-go finds the engine, pulls the image, creates the container, copies
// files into it and removes it. What it does not wrap (signals, pauses, waiting for
// the end) is asked of the engine by its client.
//
// Nothing is left behind, by two ways. The reaper of testcontainers-go (Ryuk, a
// container of its own) removes the containers of a program that was killed, ten
// seconds later. Where it is switched off (TESTCONTAINERS_RYUK_DISABLED=true), or an
// engine was away at that moment, containers carry the label of their run, and
// RemoveRun removes them by it.
//
// Not done here: what runs in a container and when it is ready (see chaos/stack),
// networks of containers, and engines on other machines.
package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/log"
)

// openTimeout bounds the search for an engine. One that is well answers in
// milliseconds.
const openTimeout = 10 * time.Second

// An Engine is a Docker engine, or one that speaks its protocol, on this machine. Its
// methods are safe for concurrent use.
type Engine struct {
	Version string // "28.2.2"

	provider *testcontainers.DockerProvider
}

// Open finds the engine: that of DOCKER_HOST, of the current context of docker, or at
// the usual sockets (see testcontainers-go, "Docker host detection"). It is an error
// when none answers. What was found, or not, stays so for the life of the program.
func Open(ctx context.Context) (*Engine, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	type found struct {
		engine *Engine
		err    error
	}
	// The library hears of no context here. A search that nobody waits for any more
	// ends when the engine answers.
	answer := make(chan found, 1)
	go func() {
		e, err := search(ctx)
		answer <- found{e, err}
	}()
	select {
	case f := <-answer:
		return f.engine, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("asking for a Docker engine: %w", context.Cause(ctx))
	}
}

// quieten keeps the library from writing to standard error. The logger is its own
// global variable.
var quieten = sync.OnceFunc(func() { log.SetDefault(log.NewNoopLogger()) })

func search(ctx context.Context) (e *Engine, err error) {
	defer func() { // for settings that it cannot read
		if r := recover(); r != nil {
			err = fmt.Errorf("asking for a Docker engine: %v", r)
		}
	}()
	quieten()
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(log.NewNoopLogger()))
	if err != nil {
		return nil, fmt.Errorf("no Docker engine answers: %s", oneLine(err))
	}
	e = &Engine{provider: provider}
	if err := onThisMachine(e.client().DaemonHost()); err != nil {
		return nil, err
	}
	about, err := e.client().ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return nil, fmt.Errorf("no Docker engine answers: %s", oneLine(err))
	}
	e.Version = about.Version
	return e, nil
}

// oneLine is the text of an error of the library, which may have several lines.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' }), "; ")
}

// onThisMachine is nil when ports that the engine publishes on 127.0.0.1 are ours.
func onThisMachine(host string) error {
	u, err := url.Parse(host)
	if err != nil {
		return fmt.Errorf("reading the address of the Docker engine: %w", err)
	}
	if u.Scheme == "unix" || u.Scheme == "npipe" || u.Hostname() == "localhost" {
		return nil
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("the Docker engine at %s is on another machine; want one whose 127.0.0.1 is ours", host)
}

func (e *Engine) client() client.APIClient { return e.provider.Client() }

// Has reports whether the engine has an image, so that none will be pulled.
func (e *Engine) Has(ctx context.Context, image string) (bool, error) {
	_, err := e.client().ImageInspect(ctx, image)
	if absent(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking for the image %s: %w", image, err)
	}
	return true, nil
}

// runLabel is the label of a container with its run.
const runLabel = "brownout.run"

// OfRun lists the ids of a run's containers, whatever they are doing.
func (e *Engine) OfRun(ctx context.Context, run string) ([]string, error) {
	list, err := e.client().ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("label", runLabel+"="+run),
	})
	if err != nil {
		return nil, fmt.Errorf("listing the containers of %s: %w", run, err)
	}
	var ids []string
	for _, c := range list.Items {
		ids = append(ids, c.ID)
	}
	return ids, nil
}

// RemoveRun removes all containers of a run, and their volumes.
func (e *Engine) RemoveRun(ctx context.Context, run string) error {
	ids, err := e.OfRun(ctx, run)
	errs := []error{err}
	for _, id := range ids {
		errs = append(errs, e.remove(ctx, id))
	}
	return errors.Join(errs...)
}

func (e *Engine) remove(ctx context.Context, id string) error {
	_, err := e.client().ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !absent(err) {
		return fmt.Errorf("removing the container %.12s: %w", id, err)
	}
	return nil
}

// Close gives the connections to the engine back.
func (e *Engine) Close() error { return e.provider.Close() }
