//go:build linux

package stack

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/chaos/ca"
	"brownout/chaos/link"
	"brownout/chaos/stack/admin"
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

// gates open a gate in front of each node, and note who came from where.
type gates struct {
	t         *testing.T
	authority *ca.Authority
	listen    string // default: as a gate's
	ctx       context.Context
	running   sync.WaitGroup

	mu   sync.Mutex
	from map[string]map[string]bool // link name → source addresses
}

func newGates(t *testing.T, authority *ca.Authority) *gates {
	ctx, stop := context.WithCancel(context.Background())
	g := &gates{t: t, authority: authority, ctx: ctx, from: map[string]map[string]bool{}}
	t.Cleanup(func() { stop(); g.running.Wait() })
	return g
}

func (g *gates) link(_ context.Context, n *Node) (string, error) {
	c := link.Config{Name: n.Name, Listen: g.listen, Upstream: n.Addr, Record: g.record}
	if g.authority != nil {
		cert, err := g.authority.Issue("127.0.0.1")
		if err != nil {
			return "", err
		}
		c.TLS = &link.TLS{
			Client: &tls.Config{Certificates: []tls.Certificate{cert}},
			Server: n.TLS,
		}
	}
	gate := link.New(c)
	if err := gate.Listen(); err != nil {
		return "", err
	}
	g.running.Go(func() {
		if err := gate.Run(g.ctx); err != nil {
			g.t.Errorf("gate of %s: %v", n.Name, err)
		}
	})
	return gate.Addr(), nil
}

func (g *gates) record(e results.Event) {
	if e.Kind != results.EventConnect {
		return
	}
	host, _, _ := net.SplitHostPort(e.Conn.Client)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.from[e.On] == nil {
		g.from[e.On] = map[string]bool{}
	}
	g.from[e.On][host] = true
}

func (g *gates) came(to *Node, from *Node) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.from[to.Name][from.Source]
}

// through is how the app reaches the node: by its link, as the URL says.
func through(n *Node) admin.Server {
	s := admin.Server{Addr: n.Link, TLS: n.TLS}
	if u, err := url.Parse(n.URL); err == nil {
		s.User = u.User.Username()
		s.Password, _ = u.User.Password()
	}
	return s
}

// app sends a command of the app to the node, and fails the test when it fails.
func app(t *testing.T, n *Node, words ...string) string {
	t.Helper()
	r, err := through(n).Do(t.Context(), words...)
	if err != nil {
		t.Fatalf("%v at %s: %v", words, n.Name, err)
	}
	return r.Text
}

// keyOf is a key that the node serves: in a cluster, of its slots.
func keyOf(t *testing.T, s *Stack, primary *Node) string {
	t.Helper()
	if s.topology != Cluster {
		return "key"
	}
	shards, err := s.Shards(t.Context(), primary)
	if err != nil {
		t.Fatal(err)
	}
	for i := range slotCount {
		key := "key" + strconv.Itoa(i)
		slot, err := strconv.Atoi(app(t, primary, "CLUSTER", "KEYSLOT", key))
		if err != nil {
			t.Fatal(err)
		}
		for _, shard := range shards {
			if shard.Primary == primary && shard.From <= slot && slot <= shard.To {
				return key
			}
		}
	}
	t.Fatalf("%s serves no key", primary.Name)
	return ""
}

// replicates writes to the primary, through its link, and waits for the value at
// the replica.
func replicates(t *testing.T, s *Stack, primary, replica *Node, value string) {
	t.Helper()
	key := keyOf(t, s, primary)
	app(t, primary, "SET", key, value)
	eventually(t, replica.Name+" has what was written to "+primary.Name, func() bool {
		return valueAt(t, replica, key) == value
	})
}

// valueAt reads a key straight from a server. A replica in a cluster answers after
// READONLY on the same connection only.
func valueAt(t *testing.T, n *Node, key string) string {
	t.Helper()
	conn, err := net.Dial("tcp", n.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(hang))
	if n.TLS != nil {
		conn = tls.Client(conn, n.TLS)
	}
	fmt.Fprintf(conn, "AUTH %s %s\r\nREADONLY\r\nGET %s\r\n", cmp.Or(n.admin.User, "default"), n.admin.Password, key)
	in := bufio.NewScanner(conn)
	for range 2 {
		in.Scan()
	}
	if !in.Scan() {
		t.Fatalf("GET at %s: %v", n.Name, in.Err())
	}
	if in.Text() == "$-1" {
		return ""
	}
	if !strings.HasPrefix(in.Text(), "$") || !in.Scan() {
		t.Fatalf("GET at %s = %q", n.Name, in.Text())
	}
	return in.Text()
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

// allThroughGates holds that nodes come to each other through gates alone, and are
// known there by their source.
func allThroughGates(t *testing.T, s *Stack, g *gates) {
	t.Helper()
	for _, n := range s.Servers() {
		clients, err := n.Do(t.Context(), "CLIENT", "LIST")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(clients.Text) {
			if strings.Contains(line, " addr=127.0.1.") || strings.Contains(line, " addr=127.0.2.") {
				t.Errorf("a node came to %s past its gate: %s", n.Name, line)
			}
		}
	}
	roles, err := askRoles(t.Context(), s.Servers())
	if err != nil {
		t.Fatal(err)
	}
	for n, role := range roles {
		if role.Name == admin.Slave && !g.came(s.ByLink(role.Primary), n) {
			t.Errorf("the gate of %s saw nobody from %s, replica %s", role.Primary, n.Source, n.Name)
		}
	}
	for _, sentinel := range s.Sentinels() {
		for _, n := range s.Nodes {
			if n != sentinel && !g.came(n, sentinel) {
				t.Errorf("the gate of %s saw nobody from %s, %s", n.Name, sentinel.Source, sentinel.Name)
			}
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
