package server_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// eventful is a cache in memory that tells what the test wants.
type eventful struct {
	*hooked
	running chan func(feature.CacheEvent) // gets tell when it runs
}

func (e *eventful) Run(ctx context.Context, tell func(feature.CacheEvent)) {
	e.running <- tell
	<-ctx.Done()
}

func startEventful(t *testing.T, warm []string, store *servertest.Store) (*servertest.Server, *eventful, func(feature.CacheEvent)) {
	t.Helper()
	c := &eventful{newHooked(t), make(chan func(feature.CacheEvent), 1)}
	s := servertest.Start(t, "resilient", withCache(c), func(c *server.Config) { c.Store, c.Warm = store, warm })
	return s, c, <-c.running
}

func write(t *testing.T, store *servertest.Store, environments ...string) {
	t.Helper()
	for _, e := range environments {
		if _, err := store.Put(t.Context(), e, "f", feature.Draft{Value: []byte("1")}); err != nil {
			t.Fatal(err)
		}
	}
}

// cached reports whether the cache has all of the environments.
func cached(t *testing.T, c feature.Cache, environments ...string) func() bool {
	return func() bool {
		for _, e := range environments {
			if _, err := c.Get(t.Context(), e); err != nil {
				return false
			}
		}
		return true
	}
}

// The cache fails at first, and one environment was never written.
func TestEnvironmentsAreReadIntoTheCacheAtTheStart(t *testing.T) {
	store := servertest.NewStore()
	write(t, store, "a", "b", "c")
	var fills atomic.Int32
	h := newHooked(t)
	h.set = func() error {
		if fills.Add(1) == 1 {
			return errors.New("broken")
		}
		return nil
	}
	servertest.Start(t, "resilient", withCache(h), func(c *server.Config) { c.Store, c.Warm = store, []string{"nonesuch", "a", "b"} })
	eventually(t, "both are cached", cached(t, h.Cache, "a", "b"))
	if cached(t, h.Cache, "c")() {
		t.Error("c is cached, and nobody asked for it")
	}
}

func TestWhatIsInUseIsReadAgainWhenTheCacheHasLostIt(t *testing.T) {
	store := servertest.NewStore()
	write(t, store, "e", "b", "c")
	var mu sync.Mutex
	together, most := 0, 0
	store.Before = func(_ context.Context, operation string) error {
		if operation == "snapshot" {
			mu.Lock()
			together++
			most = max(most, together)
			mu.Unlock()
		}
		return nil
	}
	store.AfterSnapshot = func(feature.Snapshot) { mu.Lock(); together--; mu.Unlock() }
	s, c, tell := startEventful(t, []string{"b"}, store)
	eventually(t, "b is cached", cached(t, c.Cache, "b"))
	wantValue(t, s, 1, "memory;fwd=miss;stored")
	for _, e := range []string{"e", "b"} {
		if err := c.Cache.Delete(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	tell(feature.CacheEmpty)
	eventually(t, "both are cached again", cached(t, c.Cache, "e", "b"))
	if most != 1 {
		t.Errorf("%d queries at the same time, want one after the other", most)
	}
	if cached(t, c.Cache, "c")() {
		t.Error("c is cached, and nobody uses it")
	}
}
