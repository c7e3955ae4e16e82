package stack

import (
	"context"
	"errors"
	"fmt"

	"brownout/chaos/stack/docker"
)

// Image is what a server of this kind is run from in a container: an image of Docker
// Hub that its project, or Docker for it, publishes. Empty: unknown kind.
func Image(kind string) string {
	switch kind {
	case Redis:
		return "redis:7.2.7"
	case Valkey:
		return "valkey/valkey:8.1.4"
	case Postgres:
		return "postgres:17.4"
	}
	return ""
}

// A NoEngineError says that a server can neither be run from a binary nor in a
// container.
type NoEngineError struct {
	Local  error // why not from a binary; nil: none was wanted
	Docker error // why not in a container
}

func (e *NoEngineError) Error() string {
	if e.Local == nil {
		return e.Docker.Error()
	}
	return fmt.Sprintf("%v; nor in a container: %v", e.Local, e.Docker)
}

// Unwrap gives both reasons.
func (e *NoEngineError) Unwrap() []error { return []error{e.Local, e.Docker} }

// find finds what a server for kind is run from: a binary of this machine, or else an
// image, when a Docker engine answers.
func (s *Stack) find(ctx context.Context, c Config, kind string) (Server, error) {
	var local error
	if c.Provider != Docker {
		server, err := findLocal(ctx, kind)
		if err == nil || c.Provider == Local || !isMissing(err) {
			return server, err
		}
		local = err
	}
	if s.engine == nil {
		engine, err := docker.Open(ctx)
		if err != nil {
			return Server{}, &NoEngineError{local, err}
		}
		s.engine = engine
	}
	return Server{Kind: kind, Image: Image(kind)}, nil
}

func isMissing(err error) bool {
	var missing *MissingError
	return errors.As(err, &missing) || errors.Is(err, errNeedsLinux)
}

// contains is nil when the cache that c asks for can run in a container.
func contains(c Config) error {
	if c.several() {
		return fmt.Errorf("cache: topology %s cannot run in containers; want redis or valkey there, or servers of this machine ('make servers')", c.Cache)
	}
	return nil
}
