package lab

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"brownout/chaos/failover"
	"brownout/chaos/stack"
)

// A passage is what a client with go-redis' defaults goes through in a failover,
// beside what one went through that was measured without this harness: go-redis
// 9.23.0, Redis 7.0.15, real servers on loopback.
type passage struct {
	name  string
	cache stack.Config
	every time.Duration // between two writes
	watch time.Duration // how long they go on after the event
	event func(b *testing.B, l *Lab)

	tuned func(*redis.ClusterOptions) // nil: defaults

	window float64 // s, as it was measured before; the longest time without a success
	errors int     // as before; -1: not known
	lost   int     // acknowledged writes, as before; -1: not known
}

// The configurations.
func sentinelOf(downAfter time.Duration) stack.Config {
	return stack.Config{Cache: stack.Sentinel, Sentinels: stack.SentinelSettings{DownAfter: downAfter}}
}

func clusterOf(nodeTimeout time.Duration) stack.Config {
	return stack.Config{Cache: stack.Cluster, ClusterNodeTimeout: nodeTimeout}
}

func passages() []passage {
	const (
		s  = time.Second
		ms = time.Millisecond
	)
	replicated := stack.Config{Cache: stack.Replicated}
	return []passage{
		{name: "sentinel/kill", cache: sentinelOf(s), every: 5 * ms, watch: 8 * s, event: killFirst, window: 2.46, errors: -1, lost: 0},
		{name: "sentinel/stop", cache: sentinelOf(s), every: 5 * ms, watch: 8 * s, event: stopFirst, window: 2.36, errors: 0, lost: 0},
		{name: "sentinel/commanded", cache: sentinelOf(s), every: 5 * ms, watch: 8 * s, event: command, window: 0.009, errors: 0, lost: 196},
		{name: "endpoint/demoted-moved-at-once", cache: replicated, every: 10 * ms, watch: 3 * s, event: demoteAndMove(0), window: 0.1, errors: 1, lost: -1},
		{name: "endpoint/demoted-moved-after-5s", cache: replicated, every: 10 * ms, watch: 8 * s, event: demoteAndMove(5 * s), window: 5.00, errors: 493, lost: -1},
		{name: "endpoint/not-demoted", cache: replicated, every: 10 * ms, watch: 30 * s, event: keepBoth, window: 0, errors: 0, lost: 3001},
		{name: "cluster/kill", cache: clusterOf(s), every: 10 * ms, watch: 70 * s, event: killFirst, window: 58.0, errors: 5790, lost: -1},
		{name: "cluster/kill-reload-1s", cache: clusterOf(s), every: 10 * ms, watch: 10 * s, event: killFirst, window: 3.2, errors: -1, lost: -1,
			tuned: func(o *redis.ClusterOptions) { o.ClusterStateReloadInterval = time.Second }},
		{name: "cluster/commanded", cache: clusterOf(s), every: 10 * ms, watch: 5 * s, event: takeShard, window: 0.046, errors: 0, lost: 0},
	}
}

func killFirst(b *testing.B, l *Lab) { must(b, l.Stack.Cache.Kill(b.Context())) }

func stopFirst(b *testing.B, l *Lab) { must(b, l.Stack.Cache.Pause()) }

func command(b *testing.B, l *Lab) {
	must(b, l.Stack.Sentinels()[0].SentinelFailover(b.Context()))
}

func takeShard(b *testing.B, l *Lab) {
	must(b, l.Stack.Servers()[3].ClusterFailover(b.Context(), stack.Agreed))
}

func demoteAndMove(after time.Duration) func(*testing.B, *Lab) {
	return func(b *testing.B, l *Lab) {
		s := replicatedOf(b, l)
		must(b, s.Promote(b.Context()))
		must(b, s.Demote(b.Context()))
		time.Sleep(after)
		must(b, s.Move(b.Context()))
	}
}

func keepBoth(b *testing.B, l *Lab) {
	s := replicatedOf(b, l)
	must(b, s.Promote(b.Context()))
	must(b, s.Move(b.Context()))
}

func replicatedOf(b *testing.B, l *Lab) failover.Endpoints {
	s, err := l.Site(b.Context())
	must(b, err)
	return s.(failover.Endpoints)
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// pooled is the size of a pool that leads to an endpoint.
const pooled = 20

// client finds the cache of l with the defaults of go-redis.
func (p passage) client(l *Lab) redis.UniversalClient {
	links := func(nodes []*stack.Node) (all []string) {
		for _, n := range nodes {
			all = append(all, n.Link)
		}
		return all
	}
	switch l.Topology() {
	case stack.Sentinel:
		return redis.NewFailoverClient(&redis.FailoverOptions{MasterName: stack.SentinelPrimary, SentinelAddrs: links(l.Stack.Sentinels())})
	case stack.Cluster:
		o := &redis.ClusterOptions{Addrs: links(l.Stack.Servers())}
		if p.tuned != nil {
			p.tuned(o)
		}
		return redis.NewClusterClient(o)
	}
	// Its pool is full at the start: what is dialled later finds the name where it leads then.
	return redis.NewClient(&redis.Options{Addr: l.Link(Primary).Addr(), PoolSize: pooled, MinIdleConns: pooled})
}

// A tally is what became of writes.
type tally struct {
	mu     sync.Mutex
	last   time.Time // success
	window time.Duration
	failed int
	acked  []string
}

// note counts one write.
func (t *tally) note(key string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.failed++
		return
	}
	now := time.Now()
	t.window = max(t.window, now.Sub(t.last))
	t.last = now
	t.acked = append(t.acked, key)
}

// tag puts all keys of a cluster into its first shard: the slot of {3} is 1584.
const tag = "{3}"

// write writes every so often, whatever became of the writes before, until ctx is
// done and all have ended.
func (t *tally) write(ctx context.Context, c redis.UniversalClient, every time.Duration) {
	t.last = time.Now()
	var under sync.WaitGroup
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			under.Wait()
			return
		case <-tick.C:
		}
		key := tag + strconv.Itoa(i)
		under.Go(func() { t.note(key, c.Set(context.Background(), key, "value", 0).Err()) })
	}
}

// missing is how many acknowledged writes the cache does not have.
func (t *tally) missing(b *testing.B, c redis.UniversalClient) (lost int) {
	for _, key := range t.acked {
		switch err := c.Get(b.Context(), key).Err(); {
		case errors.Is(err, redis.Nil):
			lost++
		case err != nil:
			b.Fatalf("reading %s back: %v", key, err)
		}
	}
	return lost
}

// BenchmarkFailover shows the figures of each passage beside those of before. It
// takes minutes, and is no test: figures of before do not make it fail. It is run
// with -benchtime 1x.
func BenchmarkFailover(b *testing.B) {
	for _, p := range passages() {
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() {
				p.measure(b)
			}
		})
	}
}

// measure goes through p once. Writes go on for a while before the event.
func (p passage) measure(b *testing.B) {
	l, err := Open(b.Context(), Config{Stack: p.cache})
	defer func() { must(b, l.Close(context.Background())) }()
	must(b, err)
	c := p.client(l)
	defer c.Close()
	var t tally
	ctx, stop := context.WithCancel(b.Context())
	var writing sync.WaitGroup
	writing.Go(func() { t.write(ctx, c, p.every) })
	const before = 2 * time.Second
	time.Sleep(before)
	end := time.Now().Add(p.watch)
	p.event(b, l)
	time.Sleep(time.Until(end))
	stop()
	writing.Wait()
	// Another client: this one may still go where the name led before.
	reader := p.client(l)
	defer reader.Close()
	p.report(b, &t, t.missing(b, reader))
}

func (p passage) report(b *testing.B, t *tally, lost int) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(t.window.Seconds(), "s-window")
	b.ReportMetric(float64(t.failed), "errors")
	b.ReportMetric(float64(lost), "lost")
	known := func(n int) string {
		if n < 0 {
			return "not known"
		}
		return strconv.Itoa(n)
	}
	b.Logf("window %.2fs (before: %.2fs), errors %d (before: %s), acknowledged writes lost %d of %d (before: %s)",
		t.window.Seconds(), p.window, t.failed, known(p.errors), lost, len(t.acked), known(p.lost))
}
