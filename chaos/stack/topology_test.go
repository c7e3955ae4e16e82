//go:build linux

package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/results"
)

// roundsVariable sets how often topologies are started and stopped.
const roundsVariable = "BROWNOUT_STACK_ROUNDS"

// topologies are those of several servers, quick for tests.
func topologies() map[string]Config {
	return map[string]Config{
		Replicated: {Cache: Replicated, Replicas: 2},
		Sentinel: {Cache: Sentinel, Sentinels: SentinelSettings{
			DownAfter: 500 * time.Millisecond, InfoPeriod: 500 * time.Millisecond, PublishPeriod: 200 * time.Millisecond,
		}},
		Cluster: {Cache: Cluster, ClusterNodeTimeout: time.Second},
	}
}

// ownPlace is place for tests that run beside each other.
func ownPlace(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "brownout-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// startTopology starts a stack in a place of its own and says how long it took.
func startTopology(t *testing.T, c Config) *Stack {
	t.Helper()
	c.Dir = ownPlace(t)
	begin := time.Now()
	s := startStack(t, c)
	t.Logf("%s ready after %v", c.Cache, time.Since(begin).Round(time.Millisecond))
	return s
}

// failOver makes next the primary of its shard in place of old, by the topology's
// own means.
func failOver(t *testing.T, s *Stack, old, next *Node) {
	t.Helper()
	ctx := t.Context()
	var err error
	switch s.topology {
	case Replicated:
		if err = next.Promote(ctx); err == nil {
			for _, n := range s.Servers() {
				if n != next && err == nil {
					err = n.Follow(ctx, next)
				}
			}
		}
	case Sentinel:
		err = s.Sentinels()[0].SentinelFailover(ctx)
	case Cluster:
		err = next.ClusterFailover(ctx, Agreed)
	}
	if err != nil {
		t.Fatalf("failing over: %v", err)
	}
}

// patient is a context for what may take seconds.
func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	t.Cleanup(cancel)
	return ctx
}

func names(nodes []*Node) string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.Name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestATopologyFailsOverByItsOwnMeansBehindGates(t *testing.T) {
	authority := newAuthority(t)
	for name, c := range topologies() {
		secure := c
		secure.TLS, secure.Password, secure.ACL = authority, testPassword, true
		for kind, c := range map[string]Config{"plain": c, "with TLS, password and ACL": secure} {
			if testing.Short() && kind == "plain" {
				continue
			}
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				g := newGates(t, c.TLS)
				c.Link = g.link
				tryFailover(t, startTopology(t, c), g)
			})
		}
	}
}

func tryFailover(t *testing.T, s *Stack, g *gates) {
	traces := tracesOf(s)
	primary, replica := s.Cache, s.Servers()[len(s.Servers())/2]
	replicates(t, s, primary, replica, "before")
	allThroughGates(t, s, g)
	failOver(t, s, primary, replica)
	var next *Node
	eventually(t, "another is primary", func() bool {
		all, err := s.Primaries(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range all {
			if n.Role == RoleReplica {
				next = n
			}
		}
		return next != nil && !slices.Contains(all, primary)
	})
	if err := s.Await(patient(t)); err != nil {
		t.Fatalf("Await after the failover: %v", err)
	}
	replicates(t, s, next, primary, "after")
	closeStack(t, s)
	if left := traces.left(); len(left) > 0 {
		t.Errorf("after Close there are %v, want nothing", left)
	}
}

func TestNodesSayWhatTheyAre(t *testing.T) {
	for name, want := range map[string]string{
		Redis:      "cache primary ",
		Replicated: "cache-1 primary 127.0.1.1; cache-2 replica 127.0.1.2; cache-3 replica 127.0.1.3",
		Sentinel: "cache-1 primary 127.0.1.1; cache-2 replica 127.0.1.2; cache-3 replica 127.0.1.3; " +
			"sentinel-1 sentinel 127.0.2.1; sentinel-2 sentinel 127.0.2.2; sentinel-3 sentinel 127.0.2.3",
		Cluster: "cache-1 primary 127.0.1.1; cache-2 primary 127.0.1.2; cache-3 primary 127.0.1.3; " +
			"cache-4 replica 127.0.1.4; cache-5 replica 127.0.1.5; cache-6 replica 127.0.1.6",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := topologies()[name]
			c.Cache = name
			c.ClusterNodeTimeout = 15 * time.Second // the server's own: word of a replica goes slowly
			s := startTopology(t, c)
			var got []string
			for i, n := range s.Nodes {
				got = append(got, strings.TrimRight(fmt.Sprintf("%s %s %s", n.Name, n.Role, n.Source), ""))
				want := results.Dependency{Name: n.Name, Kind: s.Cache.Kind, Provider: Local, Version: s.Cache.Version}
				if dependency := s.Dependencies()[i]; dependency != want || want.Version == "" {
					t.Errorf("Dependencies()[%d] = %+v, want %+v", i, dependency, want)
				}
				if n.Link != n.Addr {
					t.Errorf("the link of %s is %s, want its address %s", n.Name, n.Link, n.Addr)
				}
			}
			if text := strings.Join(got, "; "); text != want {
				t.Errorf("nodes = %s\nwant    %s", text, want)
			}
			atStart(t, s)
		})
	}
}

// atStart holds that the roles of the beginning are real.
func atStart(t *testing.T, s *Stack) {
	t.Helper()
	var want []*Node
	for _, n := range s.Nodes {
		if n.Role == RolePrimary {
			want = append(want, n)
		}
	}
	got, err := s.Primaries(t.Context())
	if err != nil || names(got) != names(want) {
		t.Errorf("Primaries = %s, %v, want %s", names(got), err, names(want))
	}
	for _, n := range s.Sentinels() {
		if named, err := s.PrimaryBySentinel(t.Context(), n); err != nil || named != s.Cache {
			t.Errorf("%s names %v, %v, want %s", n.Name, named, err, s.Cache.Name)
		}
	}
	if s.topology != Cluster {
		return
	}
	for _, n := range s.Nodes {
		shards, err := s.Shards(t.Context(), n)
		if err != nil || len(shards) != 3 {
			t.Fatalf("Shards at %s = %v, %v, want 3", n.Name, shards, err)
		}
		for i, shard := range shards {
			if shard.Primary != s.Nodes[i] || len(shard.Replicas) != 1 || shard.Replicas[0] != s.Nodes[i+3] {
				t.Errorf("shard %d at %s is %s with %s", i, n.Name, shard.Primary.Name, names(shard.Replicas))
			}
		}
	}
}

func TestTopologiesStartAndStopAgainAndAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("once is what the other tests do")
	}
	rounds := 5
	if n, err := strconv.Atoi(os.Getenv(roundsVariable)); err == nil {
		rounds = n
	}
	for name, c := range topologies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range rounds {
				s := startTopology(t, c)
				traces := tracesOf(s)
				if left := traces.left(); len(left) != len(s.Nodes)+1 {
					t.Fatalf("before Close there are %v of %+v, want all", left, traces)
				}
				begin := time.Now()
				closeStack(t, s)
				t.Logf("%s closed after %v", name, time.Since(begin).Round(time.Millisecond))
				if left := traces.left(); len(left) > 0 {
					t.Errorf("after Close there are %v, want nothing", left)
				}
			}
		})
	}
}

func TestTwoTopologiesSideBySideDoNotMix(t *testing.T) {
	for name, c := range topologies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stacks := make([]*Stack, 2)
			var group sync.WaitGroup
			for i := range stacks {
				group.Go(func() { stacks[i] = startTopology(t, c) })
			}
			group.Wait()
			one, other := stacks[0], stacks[1]
			key := keyOf(t, one, one.Cache)
			app(t, one.Cache, "SET", key, "one")
			app(t, other.Cache, "SET", key, "other")
			closeStack(t, one)
			if err := other.Await(patient(t)); err != nil {
				t.Errorf("Await after the end of the other stack: %v", err)
			}
			if got := app(t, other.Cache, "GET", key); got != "other" {
				t.Errorf("GET = %q, want other", got)
			}
		})
	}
}

func TestATopologyThatCannotStartLeavesNothing(t *testing.T) {
	broken := errors.New("no gate today")
	for _, row := range []struct {
		name string
		do   func(c *Config, cancel func())
		want string
	}{
		{"a wrong setting", func(c *Config, _ func()) { c.Settings = map[string]string{"nonesuch": "1"} }, "FATAL CONFIG FILE ERROR"},
		{"a link that fails", func(c *Config, _ func()) { c.Link = failAt("cache-2", broken) }, "linking cache-2: no gate today"},
		{"a link without an address", func(c *Config, _ func()) {
			c.Link = func(context.Context, *Node) (string, error) { return "localhost:1", nil }
		}, `linking cache-1: its address is "localhost:1"; want an IP address and a port`},
		{"a cancelled start", func(c *Config, cancel func()) {
			c.Record = func(e results.Event) {
				if e.Kind == results.EventStart && e.On == "cache-2" {
					cancel()
				}
			}
		}, "context canceled"},
	} {
		for name, c := range topologies() {
			if testing.Short() && name != Sentinel {
				continue
			}
			t.Run(row.name+" in "+name, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				c.Dir, c.Spawner = ownPlace(t), newSpawner(t)
				row.do(&c, cancel)
				s, err := Start(ctx, c)
				if err == nil {
					closeStack(t, s)
					t.Fatal("Start = nil error")
				}
				if !strings.Contains(err.Error(), row.want) {
					t.Errorf("Start: %v, want %q", err, row.want)
				}
				if left, _ := os.ReadDir(c.Dir); len(left) > 0 {
					t.Errorf("left behind: %v, want nothing", left)
				}
				c.Spawner.mu.Lock()
				defer c.Spawner.mu.Unlock()
				if living := len(c.Spawner.living); living > 0 {
					t.Errorf("%d processes live, want none", living)
				}
			})
		}
	}
}

func failAt(name string, err error) func(context.Context, *Node) (string, error) {
	return func(_ context.Context, n *Node) (string, error) {
		if n.Name == name {
			return "", err
		}
		return n.Addr, nil
	}
}

func TestConfigsThatCannotBeAreTold(t *testing.T) {
	for _, row := range []struct {
		name string
		c    Config
		want string
	}{
		{"an unknown engine", Config{Cache: Cluster, Engine: "memcached"}, `engine: unknown "memcached"; there are redis, valkey`},
		{"too many replicas", Config{Cache: Replicated, Replicas: 6}, "replicas: 6; want 1 to 5"},
		{"an ACL without a password", Config{Cache: Redis, ACL: true}, "acl: it needs a password"},
		{"a password with a blank", Config{Cache: Redis, Password: "a b"}, "password: want printable ASCII"},
		{"a password with a new line", Config{Cache: Redis, Password: "a\nuser x"}, "password: want printable ASCII"},
		{"a topology at a URL", Config{Cache: Sentinel, CacheURL: "redis://127.0.0.1"}, "cannot be one external server"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := Start(t.Context(), row.c)
			if err == nil {
				closeStack(t, s)
			}
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Start: %v, want %q", err, row.want)
			}
		})
	}
}

func TestAnOldServerIsToldWhereItDoesNotSuffice(t *testing.T) {
	for _, row := range []struct {
		name    string
		c       Config
		version string
		want    string
	}{
		{"one server may be old", Config{Cache: Redis}, "6.2.7", ""},
		{"a topology needs 7.0", Config{Cache: Replicated}, "6.2.7", "too old for topology replicated; want 7.0 or newer"},
		{"an ACL needs 7.0", Config{Cache: Redis, ACL: true}, "6.2.7", "too old for an ACL; want 7.0 or newer"},
		{"a password needs 6.0", Config{Cache: Redis, Password: "x"}, "5.0.14", "too old for a password; want 6.0 or newer"},
		{"6.2 suffices for a password", Config{Cache: Redis, Password: "x"}, "6.2.7", ""},
		{"7.0 suffices", Config{Cache: Cluster, ACL: true}, "7.0.15", ""},
		{"10.1 suffices", Config{Cache: Cluster}, "10.1.0", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := suffices(row.c, Server{Kind: Redis, Version: row.version, Path: "/bin/redis-server"})
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("suffices = %v, want %q", err, row.want)
			}
		})
	}
}
