package server

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeCache records what is deleted, and can be down.
type fakeCache struct {
	during func() // called while a deletion is under way

	mu      sync.Mutex
	down    bool
	tries   int
	deleted []string
}

func (f *fakeCache) forget(_ context.Context, environment string) error {
	if f.during != nil {
		f.during()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries++
	if f.down {
		return errors.New("down")
	}
	f.deleted = append(f.deleted, environment)
	return nil
}

func (f *fakeCache) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// seen returns how often it was tried, and what was deleted, sorted and joined.
func (f *fakeCache) seen() (tries int, deleted string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tries, strings.Join(slices.Sorted(slices.Values(f.deleted)), "")
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func known(context.Context, string) error { return nil }

// runInvalidations runs v in the bubble until the returned function is called.
func runInvalidations(v *invalidations) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.run(ctx)
	}()
	return func() { cancel(); <-done }
}

func TestAnOwedInvalidationIsTriedUntilItSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeCache{down: true}
		v := newInvalidations(quietLog(), c.forget, known)
		stop := runInvalidations(v)
		v.owe("a")
		v.owe("b")
		time.Sleep(10*retryEvery - time.Millisecond)
		if !v.distrusts("a") || !v.distrusts("b") || v.distrusts("c") {
			t.Errorf("distrusts a, b, c = %t, %t, %t, want the two that are owed", v.distrusts("a"), v.distrusts("b"), v.distrusts("c"))
		}
		if tries, _ := c.seen(); tries != 10 {
			t.Errorf("%d tries in ten rounds, want 10: a cache that is down is asked once a round", tries)
		}
		c.setDown(false)
		time.Sleep(retryEvery)
		before, got := c.seen()
		if got != "ab" || v.distrusts("a") || v.distrusts("b") {
			t.Errorf("deleted %q, distrusts a, b = %t, %t; want both deleted and trusted", got, v.distrusts("a"), v.distrusts("b"))
		}
		time.Sleep(10 * retryEvery)
		if tries, _ := c.seen(); tries != before {
			t.Errorf("%d more tries when nothing is owed, want none", tries-before)
		}
		stop()
	})
}

func TestARoundDoesNotSettleAWriteThatCameDuringIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeCache{}
		v := newInvalidations(quietLog(), c.forget, known)
		c.during = func() { c.during = nil; v.owe("a") }
		v.owe("a")
		if more := v.round(t.Context()); !more || !v.distrusts("a") {
			t.Errorf("round() = %t, distrusts %t after a write during it, want both", more, v.distrusts("a"))
		}
		if more := v.round(t.Context()); more || v.distrusts("a") {
			t.Errorf("the next round() = %t, distrusts %t, want neither", more, v.distrusts("a"))
		}
	})
}

func TestADoubtIsUsedUntilTheDatabaseHasBeenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeCache{}
		var asked atomic.Int32
		var silent atomic.Bool
		silent.Store(true)
		v := newInvalidations(quietLog(), c.forget, func(context.Context, string) error {
			asked.Add(1)
			if silent.Load() {
				return errors.New("down")
			}
			return nil
		})
		stop := runInvalidations(v)
		v.doubt("a", 2*time.Second)
		time.Sleep(2*time.Second - time.Millisecond)
		if tries, _ := c.seen(); v.distrusts("a") || asked.Load() != 0 || tries != 0 {
			t.Errorf("before it is due: distrusts %t, asked %d, tried %d; want the entry used and nothing done", v.distrusts("a"), asked.Load(), tries)
		}
		time.Sleep(2 * retryEvery)
		if tries, _ := c.seen(); asked.Load() == 0 || tries != 0 {
			t.Errorf("with a silent database: asked %d, tried %d; want it asked and the entry left", asked.Load(), tries)
		}
		silent.Store(false)
		time.Sleep(2 * retryEvery)
		if _, deleted := c.seen(); deleted != "a" {
			t.Errorf("deleted %q, want a", deleted)
		}
		stop()
	})
}

func TestADoubtDoesNotMakeAnOldEntryTrusted(t *testing.T) {
	for _, row := range []struct {
		name string
		add  func(*invalidations)
	}{
		{"the old entry first", func(v *invalidations) { v.owe("a"); v.doubt("a", time.Second) }},
		{"the doubt first", func(v *invalidations) { v.doubt("a", time.Second); v.owe("a") }},
	} {
		c := &fakeCache{}
		v := newInvalidations(quietLog(), c.forget, known)
		row.add(v)
		if d := v.owed["a"]; !v.distrusts("a") || !d.asks() {
			t.Errorf("%s: distrusts %t, asks %t, want both", row.name, v.distrusts("a"), d.asks())
		}
	}
}

func TestWhatIsOwedIsTriedOnceMoreAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeCache{down: true}
		v := newInvalidations(quietLog(), c.forget, known)
		stop := runInvalidations(v)
		v.owe("a")
		synctest.Wait()
		c.setDown(false)
		stop()
		if _, deleted := c.seen(); deleted != "a" {
			t.Errorf("deleted %q, want a", deleted)
		}
	})
}

func TestAConditionIsLoggedWhenItChangesAndNotOftener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		c := &condition{what: "cache", log: slog.New(slog.NewTextHandler(&out, nil))}
		lines := func() int { return strings.Count(out.String(), "\n") }
		c.observe(nil)
		if lines() != 0 {
			t.Errorf("a cache that works makes %d lines, want none", lines())
		}
		for range 1000 { // it flaps
			c.observe(errors.New("x"))
			c.observe(nil)
			time.Sleep(5 * time.Millisecond)
		}
		if got := lines(); got < 2 || got > 6 {
			t.Errorf("%d lines in 5 s of flapping, want 2 to 6", got)
		}
		time.Sleep(2 * quiet)
		c.observe(errors.New("x"))
		time.Sleep(2 * quiet)
		before := lines()
		for range 1000 {
			c.observe(errors.New("x"))
		}
		if got := lines(); got != before {
			t.Errorf("%d more lines while nothing changes, want none", got-before)
		}
	})
}

func TestFloorsGoUpUnlessTheDatabaseWentBack(t *testing.T) {
	var f floors
	f.raise("e", 5)
	f.raise("e", 3) // receipts may come in any order
	if got := f.floor("e"); got != 5 {
		t.Errorf("floor = %d, want 5", got)
	}
	if f.lower("e", 4, 2) || f.lower("e", 5, 5) || f.floor("e") != 5 {
		t.Error("lowered although another write had raised it, or nothing was lost")
	}
	if !f.lower("e", 5, 2) || f.floor("e") != 2 || f.floor("other") != 0 {
		t.Errorf("floor = %d, want 2 after the database went back", f.floor("e"))
	}
}

// A cache that answers again is not left waiting for the next round.
func TestWhatIsOwedIsSettledWhenTheCacheIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeCache{down: true}
		v := newInvalidations(quietLog(), c.forget, known)
		stop := runInvalidations(v)
		v.owe("a")
		synctest.Wait()
		c.setDown(false)
		v.hurry()
		synctest.Wait() // no time passes
		if v.distrusts("a") {
			t.Error("a is distrusted after the cache came back, want it settled at once")
		}
		stop()
	})
}
