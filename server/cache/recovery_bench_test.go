package cache_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/chaos/stack"
	"brownout/server"
	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/servertest"

	"github.com/redis/go-redis/v9"
)

// How an outage is measured.
const (
	askEvery   = 5 * time.Millisecond // one read: 200/s, whatever became of the others
	lookEvery  = time.Millisecond     // how exact the end of an outage is known
	outage     = 3 * time.Second      // of refused and silent; Sentinels and clusters take their own time
	longest    = 10 * time.Second     // after which nobody waits for a client any more
	benchEntry = "e"
)

// BenchmarkRecovery measures how long after the end of an outage the cache gives its
// first answer: a client with the profile resilient, beside one with go-redis'
// defaults, in the same outages. Each iteration is an outage; the figures are medians.
// 10000 stands for none within 10s. Run it with -benchtime=7x.
func BenchmarkRecovery(b *testing.B) {
	for _, o := range []struct {
		name     string
		topology string
		round    func(*testing.B, *stack.Stack) (healed time.Time, tidy func())
	}{
		{"refused", stack.Redis, refusedThenBack},
		{"silent", stack.Redis, silentThenBack},
		{"sentinel", stack.Sentinel, sentinelNamesAnother},
		{"cluster", stack.Cluster, clusterNamesAnother},
	} {
		b.Run(o.name, func(b *testing.B) {
			servers := servertest.Caches(b, stack.Config{Cache: o.topology, Sentinels: stack.SentinelSettings{InfoPeriod: time.Second, PublishPeriod: 200 * time.Millisecond}})
			arms := []*arm{resilient(b, servertest.RedisURL(b, servers, o.topology)), defaults(b, servers, o.topology)}
			for range b.N {
				ctx, stop := context.WithCancel(b.Context())
				var asking sync.WaitGroup
				for _, a := range arms {
					asking.Go(func() { a.run(ctx) })
				}
				healed, tidy := o.round(b, servers)
				for _, a := range arms {
					a.measure(healed)
				}
				stop()
				asking.Wait()
				tidy()
			}
			for _, a := range arms {
				a.report(b)
			}
		})
	}
}

// An arm is a client under measurement.
type arm struct {
	name string
	ask  func(context.Context) error

	mu      sync.Mutex
	at      []time.Time // of answers
	answers chan struct{}
	took    []time.Duration
}

// resilient is our client, with the profile and budget of the server.
func resilient(b *testing.B, url string) *arm {
	p, err := server.FindProfile("resilient")
	if err != nil {
		b.Fatal(err)
	}
	cfg := server.DefaultConfig(p)
	cfg.RedisURL = url
	c, err := cache.NewRedis(cfg.CacheSettings())
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx, func(feature.CacheEvent) {}) })
	b.Cleanup(func() { stop(); c.Close(); running.Wait() })
	return &arm{name: "resilient", answers: make(chan struct{}, 1), ask: func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, p.Budget)
		defer cancel()
		_, err := c.Get(ctx, benchEntry)
		return err
	}}
}

// defaults is go-redis with what it does when nobody sets anything.
func defaults(b *testing.B, s *stack.Stack, topology string) *arm {
	var addrs []string
	for _, n := range s.Servers() {
		addrs = append(addrs, n.Link)
	}
	var c redis.UniversalClient = redis.NewClient(&redis.Options{Addr: addrs[0]})
	switch topology {
	case stack.Sentinel:
		addrs = nil
		for _, n := range s.Sentinels() {
			addrs = append(addrs, n.Link)
		}
		c = redis.NewFailoverClient(&redis.FailoverOptions{MasterName: stack.SentinelPrimary, SentinelAddrs: addrs})
	case stack.Cluster:
		c = redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	}
	b.Cleanup(func() { c.Close() })
	return &arm{name: "go-redis", answers: make(chan struct{}, 1), ask: func(ctx context.Context) error {
		return c.Get(ctx, "feature_flags:"+benchEntry).Err()
	}}
}

// run asks at its rate until ctx ends.
func (a *arm) run(ctx context.Context) {
	var asking sync.WaitGroup
	defer asking.Wait()
	for t := time.NewTicker(askEvery); ctx.Err() == nil; {
		asking.Go(func() {
			if err := a.ask(ctx); err == nil || errors.Is(err, feature.ErrMiss) || errors.Is(err, redis.Nil) {
				a.answered()
			}
		})
		select {
		case <-ctx.Done():
			t.Stop()
		case <-t.C:
		}
	}
}

func (a *arm) answered() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = append(a.at, time.Now())
	select {
	case a.answers <- struct{}{}:
	default:
	}
}

// measure waits for the first answer after the outage.
func (a *arm) measure(healed time.Time) {
	limit := time.After(longest)
	for {
		if first, found := a.first(healed); found {
			a.took = append(a.took, first.Sub(healed))
			return
		}
		select {
		case <-a.answers:
		case <-limit:
			a.took = append(a.took, longest)
			return
		}
	}
}

// first is when the first answer after the outage came.
func (a *arm) first(healed time.Time) (time.Time, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := slices.IndexFunc(a.at, healed.Before)
	if i < 0 {
		return time.Time{}, false
	}
	return a.at[i], true
}

func (a *arm) report(b *testing.B) {
	slices.Sort(a.took)
	median := a.took[len(a.took)/2]
	b.ReportMetric(float64(median.Microseconds())/1000, a.name+"-ms")
	b.ReportMetric(float64(a.took[len(a.took)-1].Microseconds())/1000, a.name+"-worst-ms")
	b.Logf("%s: %v", a.name, a.took)
}

// must ends the benchmark.
func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// until asks until it is so, and returns when that was.
func until(b *testing.B, so func() bool) time.Time {
	b.Helper()
	for limit := time.Now().Add(time.Minute); ; time.Sleep(lookEvery) {
		if so() {
			return time.Now()
		}
		if time.Now().After(limit) {
			b.Fatal("the outage does not end")
		}
	}
}

func nothing() {}

func refusedThenBack(b *testing.B, s *stack.Stack) (time.Time, func()) {
	must(b, s.Cache.Kill(b.Context()))
	time.Sleep(outage)
	back := make(chan time.Time, 1)
	go func() {
		back <- until(b, func() bool {
			_, err := s.Cache.Do(b.Context(), "PING")
			return err == nil
		})
	}()
	must(b, s.Cache.Restart(b.Context(), true))
	return <-back, nothing
}

func silentThenBack(b *testing.B, s *stack.Stack) (time.Time, func()) {
	must(b, s.Cache.Pause())
	time.Sleep(outage)
	must(b, s.Cache.Continue())
	return time.Now(), nothing
}

// sentinelNamesAnother ends when the first of the Sentinels names another primary.
func sentinelNamesAnother(b *testing.B, s *stack.Stack) (time.Time, func()) {
	dead, err := s.Primary(b.Context())
	must(b, err)
	time.Sleep(outage) // the clients are at work
	must(b, dead.Kill(b.Context()))
	healed := until(b, func() bool {
		return slices.ContainsFunc(s.Sentinels(), func(n *stack.Node) bool {
			named, err := s.PrimaryBySentinel(b.Context(), n)
			return err == nil && named != dead
		})
	})
	return healed, func() { must(b, dead.Restart(b.Context(), false)); must(b, s.Await(b.Context())) }
}

// clusterNamesAnother ends when the first node names another primary for the entry.
func clusterNamesAnother(b *testing.B, s *stack.Stack) (time.Time, func()) {
	dead, err := primaryOf(b, s, s.Cache)
	must(b, err)
	time.Sleep(outage)
	must(b, dead.Kill(b.Context()))
	healed := until(b, func() bool {
		return slices.ContainsFunc(s.Servers(), func(n *stack.Node) bool {
			if n == dead {
				return false
			}
			named, err := primaryOf(b, s, n)
			return err == nil && named != dead
		})
	})
	return healed, func() { must(b, dead.Restart(b.Context(), false)); must(b, s.Await(b.Context())) }
}

// primaryOf is who serves the entry in the eyes of n.
func primaryOf(b *testing.B, s *stack.Stack, n *stack.Node) (*stack.Node, error) {
	reply, err := n.Do(b.Context(), "CLUSTER", "KEYSLOT", "feature_flags:"+benchEntry)
	if err != nil {
		return nil, err
	}
	all, err := s.Shards(b.Context(), n)
	if err != nil {
		return nil, err
	}
	for _, shard := range all {
		var slot int
		if _, err := fmt.Sscan(strings.TrimSpace(reply.Text), &slot); err == nil && shard.From <= slot && slot <= shard.To {
			return shard.Primary, nil
		}
	}
	return nil, errors.New("nobody serves the entry")
}
