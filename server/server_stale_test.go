package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// A gone is a cache and a store that can be taken away together.
type gone struct {
	cache, store atomic.Bool
	hold         atomic.Pointer[func()] // called first by every operation of the store
}

func (g *gone) start(t *testing.T, profile string, change ...func(*server.Config)) *servertest.Server {
	t.Helper()
	h := newHooked(t)
	fails := func() error {
		if g.cache.Load() {
			return errors.New("down")
		}
		return nil
	}
	h.get, h.set, h.forget = fails, fails, fails
	store := servertest.NewStore()
	store.Before = func(context.Context, string) error {
		if hold := g.hold.Load(); hold != nil {
			(*hold)()
		}
		if g.store.Load() {
			return fmt.Errorf("secret host: %w", feature.ErrUnavailable)
		}
		return nil
	}
	withStore := func(c *server.Config) { c.Cache, c.Store = h, store }
	s := servertest.Start(t, profile, append([]func(*server.Config){withStore}, change...)...)
	s.Store = store
	return s
}

func (g *gone) all() { g.cache.Store(true); g.store.Store(true) }

const stale = "memory;fwd=bypass;detail=error, snapshot;hit;ttl=-1;detail=database-error"

func TestWithCacheAndDatabaseGoneTheLastGoodSnapshotAnswers(t *testing.T) {
	for _, profile := range profiles {
		t.Run(profile, func(t *testing.T) {
			var g gone
			s := g.start(t, profile)
			put(t, s, 1)
			wantValue(t, s, 1, "memory;fwd=miss;stored")
			g.all()
			if profile == "seed" {
				if a := request(t, "GET", flagURL(s), ""); a.code != 503 {
					t.Errorf("GET = %d, want 503", a.code)
				}
				return
			}
			wantValue(t, s, 1, stale)
			if a := request(t, "GET", s.URL+"/v1/environments/other/flags/f", ""); a.code != 503 || a.header.Get("Retry-After") == "" {
				t.Errorf("GET of what was never read = %d, want 503 with Retry-After", a.code)
			}
			g.store.Store(false)
			waitForSource(t, s, "memory;fwd=bypass;detail=error")
		})
	}
}

// A server that is cut off is ready as long as it has something to answer, and says
// that this is old.
func TestReadyWithoutADatabaseSaysThatAnswersAreOld(t *testing.T) {
	for _, row := range []struct {
		name, profile string
		read          bool
		most          time.Duration
		code          int
	}{
		{"a snapshot is kept", "resilient", true, time.Hour, 200},
		{"nothing was read", "resilient", false, time.Hour, 503},
		{"what is kept is too old", "resilient", true, time.Nanosecond, 503},
		{"nothing is kept", "seed", true, 0, 503},
	} {
		t.Run(row.name, func(t *testing.T) {
			var g gone
			s := g.start(t, row.profile, func(c *server.Config) { c.Profile.StaleIfError = row.most })
			put(t, s, 1)
			if row.read {
				wantValue(t, s, 1, "memory;fwd=miss;stored")
			}
			if a := request(t, "GET", s.URL+"/readyz", ""); a.code != 200 || strings.Contains(a.body, "stale") {
				t.Errorf("GET /readyz = %d %s, want 200 without stale", a.code, a.body)
			}
			g.store.Store(true)
			a := request(t, "GET", s.URL+"/readyz", "")
			if says := strings.Contains(a.body, `"stale":{"oldest_seconds":`); a.code != row.code || says != (row.code == 200) {
				t.Errorf("GET /readyz = %d %s, want %d, stale only with 200", a.code, a.body, row.code)
			}
			if !strings.Contains(a.body, `"name":"database","required":true,"ok":false`) {
				t.Errorf("GET /readyz = %s, want it to say that the database is gone", a.body)
			}
		})
	}
}

// waitForSource reads until an answer comes from there.
func waitForSource(t *testing.T, s *servertest.Server, want string) {
	t.Helper()
	eventually(t, want, func() bool { return request(t, "GET", flagURL(s), "").source() == want })
}

// What was written here after the last read is in the snapshot, too.
func TestAStaleAnswerHasTheWritesOfThisInstance(t *testing.T) {
	var g gone
	s := g.start(t, "resilient")
	other := strings.TrimSuffix(flagURL(s), "f") + "a"
	put(t, s, 1)
	wantValue(t, s, 1, "memory;fwd=miss;stored")
	put(t, s, 2)
	if a := request(t, "PUT", other, `{"enabled":true,"value":7}`); a.code != 201 {
		t.Fatalf("PUT = %d, want 201", a.code)
	}
	g.cache.Store(true)
	put(t, s, 3)
	g.all()
	const pending = "memory;fwd=bypass;detail=invalidation-pending, snapshot;hit;ttl=-1;detail=database-error"
	wantValue(t, s, 3, pending)
	if a := request(t, "GET", other, ""); a.code != 200 || a.flag(t).Version != 1 {
		t.Errorf("GET of the flag made last = %d %s, want version 1", a.code, a.body)
	}
	g.store.Store(false)
	if a := request(t, "DELETE", other, ""); a.code != 204 {
		t.Fatalf("DELETE = %d, want 204", a.code)
	}
	g.all()
	if a := request(t, "GET", other, ""); a.code != 404 {
		t.Errorf("GET of a deleted flag = %d %s, want 404", a.code, a.body)
	}
}

// Somebody else wrote between the last read and a write of this instance: what is
// kept is older than that write, and does not answer.
func TestNoStaleAnswerIsOlderThanAWriteOfThisInstance(t *testing.T) {
	var g gone
	s := g.start(t, "resilient")
	put(t, s, 1)
	wantValue(t, s, 1, "memory;fwd=miss;stored")
	if _, err := s.Store.Put(t.Context(), "e", "other", feature.Draft{Value: json.RawMessage("0")}); err != nil {
		t.Fatal(err)
	}
	put(t, s, 2)
	g.all()
	if a := request(t, "GET", flagURL(s), ""); a.code != 503 {
		t.Errorf("GET = %d %s (%s), want 503", a.code, a.body, a.source())
	}
}

func TestAStaleAnswerHasABoundedAge(t *testing.T) {
	var g gone
	s := g.start(t, "resilient", func(c *server.Config) { c.Profile.StaleIfError = time.Nanosecond })
	put(t, s, 1)
	wantValue(t, s, 1, "memory;fwd=miss;stored")
	g.all()
	if a := request(t, "GET", flagURL(s), ""); a.code != 503 {
		t.Errorf("GET = %d (%s), want 503: what is kept is too old", a.code, a.source())
	}
}

// A silent database holds one read; the others have their stale answer at once.
func TestASilentDatabaseHoldsOneReadAtATime(t *testing.T) {
	var g gone
	s := g.start(t, "resilient")
	put(t, s, 1)
	wantValue(t, s, 1, "memory;fwd=miss;stored")
	g.all()
	wantValue(t, s, 1, stale) // from now on it is known to be down
	asking, resume := make(chan struct{}), make(chan struct{})
	var first sync.Once
	hold := func() { first.Do(func() { close(asking) }); <-resume }
	g.hold.Store(&hold)
	held := make(chan answer, 1)
	go func() {
		a, _ := try("GET", flagURL(s), "")
		held <- a
	}()
	<-asking
	for range 10 {
		wantValue(t, s, 1, "memory;fwd=bypass;detail=error, snapshot;hit;ttl=-1;detail=database-unavailable")
	}
	close(resume)
	if a := <-held; a.code != 200 || a.source() != stale {
		t.Errorf("the held read = %d %q, want 200 %q", a.code, a.source(), stale)
	}
}

func TestWhatNobodyWroteCostsOneQueryInAWhile(t *testing.T) {
	for _, row := range []struct {
		profile string
		queries int
	}{{"seed", 5}, {"resilient", 1}} {
		t.Run(row.profile, func(t *testing.T) {
			s := servertest.Start(t, row.profile, func(c *server.Config) {
				if c.Profile.NegativeTTL > 0 {
					c.Profile.NegativeTTL = time.Hour
				}
			})
			for range 5 {
				if a := request(t, "GET", flagURL(s), ""); a.code != 404 {
					t.Fatalf("GET = %d, want 404", a.code)
				}
			}
			if got := s.Store.Reads(); got != row.queries {
				t.Errorf("%d queries for 5 reads, want %d", got, row.queries)
			}
			put(t, s, 1) // ends it at once
			wantValue(t, s, 1, "memory;fwd=miss;stored")
		})
	}
}

func TestTooManyOperationsForTheDatabaseAreRefusedAtOnce(t *testing.T) {
	for _, row := range []struct {
		name   string
		queue  int
		refuse bool
	}{{"a queue of one", 1, true}, {"no bound", 0, false}} {
		t.Run(row.name, func(t *testing.T) {
			store := servertest.NewStore()
			inside, resume := make(chan struct{}, 10), make(chan struct{})
			store.Before = func(context.Context, string) error { inside <- struct{}{}; <-resume; return nil }
			s := servertest.Start(t, "resilient", func(c *server.Config) {
				c.Store, c.DatabasePoolSize, c.Profile.DatabaseQueue, c.DatabaseTimeout = store, 1, row.queue, guard
			})
			codes := make(chan int, 3)
			for range 3 {
				go func() {
					a, _ := try("PUT", flagURL(s), `{"enabled":true,"value":1}`)
					if a.code == 503 && (a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "too much to do")) {
						a.code = -1
					}
					codes <- a.code
				}()
			}
			<-inside
			if row.refuse { // of the two that are left one waits
				if got := <-codes; got != 503 {
					t.Errorf("the third PUT = %d, want 503 with Retry-After while the others go on", got)
				}
			}
			close(resume)
			left := 3
			if row.refuse {
				left = 2
			}
			for range left {
				if got := <-codes; got != 200 && got != 201 {
					t.Errorf("PUT = %d, want 200 or 201", got)
				}
			}
		})
	}
}

// A hit shows what another instance has written. A late fill of a third one puts an
// older entry in its place: it is not an answer any more.
func TestAHitIsNotTakenBackByAnOlderEntry(t *testing.T) {
	h := newHooked(t)
	s := servertest.Start(t, "resilient", withCache(h))
	put(t, s, 1)
	old := encoded(t, s.Store)
	if _, err := s.Store.Put(t.Context(), "e", "f", feature.Draft{Enabled: true, Value: json.RawMessage("2")}); err != nil {
		t.Fatal(err)
	}
	entry := encoded(t, s.Store)
	for i, row := range []struct {
		data   []byte
		source string
	}{{entry, "memory;hit"}, {old, "memory;fwd=stale;stored"}} {
		if err := h.Cache.Set(t.Context(), "e", row.data); err != nil {
			t.Fatal(i, err)
		}
		wantValue(t, s, 2, row.source)
	}
}

func encoded(t *testing.T, store *servertest.Store) []byte {
	t.Helper()
	snapshot, err := store.Snapshot(t.Context(), "e")
	if err != nil {
		t.Fatal(err)
	}
	data, err := snapshot.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The bound of each backend for what another instance writes: none and redis show it
// at once, tiered within CACHE_STALENESS, memory within CACHE_TTL. The test waits for
// it to be seen, and checks what is promised to be there at once.
func TestAWriteThroughOneInstanceIsSeenByTheOther(t *testing.T) {
	url := servertest.Redis(t)
	for _, row := range []struct {
		backend string
		atOnce  bool
	}{{"none", true}, {"redis", true}, {"tiered", false}, {"memory", false}} {
		t.Run(row.backend, func(t *testing.T) {
			store := servertest.NewStore()
			start := func() *servertest.Server {
				return servertest.Start(t, "resilient", func(c *server.Config) {
					c.Store, c.Backend, c.RedisURL, c.CacheTTL, c.Profile.Staleness = store, row.backend, url, time.Second, time.Second
					c.Profile.NegativeTTL = 0
				})
			}
			one, other := start(), start()
			put(t, one, 1)
			for _, s := range []*servertest.Server{one, other, one, other} {
				request(t, "GET", flagURL(s), "")
			}
			put(t, one, 2)
			seen := func() bool { return request(t, "GET", flagURL(other), "").flag(t).Version == 2 }
			if row.atOnce && !seen() {
				t.Error("the other instance does not see the write at once")
			}
			eventually(t, "the other instance sees the write", seen)
		})
	}
}
