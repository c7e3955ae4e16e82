package server

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brownout/server/cache"
	"brownout/server/feature"
)

// oneFlagStore has one flag in each environment, whose version is the revision.
type oneFlagStore struct {
	feature.Store
	mu       sync.Mutex
	revision map[string]uint64
	err      error // of everything
}

func newOneFlagStore() *oneFlagStore { return &oneFlagStore{revision: map[string]uint64{}} }

func (s *oneFlagStore) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *oneFlagStore) Snapshot(_ context.Context, environment string) (feature.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.revision[environment]
	return feature.NewSnapshot(environment, r, []feature.Flag{{Key: "f", Version: r}}), s.err
}

func (s *oneFlagStore) Put(_ context.Context, environment, key string, _ feature.Draft) (feature.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revision[environment]++
	r := s.revision[environment]
	return feature.Receipt{Flag: feature.Flag{Key: key, Version: r}, Revision: r}, s.err
}

func (s *oneFlagStore) Revisions(context.Context, []string) (map[string]uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.revision), s.err
}

// forgetful is a cache that acknowledges deletions and does not do them, as a primary
// does that is not the one that stays.
type forgetful struct{ feature.Cache }

func (forgetful) Delete(context.Context, string) error { return nil }

// instance is one of several that share a store, and runs no longer than the bubble.
func instance(t *testing.T, store feature.Store, c feature.Cache, recheck time.Duration) *flags {
	t.Helper()
	cfg := DefaultConfig(Profiles()[0])
	cfg.Log, cfg.Profile.Recheck, cfg.Profile.Budget = quietLog(), recheck, -1
	f := newFlags(cfg, store, c)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { f.recheck(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	return f
}

func newCache(t *testing.T) feature.Cache {
	t.Helper()
	m, err := cache.NewMemory(cache.Settings{TTL: time.Hour, MemoryLimit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// write writes the flag f of e through an instance.
func write(t *testing.T, f *flags) feature.Receipt {
	t.Helper()
	r, err := f.put(t.Context(), "e", "f", feature.Draft{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func revision(t *testing.T, f *flags) (uint64, source) {
	t.Helper()
	d, from, err := f.read(t.Context(), "e")
	if err != nil {
		t.Fatal(err)
	}
	return d.Revision, from
}

// What another instance has written is read here within the time between two queries,
// although the entry here was never deleted.
func TestAnEntryThatShouldHaveGoneIsRefusedSoon(t *testing.T) {
	for _, row := range []struct {
		name  string
		setup func(t *testing.T, shared feature.Cache) (there, here feature.Cache)
	}{
		{"a failover has lost the deletion that was acknowledged", func(_ *testing.T, shared feature.Cache) (feature.Cache, feature.Cache) {
			return forgetful{shared}, shared
		}},
		{"each has a memory of its own", func(t *testing.T, shared feature.Cache) (feature.Cache, feature.Cache) {
			return newCache(t), shared
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const every = time.Second
				store := newOneFlagStore()
				farCache, nearCache := row.setup(t, newCache(t))
				there, here := instance(t, store, farCache, every), instance(t, store, nearCache, every)
				write(t, there)
				revision(t, here) // fills the cache
				for range 20 {
					time.Sleep(370 * time.Millisecond)
					want, written := write(t, there).Revision, time.Now()
					got, from := revision(t, here)
					for ; got != want; got, from = revision(t, here) {
						if time.Since(written) > every {
							t.Fatalf("read(e) = revision %d (%+v), %v after the write of %d elsewhere, want it within %v", got, from, time.Since(written), want, every)
						}
						time.Sleep(10 * time.Millisecond)
					}
					if got, from := revision(t, here); got != want || !from.hit {
						t.Errorf("read(e) = revision %d (%+v), want %d from the cache: the entry was not replaced", got, from, want)
					}
				}
			})
		})
	}
}

// A fill of another instance that comes after the deletion.
func TestALateFillOfAnotherInstanceIsRefusedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, shared := newOneFlagStore(), newCache(t)
		there, here := instance(t, store, shared, time.Second), instance(t, store, shared, time.Second)
		write(t, there)
		old, err := store.Snapshot(t.Context(), "e")
		if err != nil {
			t.Fatal(err)
		}
		data, err := old.Encode()
		if err != nil {
			t.Fatal(err)
		}
		revision(t, here)
		write(t, there)
		if err := shared.Set(t.Context(), "e", data); err != nil {
			t.Fatal(err)
		}
		if got, _ := revision(t, here); got != 1 {
			t.Fatalf("read(e) = revision %d, want 1: the late fill was not made", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got, _ := revision(t, here); got != 2 {
			t.Errorf("read(e) = revision %d a second after the late fill, want 2", got)
		}
		if got, from := revision(t, there); got != 2 || !from.hit {
			t.Errorf("read(e) there = revision %d (%+v), want 2 from the cache", got, from)
		}
	})
}

func TestWithoutARecheckAnEntryIsBelievedUntilItDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, shared := newOneFlagStore(), newCache(t)
		there, here := instance(t, store, forgetful{shared}, 0), instance(t, store, shared, 0)
		write(t, there)
		revision(t, here)
		write(t, there)
		time.Sleep(time.Minute)
		if got, _ := revision(t, here); got != 1 {
			t.Errorf("read(e) = revision %d, want 1: nothing tells this instance", got)
		}
	})
}

// A database that does not answer costs the recheck and no read.
func TestARecheckThatFailsChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newOneFlagStore()
		f := instance(t, store, newCache(t), time.Second)
		write(t, f)
		revision(t, f)
		store.fail(feature.ErrUnavailable)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got, from := revision(t, f); got != 1 || !from.hit {
			t.Errorf("read(e) = revision %d (%+v), want 1 from the cache", got, from)
		}
		store.fail(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if f.outage.down.Load() {
			t.Error("the database answers a recheck and still counts as down")
		}
	})
}

// One that is restored has lost writes in many environments. It is told once a second.
func TestADatabaseThatLostWritesEverywhereDoesNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newAskedStore(2500)
		f := instance(t, store, newCache(t), time.Second)
		var text bytes.Buffer
		f.log = slog.New(slog.NewTextHandler(&text, nil))
		readAll(t, f, 2500)
		for i := range 2500 {
			f.floors.raise(environmentNo(i), 9)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := strings.Count(text.String(), "has lost writes"); n != 1 {
			t.Errorf("%d lines say that writes were lost, want 1", n)
		}
		for i := range 2500 {
			if got := f.floors.floor(environmentNo(i)); got != 1 {
				t.Fatalf("floor(%s) = %d, want 1, which the database has", environmentNo(i), got)
			}
		}
	})
}

// A database restored from an older state is noticed without a miss.
func TestARecheckNoticesADatabaseThatWentBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newOneFlagStore()
		f := instance(t, store, newCache(t), time.Second)
		write(t, f)
		revision(t, f)
		f.floors.raise("e", 9)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := f.floors.floor("e"); got != 1 {
			t.Errorf("floor(e) = %d, want 1, which the database has", got)
		}
		revision(t, f)
		if got, from := revision(t, f); got != 1 || !from.hit {
			t.Errorf("read(e) = revision %d (%+v), want 1 from the cache", got, from)
		}
	})
}
