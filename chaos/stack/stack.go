// Package stack starts the processes that a run needs, and sees to it that nothing
// of them is ever left behind: no process, no folder, no shared memory.
//
// The one idea: every child is spawned from one thread that lives as long as any
// child (see Spawner), so that the kernel kills the children when the harness dies,
// by SIGKILL too. What a kernel does not clean up is recorded in a run folder whose
// lock is held while its owner lives; the next run sweeps the folders whose lock is
// free (see Sweep).
//
// Servers come from a URL that the user gave (provider external), from binaries on
// this machine (provider local, on Linux) or, where there is none, from containers
// (provider docker: single servers only). The package downloads no binaries:
// fetch-servers.sh beside it does; a Docker engine pulls images itself. Containers do
// not die with the harness: the reaper of testcontainers-go or the next Sweep removes
// them (see chaos/stack/docker). A cache may be one server or a topology of
// several (Replicated, Sentinel, Cluster): real ones, that find each other at the
// addresses that Config.Link gives them, and are ready when Start returns.
//
// It puts no link in front of a server (see chaos/link), and decides no failover:
// it only carries out what it is told (Promote, Follow, SentinelFailover,
// ClusterFailover, Kill, Pause, Restart).
package stack

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"brownout/chaos/stack/docker"
	"brownout/results"

	"golang.org/x/sync/errgroup"
)

// startTimeout guards against a server that never answers. A healthy one takes
// milliseconds, PostgreSQL without a template half a second, a cluster seconds.
const startTimeout = 60 * time.Second

// closeTimeout bounds the cleaning up after a start that failed.
const closeTimeout = 5 * time.Second

// A Stack is what Start brought up.
type Stack struct {
	Cache    *Node   // nil: none; of a topology of several the first, primary at start
	Database *Node   // nil: none
	Nodes    []*Node // all: those of the cache, its Sentinels, the database
	// CAFile is the certificate of Config.TLS as a file (PEM), for clients that want
	// one. Empty: no TLS.
	CAFile string
	// PasswordFile has the password that clients of the cache are to give now; see
	// HandOver. Empty: they need none, or the server is external.
	PasswordFile string

	topology string  // of the cache
	folder   *folder // nil: nothing local
	spawner  *Spawner
	engine   *docker.Engine // nil: nothing in a container
	database *postmaster    // nil: none, external, or in a container

	acl      bool // Config.ACL
	mu       sync.Mutex
	password string // the one that clients were given last
}

// Start brings up cache and database at the same time and returns when both
// are ready: servers answer, replicas are in sync, Sentinels know each other and
// the primary, a cluster serves all its slots. When one of them fails, everything is
// taken down again and no Stack is returned. A server that is not there is a
// *MissingError.
func Start(ctx context.Context, c Config) (*Stack, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	s := &Stack{topology: c.Cache}
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
	if err := s.prepare(ctx, &c); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	if s.Cache != nil {
		g.Go(func() error { return s.startCache(ctx) })
	}
	if s.Database != nil {
		g.Go(func() error { return s.startDatabase(ctx) })
	}
	return g.Wait()
}

// prepare does all that comes before the first server is started.
func (s *Stack) prepare(ctx context.Context, c *Config) error {
	if err := s.plan(ctx, *c); err != nil {
		return err
	}
	if err := s.makeFolder(c); err != nil {
		return err
	}
	for _, n := range s.Nodes {
		if err := n.link(ctx, *c); err != nil {
			return err
		}
	}
	if err := s.prepareCache(*c); err != nil {
		return err
	}
	if err := s.prepareContainers(ctx, *c); err != nil {
		return err
	}
	if s.database == nil {
		return nil
	}
	s.database.config = *c
	return s.database.newDatabase(s.Database, s.folder)
}

// makeFolder makes the run folder, if any server is ours.
func (s *Stack) makeFolder(c *Config) (err error) {
	if !slices.ContainsFunc(s.Nodes, func(n *Node) bool { return n.Provider != External }) {
		return nil
	}
	if s.folder, err = makeFolder(c.Dir); err != nil {
		return err
	}
	if s.engine != nil {
		if err := s.folder.holdContainers(); err != nil {
			return err
		}
	}
	if c.Logs == "" {
		c.Logs = s.folder.path
	}
	if err := s.keepPassword(*c); err != nil {
		return err
	}
	if c.TLS == nil {
		return nil
	}
	s.CAFile = filepath.Join(s.folder.path, caFile)
	return os.WriteFile(s.CAFile, c.TLS.PEM(), 0o644)
}

func (s *Stack) startDatabase(ctx context.Context) error {
	switch {
	case s.Database.Provider == External:
		return s.Database.greet(ctx)
	case s.Database.Provider == Docker:
		return s.Database.start(ctx)
	}
	return s.database.start(ctx, s.Database, s.folder)
}

// Dependencies lists the nodes as the manifest of a run wants them.
func (s *Stack) Dependencies() []results.Dependency {
	var all []results.Dependency
	for _, n := range s.Nodes {
		all = append(all, results.Dependency{Name: n.Name, Kind: n.Kind, Provider: n.Provider, Version: n.Version})
	}
	return all
}

// Close stops what Start started and removes the run folder. When ctx is done
// before the servers have ended, they are killed, and the error says so. Closing
// again does nothing.
func (s *Stack) Close(ctx context.Context) error {
	var g errgroup.Group
	errs := make([]error, len(s.Nodes))
	for i, n := range s.Nodes {
		g.Go(func() error { errs[i] = n.close(ctx); return nil })
	}
	err := g.Wait()
	if s.spawner != nil {
		s.spawner.Close()
	}
	if s.folder != nil {
		err = s.folder.remove(ctx)
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	return errors.Join(append(errs, err)...)
}
