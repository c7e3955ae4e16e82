package cache_test

import (
	"errors"
	"testing"
	"time"

	"brownout/chaos/stack"
	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// copies makes two tiered caches on one Redis, one of them behind a relay.
func copies(t *testing.T) (servers *stack.Stack, relay *servertest.Relay, held, free feature.Cache, staleness time.Duration) {
	t.Helper()
	servers = servertest.Caches(t, stack.Config{Cache: stack.Redis})
	relay, through := servertest.NewRelay(t, servers.Cache.URL)
	s := settings(through)
	// Quick to fail: the tests wait for what happens then.
	s.Client.ReadTimeout, s.Client.DialTimeout, s.Client.PoolTimeout = 200*time.Millisecond, 200*time.Millisecond, 200*time.Millisecond
	held = open(t, cache.BackendTiered, s)
	return servers, relay, held, open(t, cache.BackendTiered, settings(servers.Cache.URL)), s.Staleness
}

// An instance that is cut off, with all connections open, does not use what others
// have deleted for longer than was promised.
func TestACopyIsNotUsedForLongWhenNothingIsHeard(t *testing.T) {
	t.Parallel()
	_, relay, held, free, staleness := copies(t)
	e := environment()
	set(t, free, e, "old")
	outlive(t, held, e, "old", 2*staleness) // the subscription carries it
	relay.Hold(true)
	remove(t, free, e)
	gone(t, held, e, time.Now(), staleness, false)
	relay.Hold(false)
	set(t, free, e, "new")
	eventually(t, func() bool {
		data, err := held.Get(t.Context(), e)
		return err == nil && string(data) == "new"
	})
	outlive(t, held, e, "new", 2*staleness)
}

// A copy is used for longer than the staleness while invalidations are heard, and
// Redis is not asked for it.
func TestACopyIsUsedWithoutRedis(t *testing.T) {
	t.Parallel()
	servers, _, held, free, staleness := copies(t)
	e := environment()
	set(t, free, e, "x")
	outlive(t, held, e, "x", 2*staleness)
	before := calls(t, servers)
	const reads = 1000
	for range reads {
		get(t, held, e, "x")
	}
	if n := calls(t, servers) - before; n > reads/2 {
		t.Errorf("%d reads of a copy took %d commands, want few or none", reads, n)
	}
}

// While Redis is away, what is brought from the database is kept for the staleness,
// and no longer: nobody would hear of an invalidation.
func TestACopyHelpsWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	servers, _, held, _, staleness := copies(t)
	if err := servers.Cache.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		e := environment()
		get(t, held, e, "") // a miss, that asks for a copy
		set(t, held, e, "x")
		made := time.Now()
		for hits := 0; ; hits++ {
			began := time.Now()
			_, err := held.Get(t.Context(), e)
			if errors.Is(err, feature.ErrMiss) {
				if hits == 0 && began.Sub(made) < staleness/2 {
					t.Errorf("the copy was gone after %v, want %v", began.Sub(made), staleness)
				}
				break
			}
			if err != nil || began.Sub(made) > staleness {
				t.Fatalf("Get() = %v after %v, want a copy for %v", err, began.Sub(made), staleness)
			}
		}
		remove := held.Delete(t.Context(), e)
		if remove == nil {
			t.Error("Delete() = nil while Redis is away, want an error: it must be repeated")
		}
	}
	if err := servers.Cache.Restart(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return held.Delete(t.Context(), environment()) == nil })
}

// outlive reads value for as long as given, without a miss in between once it is
// there.
func outlive(t *testing.T, c feature.Cache, environment, value string, long time.Duration) {
	t.Helper()
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(time.Millisecond) {
		get(t, c, environment, value)
	}
}

// eventually waits until it is so.
func eventually(t *testing.T, so func() bool) {
	t.Helper()
	for limit := time.Now().Add(guard); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("it is still not so")
		}
	}
}

// calls is how many times Redis was asked for an entry.
func calls(t *testing.T, servers *stack.Stack) int {
	t.Helper()
	return commands(t, servers, "get")
}

// After a failover invalidations are heard again, from the new primary: copies are used
// for longer than they would be otherwise.
func TestInvalidationsAreHeardAfterAFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	for _, topology := range []string{stack.Sentinel, stack.Cluster} {
		t.Run(topology, func(t *testing.T) {
			t.Parallel()
			servers := servertest.Caches(t, stack.Config{Cache: topology})
			s := settings(servertest.RedisURL(t, servers, topology))
			s.Client.ReadTimeout, s.Client.DialTimeout = 200*time.Millisecond, 200*time.Millisecond
			here, there := open(t, cache.BackendTiered, s), open(t, cache.BackendTiered, s)
			behind := open(t, cache.BackendRedis, s) // tells nobody what it deletes
			eventually(t, func() bool { return covered(t, here, behind, s.Staleness) })
			if err := servers.Cache.Kill(t.Context()); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() bool { return covered(t, here, behind, s.Staleness) })
			e := environment()
			eventually(t, func() bool {
				return there.Set(t.Context(), e, []byte("x")) == nil && there.Delete(t.Context(), e) == nil
			})
		})
	}
}

// covered reports whether a copy is used for longer than the staleness, which shows in
// an entry that is gone from Redis without anybody having been told.
func covered(t *testing.T, c, behind feature.Cache, staleness time.Duration) bool {
	e := environment()
	if err := c.Set(t.Context(), e, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if behind.Delete(t.Context(), e) != nil {
		return false
	}
	waitUntil(t, time.Now().Add(staleness+staleness/10))
	_, err := c.Get(t.Context(), e)
	return err == nil
}
