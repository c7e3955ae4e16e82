// Package stack starts the processes that a run needs, and sees to it that nothing
// of them is ever left behind: no process, no folder, no shared memory.
//
// The one idea: every child is spawned from one thread that lives as long as any
// child (see Spawner), so that the kernel kills the children when the harness dies,
// by SIGKILL too. What a kernel does not clean up is recorded in a run folder whose
// lock is held while its owner lives; the next run sweeps the folders whose lock is
// free (see Sweep).
//
// Servers come from a URL that the user gave (provider external) or from binaries
// on this machine (provider local, on Linux). The package downloads nothing:
// fetch-servers.sh beside it does. It puts no link in front of a server and
// injects no fault; see chaos/link.
package stack

import (
	"context"
	"errors"
	"time"

	"brownout/results"

	"golang.org/x/sync/errgroup"
)

// startTimeout guards against a server that never answers. A healthy one takes
// milliseconds, PostgreSQL without a template half a second.
const startTimeout = 60 * time.Second

// closeTimeout bounds the cleaning up after a start that failed.
const closeTimeout = 5 * time.Second

// A Stack is what Start brought up.
type Stack struct {
	Cache    *Node // nil: none
	Database *Node // nil: none

	folder  *folder  // nil: nothing local
	spawner *Spawner // nil: the caller's
}

// Start brings up cache and database at the same time and returns when both
// answer. When one of them fails, everything is taken down again and no Stack is
// returned. A server that is not there is a *MissingError.
func Start(ctx context.Context, c Config) (*Stack, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	s := &Stack{}
	if c.Spawner == nil {
		s.spawner = NewSpawner()
		c.Spawner = s.spawner
	}
	err := s.start(ctx, c)
	if err == nil {
		return s, nil
	}
	cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	return nil, errors.Join(err, s.Close(cctx))
}

func (s *Stack) start(ctx context.Context, c Config) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	localCache := c.Cache != None && c.CacheURL == ""
	localDatabase := c.Database != None && c.DatabaseURL == ""
	if localCache || localDatabase {
		var err error
		if s.folder, err = makeFolder(c.Dir); err != nil {
			return err
		}
	}
	if c.Logs == "" && s.folder != nil {
		c.Logs = s.folder.path
	}
	g, ctx := errgroup.WithContext(ctx)
	if c.Cache != None {
		g.Go(func() (err error) { s.Cache, err = openCache(ctx, c, s.folder, localCache); return err })
	}
	if c.Database != None {
		g.Go(func() (err error) { s.Database, err = openDatabase(ctx, c, s.folder, localDatabase); return err })
	}
	return g.Wait()
}

func openCache(ctx context.Context, c Config, f *folder, local bool) (*Node, error) {
	if local {
		return startRedis(ctx, c, f)
	}
	return externalRedis(ctx, c.CacheURL)
}

func openDatabase(ctx context.Context, c Config, f *folder, local bool) (*Node, error) {
	if local {
		return startPostgres(ctx, c, f)
	}
	return externalPostgres(ctx, c.DatabaseURL)
}

// Dependencies lists the nodes as the manifest of a run wants them.
func (s *Stack) Dependencies() []results.Dependency {
	var all []results.Dependency
	for _, n := range s.nodes() {
		all = append(all, results.Dependency{Name: n.Name, Kind: n.Kind, Provider: n.Provider, Version: n.Version})
	}
	return all
}

func (s *Stack) nodes() []*Node {
	var nodes []*Node
	for _, n := range []*Node{s.Cache, s.Database} {
		if n != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// Close stops what Start started and removes the run folder. When ctx is done
// before the servers have ended, they are killed, and the error says so. Closing
// again does nothing.
func (s *Stack) Close(ctx context.Context) error {
	var g errgroup.Group
	errs := make([]error, 2)
	for i, n := range s.nodes() {
		g.Go(func() error { errs[i] = n.stop(ctx); return nil })
	}
	err := g.Wait()
	if s.spawner != nil {
		s.spawner.Close()
	}
	if s.folder != nil {
		err = s.folder.remove(ctx)
	}
	return errors.Join(append(errs, err)...)
}
