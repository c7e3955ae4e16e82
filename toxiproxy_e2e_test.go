package main

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brownout/chaos/stack"
	"brownout/results/figures"
	"brownout/results/judge"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	client "github.com/Shopify/toxiproxy/v2/client"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// An elsewhere is a stack that the command did not start, with a real Toxiproxy before
// it, as in docker-compose.yml.
type elsewhere struct {
	*stack.Stack
	api             string
	cache, database string // URLs through the proxies
}

func startElsewhere(t *testing.T) elsewhere {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the whole command")
	}
	s, err := stack.Start(t.Context(), stack.Config{Cache: stack.Redis, Database: stack.Postgres})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.WithoutCancel(t.Context())) })
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	api := httptest.NewServer(server.Routes())
	t.Cleanup(api.Close)
	t.Cleanup(func() { server.Collection.Clear() })
	e := elsewhere{Stack: s, api: api.URL}
	for _, n := range s.Nodes {
		p, err := client.NewClient(api.URL).CreateProxy(n.Name, "127.0.0.1:0", n.Addr)
		if err != nil {
			t.Fatal(err)
		}
		if n == s.Cache {
			e.cache = n.URLAt(p.Listen)
		} else {
			e.database = n.URLAt(p.Listen)
		}
	}
	return e
}

// slowCache is a scenario with a fault that both links and a Toxiproxy know.
const slowCache = `
name: slow-cache
proves: A Redis that answers late is given up on.
stack: {cache: redis, database: postgres}
load: {rate: 100/s, reads: 98%}
phases:
  - {name: steady, for: 2s}
  - name: outage
    for: 3s
    faults: [{on: cache, kind: latency, latency: 150ms}]
    expect: {errors: 0, cache_hits: <= 5%}
  - {name: recovery, for: 2s, expect: {errors: 0, cache_back_within: 1s}}
`

func slowCacheFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "slow-cache.yaml")
	if err := os.WriteFile(file, []byte(slowCache), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestFaultsArePutOnAToxiproxyOfTheUser(t *testing.T) {
	e := startElsewhere(t)
	o := brownoutRun(t, append(patient, slowCacheFile(t), "--toxiproxy", e.api, "--cache-url", e.cache, "--database-url", e.database)...)
	o.want(t, judge.Pass) // among others: the target felt it
	for _, in := range figures.Injections(o.rec) {
		if ev := in.Evidence; ev.Occasion != "probes of our own through the proxy" || !strings.Contains(ev.Seen, "put on a Toxiproxy") {
			t.Errorf("evidence of %s = %+v, want it to say where it is from", in.Fault, ev)
		}
	}
	p, err := client.NewClient(e.api).Proxy("cache")
	if err != nil || len(p.ActiveToxics) > 0 || !p.Enabled {
		t.Errorf("the proxy afterwards = %+v, %v; want nothing left on it", p, err)
	}
}

func TestAToxiproxyThatIsNotOnTheWayIsNoFault(t *testing.T) {
	e := startElsewhere(t)
	o := brownoutRun(t, slowCacheFile(t), "--toxiproxy", e.api, "--cache-url", e.Cache.URL, "--database-url", e.database)
	o.want(t, judge.Invalid)
}
