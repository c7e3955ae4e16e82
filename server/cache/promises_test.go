package cache_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"brownout/server/cache"
	"brownout/server/feature"
)

// guard is far longer than anything here takes.
const guard = 30 * time.Second

// resolution is more than that of Redis' clock, which counts milliseconds.
const resolution = 10 * time.Millisecond

// testTTL reads an entry, also through an instance that came to it late, until it is
// gone. No read that begins when its time is over may find it.
func testTTL(t *testing.T, name string, s cache.Settings) {
	s.TTL = time.Second
	c, e := open(t, name, s), environment()
	readers := []feature.Cache{c}
	if name != cache.BackendMemory {
		readers = append(readers, open(t, name, s))
	}
	set(t, c, e, "x")
	end, hits := time.Now().Add(s.TTL+resolution), 0 // the entry was made before
	for gone := 0; gone < len(readers); {
		gone = 0
		for i, r := range readers {
			began := time.Now()
			_, err := r.Get(t.Context(), e)
			switch {
			case err == nil && began.After(end):
				t.Fatalf("instance %d has the entry %v after its time", i, began.Sub(end))
			case err == nil:
				hits++
			case errors.Is(err, feature.ErrMiss):
				gone++
			default:
				t.Fatalf("Get() = %v, want an entry or ErrMiss", err)
			}
		}
	}
	if hits == 0 {
		t.Error("the entry was never there")
	}
}

// testJitter makes entries with a jitter of half their time.
func testJitter(t *testing.T, name string, s cache.Settings) {
	s.TTL, s.Jitter = 2*time.Second, 50
	c := open(t, name, s)
	const n = 40
	e, early := environment(), 0
	for i := range n {
		set(t, c, fmt.Sprint(e, "-", i), "x")
	}
	set(t, c, e, "x")
	half, end := time.Now().Add(s.TTL/2+resolution), time.Now().Add(s.TTL+resolution)
	waitUntil(t, half)
	for i := range n {
		began := time.Now()
		_, err := c.Get(t.Context(), fmt.Sprint(e, "-", i))
		if err == nil && began.After(end) {
			t.Errorf("an entry is there %v after its time", began.Sub(end))
		}
		if err != nil && began.Before(end) {
			early++
		}
	}
	// Each dies in the first half with a chance of one in two: none or all of them once
	// in a million million runs. (A machine that stalls for a second proves nothing.)
	if time.Now().Before(end.Add(-s.TTL/4)) && (early == 0 || early == n) {
		t.Errorf("%d of %d entries died in the first half of their time, want some", early, n)
	}
}

// waitUntil waits for a time of the clock.
func waitUntil(t *testing.T, at time.Time) {
	t.Helper()
	select {
	case <-t.Context().Done():
	case <-time.After(time.Until(at)):
	}
}

// testDelete deletes entries while others read them.
func testDelete(t *testing.T, c feature.Cache) {
	for range 50 {
		e := environment()
		set(t, c, e, "x")
		var readers sync.WaitGroup
		deleted := make(chan struct{})
		for range 4 {
			readers.Go(func() {
				for over := false; ; {
					_, err := c.Get(t.Context(), e)
					if over && !errors.Is(err, feature.ErrMiss) {
						t.Errorf("Get() = %v after Delete, want ErrMiss", err)
					}
					if over {
						return
					}
					select {
					case <-deleted:
						over = true // the next read begins after Delete
					default:
					}
				}
			})
		}
		remove(t, c, e)
		close(deleted)
		readers.Wait()
		if t.Failed() {
			return
		}
	}
}

// testDeleteElsewhere deletes what another instance has read, again and again.
func testDeleteElsewhere(t *testing.T, name string, s cache.Settings) {
	here, there := open(t, name, s), open(t, name, s)
	for range 10 {
		e := environment()
		set(t, there, e, "x")
		for range 3 {
			get(t, here, e, "x")
		}
		remove(t, there, e)
		atOnce := name == cache.BackendRedis
		gone(t, here, e, time.Now(), s.Staleness, atOnce)
	}
}

// gone reads until the entry is not there. No read that begins when the time that it
// may be stale is over may find it.
func gone(t *testing.T, c feature.Cache, environment string, deleted time.Time, staleness time.Duration, atOnce bool) {
	t.Helper()
	for {
		began := time.Now()
		_, err := c.Get(t.Context(), environment)
		if err != nil {
			return
		}
		if age := began.Sub(deleted); atOnce || age > staleness {
			t.Fatalf("another instance has the entry %v after it was deleted, want at most %v", age, staleness)
		}
	}
}

func testClosed(t *testing.T, name string, s cache.Settings) {
	c, err := cache.Open(name, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
	if name == cache.BackendMemory {
		return
	}
	if _, err := c.Get(t.Context(), "e"); err == nil {
		t.Error("Get() after Close = nil, want an error")
	}
}
