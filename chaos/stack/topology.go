package stack

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// startCache starts the nodes of the cache in the order of its topology.
func (s *Stack) startCache(ctx context.Context) error {
	servers := s.Servers()
	if s.Cache.Provider == External {
		return s.Cache.greet(ctx)
	}
	// The first before the others: a replica that finds no primary waits for a second.
	for _, some := range [][]*Node{servers[:1], servers[1:]} {
		if err := startAll(ctx, some); err != nil {
			return err
		}
	}
	switch s.topology {
	case Replicated:
		return s.startStreams(ctx, servers[:1])
	case Sentinel:
		return s.startSentinels(ctx)
	case Cluster:
		return s.startCluster(ctx)
	}
	return nil
}

// Servers are the nodes of the cache that hold data, primaries at start first.
func (s *Stack) Servers() []*Node { return s.sift(false) }

// Sentinels are the nodes of the cache that are Sentinels.
func (s *Stack) Sentinels() []*Node { return s.sift(true) }

func (s *Stack) sift(sentinel bool) []*Node {
	var some []*Node
	for _, n := range s.Nodes {
		if n != s.Database && (n.Role == RoleSentinel) == sentinel {
			some = append(some, n)
		}
	}
	return some
}

func startAll(ctx context.Context, nodes []*Node) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, n := range nodes {
		g.Go(func() error { return n.start(ctx) })
	}
	return g.Wait()
}

// processes are those of nodes.
func processes(nodes []*Node) []*Process {
	var all []*Process
	for _, n := range nodes {
		if p := n.Process(); p != nil {
			all = append(all, p)
		}
	}
	return all
}

// awaitAll waits for what needs all of the nodes.
func (s *Stack) awaitAll(ctx context.Context, nodes []*Node, ask func(context.Context) error) error {
	if err := await(ctx, ask, processes(nodes)...); err != nil {
		return fmt.Errorf("starting topology %s: %w", s.topology, err)
	}
	return nil
}

// Await waits until the topology of the cache is what Start promises, whoever is
// primary by now.
func (s *Stack) Await(ctx context.Context) error {
	var ask func(context.Context) error
	switch s.topology {
	case Replicated:
		ask = func(ctx context.Context) error { return s.inSync(ctx, 1) }
	case Sentinel:
		ask = s.settled
	case Cluster:
		ask = s.whole
	default:
		return nil
	}
	if err := await(ctx, ask); err != nil {
		return fmt.Errorf("waiting for topology %s: %w", s.topology, err)
	}
	return nil
}
