package run

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"brownout/chaos"
	"brownout/chaos/lab"
	"brownout/chaos/stack"
	"brownout/results"

	"github.com/Shopify/toxiproxy/v2"
	client "github.com/Shopify/toxiproxy/v2/client"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// proxiedCache opens a link to a server that is lent through a real Toxiproxy.
func proxiedCache(t *testing.T) (*lab.Lab, *proxied) {
	t.Helper()
	own, err := stack.Start(t.Context(), stack.Config{Cache: stack.Redis})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { own.Close(context.WithoutCancel(t.Context())) })
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	api := httptest.NewServer(server.Routes())
	t.Cleanup(api.Close)
	t.Cleanup(func() { server.Collection.Clear() })
	p, err := client.NewClient(api.URL).CreateProxy("cache", "127.0.0.1:0", own.Cache.Addr)
	if err != nil {
		t.Fatal(err)
	}
	l, err := lab.Open(t.Context(), lab.Config{Stack: stack.Config{Cache: stack.Redis, CacheURL: "redis://" + p.Listen}})
	t.Cleanup(func() {
		if err := l.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("closing the lab: %v", err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{Config: Config{Toxiproxy: api.URL}}
	all, err := r.proxies(l)
	if err != nil || len(all) != 1 {
		t.Fatalf("proxies = %v, %v; want that of the cache", all, err)
	}
	t.Cleanup(all["cache"].Wait)
	return l, all["cache"]
}

// held puts a delay on the proxy, does what is to be done meanwhile and takes it away.
func held(t *testing.T, p *proxied, meanwhile func()) results.Evidence {
	t.Helper()
	r, err := p.Inject(t.Context(), chaos.Fault{On: "cache", Kind: chaos.Latency, Latency: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	meanwhile()
	ev, err := r.Revert(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// pinger asks over one connection, which it opens with the first question, and says
// how long the answer took.
func pinger(t *testing.T, addr string) func() time.Duration {
	var c net.Conn
	t.Cleanup(func() { c.Close() })
	return func() time.Duration {
		t.Helper()
		if c == nil {
			var err error
			if c, err = net.Dial("tcp", addr); err != nil {
				t.Fatal(err)
			}
		}
		begin := time.Now()
		fmt.Fprint(c, "PING\r\n")
		if line, err := bufio.NewReader(c).ReadString('\n'); line != "+PONG\r\n" {
			t.Fatalf("PING = %q, %v; want PONG", line, err)
		}
		return time.Since(begin)
	}
}

func TestAFaultOnAToxiproxyBitesWhoIsOnTheLink(t *testing.T) {
	l, p := proxiedCache(t)
	client := pinger(t, l.Link("cache").Addr())
	for _, seen := range []string{"0 connections on the link at the start, 1 opened", "1 connections on the link at the start, 0 opened"} {
		ev := held(t, p, func() {
			if took := client(); took < 20*time.Millisecond {
				t.Errorf("a client gets its answer after %v, want at least the 20ms of the fault", took)
			}
		})
		if !strings.Contains(ev.Seen, seen) {
			t.Errorf("evidence = %+v, want %q", ev, seen)
		}
	}
	// A probe that the end cuts short does not count: one will be whole.
	for begin := time.Now(); ; {
		ev := held(t, p, func() { client() })
		if ev.Chances > 0 && ev.Bites == ev.Chances {
			return
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("evidence with a connection = %+v, want bites on all of some chances", ev)
		}
	}
}

func TestAFaultOnAToxiproxyCountsOnlyWhenTheLinkCarriedSomebody(t *testing.T) {
	for _, row := range []struct {
		name   string
		live   int
		opened uint64
		want   int
	}{
		{"nobody: the target goes another way", 0, 0, 0},
		{"connections from before", 2, 0, 3},
		{"connections opened under it", 0, 1, 3},
	} {
		ev := carried(results.Evidence{Chances: 3, Bites: 3}, row.live, row.opened)
		if ev.Chances != row.want || ev.Bites != row.want {
			t.Errorf("%s: carried(3 of 3, %d, %d) = %d of %d, want %d", row.name, row.live, row.opened, ev.Bites, ev.Chances, row.want)
		}
	}
}

func TestWhatAToxiproxyIsAsked(t *testing.T) {
	for _, row := range []struct {
		name string
		node *stack.Node
		err  string
	}{
		{"a cache answers PING", &stack.Node{Name: "cache", URL: "redis://127.0.0.1:1"}, ""},
		{"but not to strangers, with a password", &stack.Node{Name: "cache", URL: "redis://:word@127.0.0.1:1"}, "want redis://host:port"},
		{"nor in plain text, with TLS", &stack.Node{Name: "cache", URL: "rediss://127.0.0.1:1"}, "want redis://host:port"},
		{"a database answers SSLRequest to everybody", &stack.Node{Name: "database", URL: "postgres://a:b@127.0.0.1:1/c"}, ""},
	} {
		_, err := probe(row.node)
		if (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("%s: probe = %v, want %q", row.name, err, row.err)
		}
	}
}
