package server_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// What the service promises with each backend, in the profile resilient:
//
//	                                        memory   redis    tiered
//	a write is seen by the next read here   yes      yes      yes
//	… also when a fill was under way here   yes      yes      yes
//	… also when the invalidation failed     yes      yes      yes
//	a write is seen by other instances      recheck  at once  within CACHE_STALENESS
//	… also when their fill was under way    recheck  recheck  recheck
//	… also when the invalidation was lost   recheck  recheck  recheck
//
// "Recheck" is within CACHE_RECHECK and a query: the database says what is newest.

// keepers are the backends that keep something.
var keepers = []string{server.BackendMemory, server.BackendRedis, server.BackendTiered}

// hookedRunner is a hooked cache that runs.
type hookedRunner struct{ *hooked }

func (h hookedRunner) Run(ctx context.Context, tell func(feature.CacheEvent)) {
	if r, runs := h.Cache.(feature.Runner); runs {
		r.Run(ctx, tell)
	}
}

// staleness is shorter than by default, for the tests' sake.
const staleness = 500 * time.Millisecond

// hookedBackend is a backend whose calls a test can hold or fail.
func hookedBackend(t *testing.T, name, url string) hookedRunner {
	t.Helper()
	p, err := server.FindProfile("resilient")
	if err != nil {
		t.Fatal(err)
	}
	// What is tested is who sees what, not how long a loaded machine takes for it.
	p.Budget, p.Client.BreakAfter = 10*time.Second, 0
	k := &p.Client
	k.DialTimeout, k.ReadTimeout, k.WriteTimeout, k.PoolTimeout = p.Budget, p.Budget, p.Budget, p.Budget
	p.Staleness = staleness
	cfg := server.DefaultConfig(p)
	cfg.RedisURL = url
	c, err := cache.Open(name, cfg.CacheSettings())
	if err != nil {
		t.Fatal(err)
	}
	ok := func() error { return nil }
	return hookedRunner{&hooked{Cache: c, get: ok, set: ok, forget: ok}}
}

// startBackend starts a server with the backend and a budget that a loaded machine
// does not miss.
func startBackend(t *testing.T, h hookedRunner, store *servertest.Store) *servertest.Server {
	t.Helper()
	return servertest.Start(t, "resilient", withCache(h), func(c *server.Config) {
		c.Store, c.Profile.Budget = store, 10*time.Second
	})
}

// forKeepers runs a test with each backend, on a Redis of its own.
func forKeepers(t *testing.T, names []string, test func(t *testing.T, name, url string)) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := ""
			if name != server.BackendMemory {
				url = servertest.Redis(t)
			}
			test(t, name, url)
		})
	}
}

func TestNoBackendTakesAWriteBackWithALateFill(t *testing.T) {
	forKeepers(t, keepers, func(t *testing.T, name, url string) {
		store := servertest.NewStore()
		read, resume := make(chan struct{}), make(chan struct{})
		var first sync.Once
		store.AfterSnapshot = func(feature.Snapshot) { first.Do(func() { close(read); <-resume }) }
		s := startBackend(t, hookedBackend(t, name, url), store)
		put(t, s, 1)
		late := make(chan error, 1)
		go func() {
			_, err := try("GET", flagURL(s), "")
			late <- err
		}()
		<-read
		put(t, s, 2)
		close(resume)
		if err := <-late; err != nil {
			t.Fatal(err)
		}
		wantValue(t, s, 2, name+";fwd=miss;stored")
		wantValue(t, s, 2, name+";hit")
	})
}

func TestNoBackendForgetsAnInvalidationThatFailed(t *testing.T) {
	forKeepers(t, keepers, func(t *testing.T, name, url string) {
		h := hookedBackend(t, name, url)
		var broken atomic.Bool
		h.forget = func() error {
			if broken.Load() {
				return errors.New("broken")
			}
			return nil
		}
		s := startBackend(t, h, servertest.NewStore())
		put(t, s, 1)
		wantValue(t, s, 1, name+";fwd=miss;stored")
		wantValue(t, s, 1, name+";hit")
		broken.Store(true)
		put(t, s, 2)
		wantValue(t, s, 2, name+";fwd=bypass;detail=invalidation-pending")
		broken.Store(false)
		eventually(t, "the entry is used again", func() bool {
			a := request(t, "GET", flagURL(s), "")
			if got := string(a.flag(t).Value); got != "2" {
				t.Errorf("GET = %s after the write of 2", got)
			}
			return a.source() == name+";hit"
		})
	})
}

// Two instances on one database and one Redis. One has read what the other then
// writes.
func TestAWriteIsSeenByOtherInstances(t *testing.T) {
	forKeepers(t, []string{server.BackendRedis, server.BackendTiered}, func(t *testing.T, name, url string) {
		store := servertest.NewStore()
		here := startBackend(t, hookedBackend(t, name, url), store)
		there := startBackend(t, hookedBackend(t, name, url), store)
		promised := map[string]time.Duration{server.BackendRedis: 0, server.BackendTiered: staleness}[name]
		for value := 1; value <= 10; value++ {
			put(t, there, value)
			written := time.Now()
			for {
				began := time.Now()
				got := string(request(t, "GET", flagURL(here), "").flag(t).Value)
				if got == strconv.Itoa(value) {
					break
				}
				if began.Sub(written) > promised {
					t.Fatalf("GET = %s, %v after %d was written elsewhere, want at most %v", got, began.Sub(written), value, promised)
				}
			}
		}
	})
}
