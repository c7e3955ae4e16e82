//go:build linux

package stack

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
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
