package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brownout/server/feature"
)

// askedStore notes how it is asked for revisions.
type askedStore struct {
	*oneFlagStore
	takes time.Duration // each query
	fails int           // the query with this number fails; 0: none

	mu      sync.Mutex
	batches []int                // how many environments each query has named
	when    map[string]time.Time // when each was asked about last
	longest time.Duration        // between two questions about the same one
	other   int                  // queries that were no Revisions
}

func newAskedStore(environments int) *askedStore {
	s := &askedStore{oneFlagStore: newOneFlagStore(), when: map[string]time.Time{}}
	for i := range environments {
		s.revision[environmentNo(i)] = 1
	}
	return s
}

func environmentNo(i int) string { return fmt.Sprintf("e%06d", i) }

func (s *askedStore) Snapshot(ctx context.Context, environment string) (feature.Snapshot, error) {
	s.mu.Lock()
	s.other++
	s.mu.Unlock()
	return s.oneFlagStore.Snapshot(ctx, environment)
}

func (s *askedStore) Revisions(ctx context.Context, environments []string) (map[string]uint64, error) {
	s.mu.Lock()
	takes := s.takes
	s.mu.Unlock()
	time.Sleep(takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, len(environments))
	if len(s.batches) == s.fails {
		return nil, feature.ErrUnavailable
	}
	for _, e := range environments {
		if last, asked := s.when[e]; asked {
			s.longest = max(s.longest, time.Since(last))
		}
		s.when[e] = time.Now()
	}
	return s.oneFlagStore.Revisions(ctx, environments)
}

// be makes queries take so long, and the one with a number fail.
func (s *askedStore) be(takes time.Duration, fails int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takes, s.fails = takes, fails
}

// seen returns what was asked since it was called last.
func (s *askedStore) seen() (batches string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batches = strings.Trim(fmt.Sprint(s.batches), "[]")
	s.batches = nil
	return batches
}

func readAll(t *testing.T, f *flags, environments int) {
	t.Helper()
	for i := range environments {
		if _, _, err := f.read(t.Context(), environmentNo(i)); err != nil {
			t.Fatal(err)
		}
	}
}

// after waits and lets what was to happen meanwhile happen.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestARecheckAsksInBatches(t *testing.T) {
	for _, row := range []struct {
		environments int
		batches      string // of one round
	}{
		{0, ""}, {1, "1"}, {1000, "1000"}, {1001, "1000 1"}, {2500, "1000 1000 500"},
	} {
		t.Run(fmt.Sprint(row.environments), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newAskedStore(row.environments)
				f := instance(t, store, newCache(t), time.Second)
				readAll(t, f, row.environments)
				for round := range 3 {
					after(time.Second)
					if got := store.seen(); got != row.batches {
						t.Errorf("round %d: asked for %q environments, want %q", round, got, row.batches)
					}
				}
				store.mu.Lock()
				defer store.mu.Unlock()
				if len(store.when) != row.environments {
					t.Errorf("%d environments were asked about, want all %d", len(store.when), row.environments)
				}
			})
		})
	}
}

// Each environment is asked about once in CACHE_RECHECK as long as a round takes no
// more than half of it, and once in twice the time of a round where it takes more.
func TestTheTimeBetweenTwoRechecksIsBounded(t *testing.T) {
	for _, row := range []struct {
		name        string
		takes, want time.Duration
	}{
		{"a round of no time", 0, time.Second},
		{"a round of 30 ms", 10 * time.Millisecond, time.Second},
		{"a round of half the time", 500 * time.Millisecond / 3, time.Second},
		{"a round of 2.1 s", 700 * time.Millisecond, 4200 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newAskedStore(2500)
				f := instance(t, store, newCache(t), time.Second)
				readAll(t, f, 2500)
				store.be(row.takes, 0)
				after(time.Minute)
				store.mu.Lock()
				defer store.mu.Unlock()
				if store.longest != row.want {
					t.Errorf("%v between two questions about the same environment, want %v", store.longest, row.want)
				}
			})
		})
	}
}

// What nobody has asked for as long as an entry lives is left out, and comes back with
// the next read.
func TestAnEnvironmentThatIsNotInUseIsNotRechecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newAskedStore(3)
		f := instance(t, store, newCache(t), time.Second)
		readAll(t, f, 3)
		for range 299 {
			time.Sleep(time.Second)
			readAll(t, f, 1)
		}
		synctest.Wait()
		if store.seen(); store.other != 3 {
			t.Fatalf("%d queries for flags, want 3: the others are hits", store.other)
		}
		after(time.Second)
		if got := store.seen(); got != "3" {
			t.Errorf("300 s after the reads: asked for %q environments, want 3", got)
		}
		after(time.Second)
		if got := store.seen(); got != "1" {
			t.Errorf("301 s after the reads: asked for %q environments, want the one that is still read", got)
		}
		readAll(t, f, 2)
		store.seen() // of the read
		after(time.Second)
		if got := store.seen(); got != "2" {
			t.Errorf("after another read: asked for %q environments, want 2", got)
		}
		after(10 * time.Minute)
		store.seen()
		after(time.Minute)
		if got := store.seen(); got != "" {
			t.Errorf("with nothing in use: asked for %q environments, want no query", got)
		}
	})
}

// A cache that is emptied again and again does not keep in use what nobody asks for.
func TestWarmingDoesNotKeepAnEnvironmentInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newAskedStore(2)
		f := instance(t, store, newCache(t), time.Second)
		w := newWarmer(f)
		readAll(t, f, 2)
		for range 10 {
			after(40 * time.Second)
			w.refill(t.Context())
		}
		store.seen()
		after(time.Second)
		if got := store.seen(); got != "" || len(f.inUse()) != 0 {
			t.Errorf("400 s after the last read: asked for %q environments, %v are in use, want none", got, f.inUse())
		}
	})
}

// An instance that has not been asked for an environment lately has not heard of what
// happened to it. The entry of another one is not believed before the database was asked.
func TestTheFirstHitIsVerified(t *testing.T) {
	for _, row := range []struct {
		name    string
		setup   func(t *testing.T, f *flags)
		recheck time.Duration
		want    uint64
	}{
		{"an instance that was just started", func(*testing.T, *flags) {}, time.Second, 2},
		{"one that was not asked for ten minutes", func(t *testing.T, f *flags) {
			revision(t, f)
			after(10 * time.Minute)
		}, time.Second, 2},
		{"one that does not recheck", func(*testing.T, *flags) {}, 0, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, shared := newAskedStore(0), newCache(t)
				there, here := instance(t, store, forgetful{shared}, 0), instance(t, store, shared, row.recheck)
				write(t, there)
				row.setup(t, here)
				if err := shared.Delete(t.Context(), "e"); err != nil {
					t.Fatal(err)
				}
				revision(t, there) // fills the cache
				write(t, there)    // and does not delete the entry
				store.seen()
				if got, from := revision(t, here); got != row.want {
					t.Errorf("read(e) = revision %d (%+v), want %d", got, from, row.want)
				}
				store.seen()
				if got, from := revision(t, here); got != row.want || !from.hit || store.seen() != "" {
					t.Errorf("the second read(e) = revision %d (%+v), want %d from the cache and no question", got, from, row.want)
				}
			})
		})
	}
}

func TestFirstHitsAtTheSameTimeShareOneQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, shared := newAskedStore(0), newCache(t)
		there, here := instance(t, store, shared, 0), instance(t, store, shared, time.Hour)
		write(t, there)
		revision(t, there)
		store.be(time.Second, 0)
		var done sync.WaitGroup
		var hits atomic.Int32
		for range 100 {
			done.Go(func() {
				if got, from := revision(t, here); got == 1 && from.hit {
					hits.Add(1)
				}
			})
		}
		done.Wait()
		if got := store.seen(); got != "1" || hits.Load() != 100 {
			t.Errorf("100 reads made the questions %q and %d hits, want one question and 100 hits", got, hits.Load())
		}
	})
}

// With the database away an entry is believed, and nobody waits for the database again.
func TestAFirstHitWithTheDatabaseAwayIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, shared := newAskedStore(0), newCache(t)
		there, here := instance(t, store, shared, 0), instance(t, store, shared, time.Hour)
		for _, e := range []string{"e", "other"} {
			if _, err := there.put(t.Context(), e, "f", feature.Draft{}); err != nil {
				t.Fatal(err)
			}
			if _, _, err := there.read(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		store.fail(feature.ErrUnavailable)
		for _, e := range []string{"e", "other"} {
			if d, from, err := here.read(t.Context(), e); err != nil || d.Revision != 1 || !from.hit {
				t.Errorf("read(%s) = %+v (%+v), %v, want revision 1 from the cache", e, d, from, err)
			}
		}
		if got := store.seen(); got != "1" {
			t.Errorf("the questions were %q, want one: then it is known to be away", got)
		}
	})
}

// A batch that fails ends the round. The next one begins with it, so that a database
// which refuses some does not leave the last ones out for ever.
func TestARoundThatBreaksOffIsTakenUpThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newAskedStore(2500)
		f := instance(t, store, newCache(t), time.Second)
		readAll(t, f, 2500)
		store.be(0, 2)
		after(time.Second)
		if got := store.seen(); got != "1000 1000" {
			t.Errorf("the round that failed: %q, want it to end there", got)
		}
		store.be(0, 0)
		after(time.Second)
		if got := store.seen(); got != "1000 500 1000 1000 500" {
			t.Errorf("the round after it: %q, want the rest and then a whole one", got)
		}
		after(time.Second)
		if got := store.seen(); got != "1000 1000 500" {
			t.Errorf("the round after that: %q, want a whole one", got)
		}
		store.be(0, 2)
		after(time.Second)
		store.seen()
		store.be(0, 1)
		after(time.Second)
		if got := store.seen(); got != "1000" {
			t.Errorf("the rest that fails as well: %q, want it to end there", got)
		}
		store.be(0, 0)
		after(time.Second)
		if got := store.seen(); got != "1000 1000 500" {
			t.Errorf("the round after it: %q, want a whole one from the start", got)
		}
	})
}
