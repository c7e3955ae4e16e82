package server_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// eventually waits for something that has no event of its own.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(guard); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("waited %v until %s", guard, what)
			return
		}
	}
}

func TestReadsThatMissOrFailTogetherShareOneQuery(t *testing.T) {
	for _, row := range []struct {
		profile string
		fails   error // what the cache says
		want    func(reads int) bool
	}{
		{"resilient", nil, func(reads int) bool { return reads == 1 }},
		{"resilient", errors.New("down"), func(reads int) bool { return reads == 1 }},
		{"seed", nil, func(reads int) bool { return reads > 1 }},
	} {
		t.Run(fmt.Sprint(row.profile, " ", row.fails), func(t *testing.T) {
			const callers = 10
			h := newHooked(t)
			var missing sync.WaitGroup
			missing.Add(callers)
			h.get = func() error { missing.Done(); missing.Wait(); return row.fails } // all miss before one loads
			store := servertest.NewStore()
			asked := make(chan struct{}, callers)
			store.Before = func(_ context.Context, operation string) error {
				if operation == "snapshot" {
					asked <- struct{}{}
					eventually(t, "every caller loads or has joined a load", func() bool {
						return len(asked) == callers || goroutinesIn("singleflight.(*Group).Do(") == callers
					})
				}
				return nil
			}
			s := servertest.Start(t, row.profile, withCache(h), func(c *server.Config) { c.Store = store; c.Profile.Budget = -1; c.Profile.RetryInvalidation = false })
			put(t, s, 1)
			var g sync.WaitGroup
			for range callers {
				g.Go(func() {
					if a, err := try("GET", flagURL(s), ""); err != nil || a.code != 200 {
						t.Errorf("GET = %d, %v, want 200", a.code, err)
					}
				})
			}
			g.Wait()
			if got := store.Reads(); !row.want(got) {
				t.Errorf("%d reads at the same time made %d queries", callers, got)
			}
		})
	}
}

// A load began before a write and is still under way when the write is answered.
// Who comes after that must not share it.
func TestAReadAfterAWriteDoesNotJoinALoadFromBeforeIt(t *testing.T) {
	store := servertest.NewStore()
	read, resume := make(chan struct{}), make(chan struct{})
	var first sync.Once
	store.AfterSnapshot = func(feature.Snapshot) {
		held := false
		first.Do(func() { held = true })
		if held { // not inside Do: others must not wait for it
			close(read)
			<-resume
		}
	}
	s := servertest.Start(t, "resilient", func(c *server.Config) { c.Store = store })
	put(t, s, 1)
	early := make(chan answer, 1)
	go func() {
		a, _ := try("GET", flagURL(s), "")
		early <- a
	}()
	<-read
	put(t, s, 2)
	// Not wantValue at once: joining the held load would never end.
	later := make(chan answer, 1)
	go func() {
		a, _ := try("GET", flagURL(s), "")
		later <- a
	}()
	select {
	case a := <-later:
		if v := a.header.Get("Flag-Version"); v != "2" {
			t.Errorf("the read after the write = version %s (%s), want 2", v, a.source())
		}
	case <-time.After(5 * time.Second):
		t.Error("the read after the write waits for the load from before it")
	}
	close(resume)
	if a := <-early; a.code != 200 {
		t.Errorf("the early read = %d, want 200", a.code)
	}
	wantValue(t, s, 2, "memory;hit")
}

// The first caller of a shared load goes away; the others get their answer.
func TestACallerWhoLeavesTakesNobodyAlong(t *testing.T) {
	store := servertest.NewStore()
	loading, resume := make(chan struct{}, 10), make(chan struct{})
	store.Before = func(ctx context.Context, operation string) error {
		if operation != "snapshot" {
			return nil
		}
		loading <- struct{}{}
		select {
		case <-resume:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	h := newHooked(t)
	lookups := make(chan struct{}, 10)
	h.get = func() error { lookups <- struct{}{}; return nil }
	s := servertest.Start(t, "resilient", withCache(h), func(c *server.Config) { c.Store = store })
	put(t, s, 1)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		defer close(left)
		get(ctx, flagURL(s))
	}()
	<-loading
	<-lookups
	rest := make(chan answer, 1)
	go func() {
		a, _ := try("GET", flagURL(s), "")
		rest <- a
	}()
	<-lookups
	eventually(t, "the other caller joins the load", func() bool { return goroutinesIn("singleflight.(*Group).Do(") == 2 })
	leave()
	<-left
	time.Sleep(50 * time.Millisecond) // the server notices; if it is late, this test sees less
	close(resume)
	if a := <-rest; a.code != 200 {
		t.Errorf("the other caller got %d %s, want 200", a.code, a.body)
	}
}

// After a write was answered, no reader sees what was before it: with writers and
// readers at the same time, on every backend.
func TestReadsSeeTheWritesThatWereAnsweredBeforeThem(t *testing.T) {
	url := servertest.Redis(t)
	for _, backend := range []string{"none", "memory", "redis"} {
		t.Run(backend, func(t *testing.T) {
			s := servertest.Start(t, "resilient", func(c *server.Config) { c.Backend, c.RedisURL = backend, url })
			put(t, s, 0)
			var answered atomic.Uint64
			var g sync.WaitGroup
			done := make(chan struct{})
			for range 4 {
				g.Go(func() {
					for {
						select {
						case <-done:
							return
						default:
						}
						least := answered.Load()
						a, err := try("GET", flagURL(s), "")
						if err != nil || a.code != 200 {
							t.Errorf("GET = %d, %v", a.code, err)
							return
						}
						got, err := strconv.ParseUint(a.header.Get("Flag-Version"), 10, 64)
						if err != nil || got < least {
							t.Errorf("GET = version %d (%s) after version %d was answered", got, a.source(), least)
						}
					}
				})
			}
			for i := range 100 {
				answered.Store(put(t, s, i).flag(t).Version)
			}
			close(done)
			g.Wait()
		})
	}
}
