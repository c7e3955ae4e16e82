package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// hooked is a cache in memory whose calls a test can hold or fail. The hooks are
// set before the server starts.
type hooked struct {
	feature.Cache
	get, set, forget func() error // called first; an error is the call's
}

func newHooked(t *testing.T) *hooked {
	t.Helper()
	m, err := cache.NewMemory(cache.Settings{TTL: time.Minute, MemoryLimit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	ok := func() error { return nil }
	return &hooked{Cache: m, get: ok, set: ok, forget: ok}
}

func (h *hooked) Get(ctx context.Context, e string) ([]byte, error) {
	if err := h.get(); err != nil {
		return nil, err
	}
	return h.Cache.Get(ctx, e)
}

func (h *hooked) Set(ctx context.Context, e string, data []byte) error {
	if err := h.set(); err != nil {
		return err
	}
	return h.Cache.Set(ctx, e, data)
}

func (h *hooked) Delete(ctx context.Context, e string) error {
	if err := h.forget(); err != nil {
		return err
	}
	return h.Cache.Delete(ctx, e)
}

var profiles = []string{"seed", "resilient"}

func TestCacheStatusSaysWhereAnAnswerCameFrom(t *testing.T) {
	for _, profile := range profiles {
		t.Run(profile, func(t *testing.T) {
			s := servertest.Start(t, profile)
			put(t, s, 1)
			wantValue(t, s, 1, "memory;fwd=miss;stored")
			wantValue(t, s, 1, "memory;hit")
			put(t, s, 2)
			wantValue(t, s, 2, "memory;fwd=miss;stored")
			if a := request(t, "GET", flagURL(s)+"x", ""); a.code != 404 || a.source() != "memory;hit" {
				t.Errorf("GET of an unknown flag = %d, %q, want 404 from the cache", a.code, a.source())
			}
			if a := request(t, "DELETE", flagURL(s), ""); a.code != 204 {
				t.Errorf("DELETE = %d, want 204", a.code)
			}
			if a := request(t, "GET", flagURL(s), ""); a.code != 404 || a.source() != "memory;fwd=miss;stored" {
				t.Errorf("GET after DELETE = %d, %q, want 404 from the database", a.code, a.source())
			}
		})
	}
}

func TestWithoutACacheEveryReadAsksTheDatabase(t *testing.T) {
	s := servertest.Start(t, "resilient", func(c *server.Config) { c.Backend = "none" })
	put(t, s, 1)
	wantValue(t, s, 1, "none;fwd=bypass")
	wantValue(t, s, 1, "none;fwd=bypass")
}

func TestACacheThatFailsFailsNoRequest(t *testing.T) {
	for _, profile := range profiles {
		t.Run(profile, func(t *testing.T) {
			h := newHooked(t)
			broken := func() error { return errors.New("broken") }
			h.get, h.set, h.forget = broken, broken, broken
			s := servertest.Start(t, profile, withCache(h))
			for i := range 3 {
				put(t, s, i)
				want := "memory;fwd=bypass;detail=error"
				if profile == "resilient" {
					want = "memory;fwd=bypass;detail=invalidation-pending"
				}
				wantValue(t, s, i, want)
			}
		})
	}
}

func TestAFillThatFailsIsNotCalledStored(t *testing.T) {
	h := newHooked(t)
	h.set = func() error { return errors.New("broken") }
	s := servertest.Start(t, "resilient", withCache(h))
	put(t, s, 1)
	wantValue(t, s, 1, "memory;fwd=miss")
}

func TestWhatSomebodyElseLeftInTheCacheIsNotAnAnswer(t *testing.T) {
	other := feature.NewSnapshot("other", 99, nil)
	foreign, err := other.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{
		"no JSON": "x", "null": "null", "an empty object": "{}", "another environment": string(foreign),
		"flags that are not sorted":        `{"environment":"e","revision":9,"flags":[{"key":"g","value":1,"version":1},{"key":"f","value":1,"version":1}]}`,
		"a key twice":                      `{"environment":"e","revision":9,"flags":[{"key":"f","value":1,"version":1},{"key":"f","value":2,"version":1}]}`,
		"a key that is no name":            `{"environment":"e","revision":9,"flags":[{"key":"../f","value":1,"version":1}]}`,
		"a flag without a value":           `{"environment":"e","revision":9,"flags":[{"key":"f","version":1}]}`,
		"a flag newer than its revision":   `{"environment":"e","revision":9,"flags":[{"key":"f","value":1,"version":10}]}`,
		"an environment that nobody wrote": `{"environment":"e","revision":0,"flags":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			h := newHooked(t)
			s := servertest.Start(t, "resilient", withCache(h))
			put(t, s, 1)
			if err := h.Cache.Set(t.Context(), "e", []byte(data)); err != nil {
				t.Fatal(err)
			}
			wantValue(t, s, 1, "memory;fwd=miss;stored;detail=unreadable")
			wantValue(t, s, 1, "memory;hit")
		})
	}
}

// A reader has read the database before a write and fills the cache after it.
func TestALateFill(t *testing.T) {
	for _, row := range []struct {
		profile string
		value   int
		source  string
	}{
		{"seed", 1, "memory;hit"},                  // the write is lost to readers until the entry dies
		{"resilient", 2, "memory;fwd=miss;stored"}, // the fill was dropped
	} {
		t.Run(row.profile, func(t *testing.T) {
			store := servertest.NewStore()
			read, resume := make(chan struct{}), make(chan struct{})
			var first sync.Once
			store.AfterSnapshot = func(feature.Snapshot) {
				first.Do(func() { close(read); <-resume })
			}
			h := newHooked(t)
			var fills atomic.Int32
			h.set = func() error { fills.Add(1); return nil }
			s := servertest.Start(t, row.profile, withCache(h), func(c *server.Config) { c.Store = store })
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
			if got, want := fills.Load(), map[string]int32{"seed": 1}[row.profile]; got != want {
				t.Errorf("%d fills with the old snapshot, want %d", got, want)
			}
			wantValue(t, s, row.value, row.source)
		})
	}
}

// The fill is on its way to the cache while a write is done and answered: nothing
// can drop it any more.
func TestAFillThatArrivesAfterTheInvalidation(t *testing.T) {
	for _, row := range []struct {
		profile        string
		value          int
		during, behind string
	}{
		{"seed", 1, "memory;hit", "memory;hit"},
		{"resilient", 2, "memory;fwd=stale;stored", "memory;hit"},
	} {
		t.Run(row.profile, func(t *testing.T) {
			h := newHooked(t)
			s := servertest.Start(t, row.profile, withCache(h))
			put(t, s, 1)
			// What such a fill leaves in the cache, as another instance would too.
			old, err := s.Store.Snapshot(t.Context(), "e")
			if err != nil {
				t.Fatal(err)
			}
			data, err := old.Encode()
			if err != nil {
				t.Fatal(err)
			}
			put(t, s, 2)
			if err := h.Cache.Set(t.Context(), "e", data); err != nil {
				t.Fatal(err)
			}
			wantValue(t, s, row.value, row.during)
			wantValue(t, s, row.value, row.behind)
		})
	}
}

func TestAnOvertakenFillIsTakenOutAgain(t *testing.T) {
	h := newHooked(t)
	filling, resume := make(chan struct{}), make(chan struct{})
	var first sync.Once
	h.set = func() error {
		first.Do(func() { close(filling); <-resume })
		return nil
	}
	s := servertest.Start(t, "resilient", withCache(h))
	put(t, s, 1)
	late := make(chan answer, 1)
	go func() {
		a, _ := try("GET", flagURL(s), "")
		late <- a
	}()
	<-filling
	put(t, s, 2)
	close(resume)
	if a := <-late; a.source() != "memory;fwd=miss" {
		t.Errorf("the overtaken read says %q, want memory;fwd=miss without stored", a.source())
	}
	if data, err := h.Cache.Get(t.Context(), "e"); !errors.Is(err, feature.ErrMiss) {
		t.Errorf("the cache has %s, %v, want nothing: other instances would believe it", data, err)
	}
}

// A write happens while the cache cannot be reached; then the cache is back, with
// the old entry.
func TestALostInvalidation(t *testing.T) {
	for _, profile := range profiles {
		t.Run(profile, func(t *testing.T) {
			h := newHooked(t)
			var down atomic.Bool
			up := func() error {
				if down.Load() {
					return errors.New("down")
				}
				return nil
			}
			h.get, h.set, h.forget = up, up, up
			s := servertest.Start(t, profile, withCache(h))
			put(t, s, 1)
			wantValue(t, s, 1, "memory;fwd=miss;stored")
			down.Store(true)
			put(t, s, 2)
			down.Store(false)
			if profile == "seed" {
				wantValue(t, s, 1, "memory;hit") // for 300 s
				return
			}
			// Right at first; and after a while the cache is used again.
			for deadline := time.Now().Add(guard); ; {
				a := request(t, "GET", flagURL(s), "")
				if v := a.flag(t).Version; v != 2 {
					t.Fatalf("GET = version %d (%s), want 2", v, a.source())
				}
				if a.source() == "memory;hit" {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("the cache is not used again: %s", a.source())
				}
			}
		})
	}
}

// Without the revision check the memory of failed invalidations alone has to do.
func TestALostInvalidationIsRememberedWithoutRevisions(t *testing.T) {
	h := newHooked(t)
	var down atomic.Bool
	h.forget = func() error {
		if down.Load() {
			return errors.New("down")
		}
		return nil
	}
	s := servertest.Start(t, "resilient", withCache(h), func(c *server.Config) { c.Profile.CheckRevision = false })
	put(t, s, 1)
	wantValue(t, s, 1, "memory;fwd=miss;stored")
	down.Store(true)
	put(t, s, 2)
	for range 5 {
		wantValue(t, s, 2, "memory;fwd=bypass;detail=invalidation-pending")
	}
	down.Store(false)
	for deadline := time.Now().Add(guard); request(t, "GET", flagURL(s), "").source() != "memory;hit"; {
		if time.Now().After(deadline) {
			t.Fatal("the cache is not used again")
		}
	}
	wantValue(t, s, 2, "memory;hit")
}

// The database commits a write and its answer is lost on the way.
func TestAWriteWithAnUnknownOutcomeIsSeenInTheEnd(t *testing.T) {
	store := &lossy{Store: servertest.NewStore()}
	s := servertest.Start(t, "resilient", func(c *server.Config) {
		c.Store = store
		c.DatabaseTimeout = 10 * time.Millisecond // twice that is when the server looks
	})
	put(t, s, 1)
	wantValue(t, s, 1, "memory;fwd=miss;stored")
	store.lose.Store(true)
	if a := request(t, "PUT", flagURL(s), `{"enabled":true,"value":2}`); a.code != 503 {
		t.Fatalf("PUT = %d, want 503", a.code)
	}
	store.lose.Store(false)
	for deadline := time.Now().Add(guard); request(t, "GET", flagURL(s), "").flag(t).Version != 2; {
		if time.Now().After(deadline) {
			t.Fatal("the write is not seen")
		}
	}
}

// A write of which this server knows nothing is done in the database: its own,
// whose answer was lost, or that of another instance. A read that could not use the
// cache is the first to see it. Then the cache is back, with the old entry.
func TestWhatOneReadHasSeenIsNotTakenBackFromTheNext(t *testing.T) {
	for _, row := range []struct {
		profile string
		value   int
		source  string
	}{
		{"seed", 1, "memory;hit"},
		{"resilient", 2, "memory;fwd=stale;stored"},
	} {
		t.Run(row.profile, func(t *testing.T) {
			h := newHooked(t)
			var down atomic.Bool
			h.get = func() error {
				if down.Load() {
					return errors.New("down")
				}
				return nil
			}
			s := servertest.Start(t, row.profile, withCache(h))
			put(t, s, 1)
			wantValue(t, s, 1, "memory;fwd=miss;stored")
			if _, err := s.Store.Put(t.Context(), "e", "f", feature.Draft{Enabled: true, Value: json.RawMessage("2")}); err != nil {
				t.Fatal(err)
			}
			down.Store(true)
			wantValue(t, s, 2, "memory;fwd=bypass;detail=error")
			down.Store(false)
			wantValue(t, s, row.value, row.source)
			wantValue(t, s, row.value, "memory;hit")
		})
	}
}

type lossy struct {
	*servertest.Store
	lose atomic.Bool
}

func (l *lossy) Put(ctx context.Context, e, key string, d feature.Draft) (feature.Receipt, error) {
	r, err := l.Store.Put(ctx, e, key, d)
	if l.lose.Load() {
		return feature.Receipt{}, fmt.Errorf("%w: %w", feature.ErrUnknownOutcome, feature.ErrUnavailable)
	}
	return r, err
}

// A database restored from an older state: its revisions go back.
func TestADatabaseThatLostWritesIsBelieved(t *testing.T) {
	store := &swapped{}
	store.at.Store(servertest.NewStore())
	s := servertest.Start(t, "resilient", func(c *server.Config) { c.Store = store })
	for i := range 5 {
		put(t, s, i)
	}
	wantValue(t, s, 4, "memory;fwd=miss;stored")
	older := servertest.NewStore()
	if _, err := older.Put(t.Context(), "e", "f", feature.Draft{Value: []byte("0")}); err != nil {
		t.Fatal(err)
	}
	store.at.Store(older)
	put(t, s, 7) // revision 2: below what the cache and this server know
	wantValue(t, s, 7, "memory;fwd=miss;stored")
	wantValue(t, s, 7, "memory;hit")
}

type swapped struct {
	at atomic.Pointer[servertest.Store]
}

func (w *swapped) Snapshot(ctx context.Context, e string) (feature.Snapshot, error) {
	return w.at.Load().Snapshot(ctx, e)
}

func (w *swapped) Revisions(ctx context.Context, e []string) (map[string]uint64, error) {
	return w.at.Load().Revisions(ctx, e)
}

func (w *swapped) Put(ctx context.Context, e, key string, d feature.Draft) (feature.Receipt, error) {
	return w.at.Load().Put(ctx, e, key, d)
}

func (w *swapped) Delete(ctx context.Context, e, key string) (uint64, error) {
	return w.at.Load().Delete(ctx, e, key)
}

func (w *swapped) Ready(ctx context.Context) error { return w.at.Load().Ready(ctx) }
