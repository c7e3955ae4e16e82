package cache_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"brownout/chaos/stack"
	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// What is counted here is what Redis counts.
func TestTrafficIsWhatRedisSees(t *testing.T) {
	t.Parallel()
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis})
	for _, name := range []string{cache.BackendRedis, cache.BackendTiered} {
		t.Run(name, func(t *testing.T) {
			s := settings(servers.Cache.URL)
			s.WatchEmpty = false
			c, err := cache.Open(name, s) // it does not run, so that nothing goes on by itself
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			traffic := c.(cache.Metered).Traffic()
			if n := traffic.Dials.Load() + traffic.Sent.Load(); n != 0 {
				t.Errorf("before anything was done %d dials and bytes were counted, want 0", n)
			}
			before := map[string]int{}
			for _, command := range cache.Commands() {
				before[command] = commands(t, servers, command)
			}
			const size = 100_000
			e := environment()
			get(t, c, e, "")
			set(t, c, e, strings.Repeat("x", size))
			sent := traffic.Sent.Load()
			remove(t, c, e)
			get(t, c, e, "")
			for _, command := range []string{"get", "pttl", "setex", "del", "publish"} {
				if got, want := int(traffic.Command(command)), commands(t, servers, command)-before[command]; got != want {
					t.Errorf("%s was counted %d times, Redis has %d", command, got, want)
				}
			}
			if traffic.Command("get") != 2 || traffic.Command("setex") != 1 {
				t.Errorf("get and setex were counted %d and %d times, want 2 and 1", traffic.Command("get"), traffic.Command("setex"))
			}
			if sent < size || sent > size+1000 {
				t.Errorf("%d bytes were sent, want %d and a little", sent, size)
			}
			if traffic.Dials.Load() != 1 || traffic.FailedDials.Load() != 0 || traffic.Failures.Load() != 0 {
				t.Errorf("%d dials, %d failed ones and %d failed commands, want 1 dial", traffic.Dials.Load(), traffic.FailedDials.Load(), traffic.Failures.Load())
			}
		})
	}
}

func TestBytesThatAreReadAreCounted(t *testing.T) {
	t.Parallel()
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis})
	c, err := cache.NewRedis(settings(servers.Cache.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const size = 50_000
	set(t, c, "e", strings.Repeat("x", size))
	before := c.Traffic().Received.Load()
	get(t, c, "e", strings.Repeat("x", size))
	if got := c.Traffic().Received.Load() - before; got < size || got > size+1000 {
		t.Errorf("%d bytes were received, want %d and a little", got, size)
	}
}

func TestCommandsAndDialsThatFailAreCounted(t *testing.T) {
	t.Parallel()
	s := settings("redis://127.0.0.1:1")
	s.Client.BreakAfter = 2
	c, err := cache.NewRedis(s)
	if err != nil {
		t.Fatal(err)
	}
	told := events(t, c)
	for range 2 {
		if _, err := c.Get(t.Context(), "e"); err == nil || errors.Is(err, feature.ErrMiss) {
			t.Fatalf("Get() = %v, want an error", err)
		}
	}
	for began := time.Now(); !c.Broken(); time.Sleep(time.Millisecond) {
		if time.Since(began) > guard {
			t.Fatal("the breaker never opens")
		}
		_, _ = c.Get(t.Context(), "e")
	}
	if n := c.Traffic(); n.Failures.Load() < 2 || n.FailedDials.Load() < 2 || n.Dials.Load() < n.FailedDials.Load() {
		t.Errorf("%d commands and %d of %d dials failed, want 2 or more", n.Failures.Load(), n.FailedDials.Load(), n.Dials.Load())
	}
	_ = told
}
