package stack

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"brownout/results"
)

// plan chooses the nodes and their addresses. It starts nothing.
func (s *Stack) plan(ctx context.Context, c Config) error {
	if c.Cache != None {
		if err := s.planCache(ctx, c); err != nil {
			return err
		}
		s.Cache = s.Nodes[0]
	}
	if c.Database == None {
		return nil
	}
	var err error
	if s.Database, err = s.planDatabase(ctx, c); err == nil {
		s.Nodes = append(s.Nodes, s.Database)
	}
	return err
}

func (s *Stack) planDatabase(ctx context.Context, c Config) (*Node, error) {
	if c.DatabaseURL != "" {
		return externalDatabase(c)
	}
	server, err := s.find(ctx, c, Postgres)
	if err != nil {
		return nil, err
	}
	if server.Image != "" {
		n, err := localNode(results.LinkDatabase, RolePrimary, server, c.TLS)
		if err == nil {
			n.program = newBoxedPostgres(s.engine, server)
		}
		return n, err
	}
	s.database = &postmaster{server: server, user: serverUser()}
	return localNode(results.LinkDatabase, RolePrimary, server, c.TLS)
}

func (s *Stack) planCache(ctx context.Context, c Config) error {
	if c.CacheURL != "" {
		n, err := externalCache(c)
		if err == nil {
			s.Nodes = append(s.Nodes, n)
		}
		return err
	}
	server, err := s.find(ctx, c, c.Engine)
	if err != nil {
		return err
	}
	if err := suffices(c, server); err != nil {
		return err
	}
	if server.Image != "" {
		return s.planContainer(c, server)
	}
	for _, seat := range seats(c) {
		n, err := localNode(seat.name, seat.role, server, c.TLS)
		if err != nil {
			return err
		}
		n.Source = seat.source
		n.program = &redisServer{server: server, name: n.Name}
		s.Nodes = append(s.Nodes, n)
		if err := n.keepBus(c); err != nil {
			return err
		}
	}
	return nil
}

// planContainer plans a cache in a container.
func (s *Stack) planContainer(c Config, server Server) error {
	n, err := localNode(results.LinkCache, RolePrimary, server, c.TLS)
	if err == nil {
		n.program = newBoxedRedis(s.engine, server)
		s.Nodes = append(s.Nodes, n)
	}
	return err
}

func findLocal(ctx context.Context, kind string) (Server, error) {
	if !canLocal {
		return Server{}, errNeedsLinux
	}
	return Find(ctx, kind)
}

// suffices says whether the server can do what c asks for. One in a container stands
// alone: the servers of a topology find each other on 127.0.0.1, which is another place
// in each container. Version 6.0 of Redis brought users, 7.0 bind-source-addr,
// cluster-port and rules for subcommands; every Valkey has them.
func suffices(c Config, s Server) error {
	if s.Image != "" {
		return contains(c)
	}
	want, wish := 0, ""
	switch {
	case c.several():
		want, wish = 7, "topology "+c.Cache
	case c.ACL:
		want, wish = 7, "an ACL"
	case c.Password != "":
		want, wish = 6, "a password"
	}
	major, _, _ := strings.Cut(s.Version, ".")
	if v, err := strconv.Atoi(major); want > 0 && (err != nil || v < want) {
		return fmt.Errorf("cache: %s %s at %s is too old for %s; want %d.0 or newer", s.Kind, s.Version, s.Path, wish, want)
	}
	return nil
}

// prepareCache writes what the servers of the cache need before they start.
func (s *Stack) prepareCache(c Config) error {
	var errs []error
	for _, n := range s.Nodes {
		if r, ok := n.program.(*redisServer); ok {
			errs = append(errs, s.prepareServer(c, n, r))
		}
	}
	return errors.Join(errs...)
}

func (s *Stack) prepareServer(c Config, n *Node, r *redisServer) error {
	n.open(c)
	r.config, r.dir, r.lines = c, filepath.Join(s.folder.path, n.Name), s.lines(c, n)
	n.program = r
	if n.Role == RoleSentinel {
		n.program = &sentinelServer{r}
	}
	if err := r.prepare(n); err != nil {
		return err
	}
	if c.TLS == nil {
		return nil
	}
	return certify(c.TLS, r.dir, n.Link, nil)
}

// lines is the configuration file of a node of the cache.
func (s *Stack) lines(c Config, n *Node) []string {
	primary := s.Cache.Link
	switch {
	case n.Role == RoleSentinel:
		return sentinelLines(c, n, primary)
	case c.Cache == Cluster:
		return append(redisLines(c, n), clusterLines(c, n)...)
	case n.Role == RoleReplica:
		host, port := splitAddr(primary)
		return append(redisLines(c, n), "replicaof "+host+" "+port)
	}
	return redisLines(c, n)
}
