package server_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"brownout/chaos"
	"brownout/chaos/link"
	"brownout/server/servertest"
)

// The ways of the server that is soaked.
const (
	wayCache    = "cache"
	wayDatabase = "database"
)

// An injury is what fails together for a while.
type injury []chaos.Fault

// injuries are those of the soak, in turn.
func injuries() []injury {
	return []injury{
		{{On: wayCache, Kind: chaos.Refuse}},
		{{On: wayDatabase, Kind: chaos.Refuse}},
		{{On: wayCache, Kind: chaos.Blackhole}},
		{{On: wayCache, Kind: chaos.Latency, Latency: 200 * time.Millisecond}}, // more than a lookup may take
		{{On: wayCache, Kind: chaos.Blackhole}, {On: wayDatabase, Kind: chaos.Blackhole}},
		{{On: wayCache, Kind: chaos.Reset}},
		{{On: wayDatabase, Kind: chaos.Blackhole}},
	}
}

// ways are the links of a server to what it needs, by name.
type ways map[string]*link.Gate

// newWays makes the links, which live as long as the test, and says how Redis and
// PostgreSQL are reached through them.
func newWays(t *testing.T, redisURL, databaseURL string) (w ways, redisThrough, databaseThrough string) {
	t.Helper()
	w = ways{}
	return w, w.add(t, wayCache, redisURL), w.add(t, wayDatabase, databaseURL)
}

func (w ways) add(t *testing.T, name, to string) (through string) {
	t.Helper()
	w[name], through = servertest.Gate(t, name, to)
	return through
}

// injure puts all faults of an injury in force, does what is to be done meanwhile, and
// takes them away. Each must have bitten, or the soak shows nothing.
func (w ways) injure(t *testing.T, i injury, meanwhile func()) {
	t.Helper()
	for _, f := range i {
		r, err := w[f.On].Inject(t.Context(), f)
		if err != nil {
			t.Fatalf("injecting %s: %v", f, err)
		}
		defer func() {
			if seen, err := r.Revert(context.WithoutCancel(t.Context())); err != nil || seen.Bites == 0 {
				t.Errorf("%s: %d bites in %d %s, %v, want some", f, seen.Bites, seen.Chances, seen.Occasion, err)
			}
		}()
	}
	meanwhile()
}

// holdings knows the most that a server has held of everything.
type holdings struct {
	s    *measured
	most usage
}

// watch looks on for a while.
func (h *holdings) watch(t *testing.T, lasting time.Duration) {
	t.Helper()
	for until := time.Now().Add(lasting); ; time.Sleep(min(lasting/5, time.Until(until))) {
		u := h.s.used(t, askLeft)
		h.most.Goroutines = max(h.most.Goroutines, u.Goroutines)
		h.most.Descriptors = max(h.most.Descriptors, u.Descriptors)
		h.most.Heap = max(h.most.Heap, u.Heap)
		if !time.Now().Before(until) {
			return
		}
	}
}

func (*holdings) say(u usage) string {
	return fmt.Sprintf("%3d goroutines, %3d descriptors, %d KiB of heap", u.Goroutines, u.Descriptors, u.Heap>>10)
}
