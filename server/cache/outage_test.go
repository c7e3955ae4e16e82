package cache_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/chaos"
	"brownout/chaos/stack"
	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// events runs a cache until the test ends and returns what it tells. What nobody takes
// is dropped: in an election a breaker may open and close more often than there is room
// for, and a cache that waited to be heard would stay closed.
func events(t *testing.T, c *cache.Redis) <-chan feature.CacheEvent {
	t.Helper()
	told := make(chan feature.CacheEvent, 100)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		c.Run(ctx, func(e feature.CacheEvent) {
			select {
			case told <- e:
			default:
			}
		})
	})
	t.Cleanup(func() { stop(); c.Close(); running.Wait() })
	return told
}

// await waits for an event and drops others.
func await(t *testing.T, told <-chan feature.CacheEvent, want feature.CacheEvent) {
	t.Helper()
	limit := time.After(guard)
	for {
		select {
		case got := <-told:
			if got == want {
				return
			}
		case <-limit:
			t.Fatalf("the cache never tells %v", want)
		}
	}
}

// A Redis that hangs is found out by a few commands; then none is sent, nobody waits,
// and it is used again without anybody having asked.
func TestNoCallerWaitsForARedisThatHangs(t *testing.T) {
	t.Parallel()
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis})
	s := settings(servers.Cache.URL)
	s.WatchEmpty = false
	s.Client.ReadTimeout, s.Client.BreakAfter = 100*time.Millisecond, 3
	c, err := cache.NewRedis(s)
	if err != nil {
		t.Fatal(err)
	}
	told := events(t, c)
	set(t, c, "e", "x")
	if err := servers.Cache.Pause(); err != nil {
		t.Fatal(err)
	}
	waited := 0
	for range 100 {
		began := time.Now()
		_, err := c.Get(t.Context(), "e")
		if feature.Class(err) != feature.ClassTimeout {
			t.Fatalf("Get() = %v, class %q, want timeout", err, feature.Class(err))
		}
		if time.Since(began) >= s.Client.ReadTimeout {
			waited++
		}
	}
	// A machine that stalls may make some more of them look as if they had waited.
	if waited > 50 {
		t.Errorf("%d of 100 reads waited, want 3", waited)
	}
	if err := servers.Cache.Continue(); err != nil {
		t.Fatal(err)
	}
	await(t, told, feature.CacheBack)
	get(t, c, "e", "x")
}

// A link may be too slow for entries and let a PING through. Then Redis is not back: the
// breaker would open and close for as long as it lasts, and callers wait each time.
func TestARedisIsBackWhenItGivesWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis})
	gate, through := servertest.Gate(t, "cache", servers.Cache.URL)
	s := settings(through)
	s.WatchEmpty = false
	s.Client.ReadTimeout, s.Client.BreakAfter = 200*time.Millisecond, 3
	c, err := cache.NewRedis(s)
	if err != nil {
		t.Fatal(err)
	}
	told := events(t, c)
	entry := strings.Repeat("x", 1<<16) // seconds, at that rate
	set(t, c, "e", entry)
	slow, err := gate.Inject(t.Context(), chaos.Fault{On: "cache", Kind: chaos.Bandwidth, Rate: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { _, _ = c.Get(t.Context(), "e"); return c.Broken() })
	asked := c.Traffic().Command("get")
	eventually(t, func() bool { return c.Traffic().Command("get") >= asked+5 })
	select {
	case e := <-told:
		t.Errorf("the cache tells %v, want nothing: it has not given the entry", e)
	default:
	}
	if _, err := slow.Revert(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, told, feature.CacheBack)
	get(t, c, "e", entry)
}

func TestARedisThatIsAwayAtTheStartIsFound(t *testing.T) {
	t.Parallel()
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis})
	if err := servers.Cache.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := cache.NewRedis(settings(servers.Cache.URL))
	if err != nil {
		t.Fatal(err)
	}
	told := events(t, c)
	eventually(t, func() bool { _, err := c.Get(t.Context(), "e"); return feature.Class(err) == feature.ClassRefused })
	if err := servers.Cache.Restart(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	await(t, told, feature.CacheBack)
	get(t, c, "e", "")
}

func TestALossIsTold(t *testing.T) {
	t.Parallel()
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis})
	c, err := cache.NewRedis(settings(servers.Cache.URL))
	if err != nil {
		t.Fatal(err)
	}
	told := events(t, c)
	await(t, told, feature.CacheEmpty) // it was, before anybody came
	do(t, servers, "FLUSHALL")
	await(t, told, feature.CacheEmpty)
	looks := commands(t, servers, "set")
	eventually(t, func() bool { return commands(t, servers, "set") >= looks+2 })
	select {
	case e := <-told:
		t.Errorf("the cache tells %v, want nothing: all is there", e)
	default:
	}
}

// After a failover nobody has to ask for the client to find the new primary, and what
// it asks then is answered.
func TestTheNewPrimaryIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	for _, topology := range []string{stack.Sentinel, stack.Cluster} {
		t.Run(topology, func(t *testing.T) {
			t.Parallel()
			servers := servertest.Caches(t, stack.Config{Cache: topology})
			s := settings(servertest.RedisURL(t, servers, topology))
			s.Client.ReadTimeout, s.Client.DialTimeout = 200*time.Millisecond, 200*time.Millisecond
			c, err := cache.NewRedis(s)
			if err != nil {
				t.Fatal(err)
			}
			events(t, c)
			set(t, c, "e", "x")
			if err := servers.Cache.Kill(t.Context()); err != nil {
				t.Fatal(err)
			}
			// Whichever shard an entry is in: some are in that of the dead primary.
			for range 20 {
				e := environment()
				eventually(t, func() bool { return c.Set(t.Context(), e, []byte("x")) == nil })
				get(t, c, e, "x")
			}
		})
	}
}
