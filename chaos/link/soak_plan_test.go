package link

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"brownout/chaos"
)

// A turn is one fault of a cycle: when it is put in force and for how long.
type turn struct {
	fault       chaos.Fault
	after, hold time.Duration
}

func (t turn) String() string { return fmt.Sprintf("%v, %v for %v", t.fault, t.after, t.hold) }

// slow are the kinds that dial for some tenths of a second. They are drawn rarely.
var slow = []chaos.Kind{chaos.Drop}

const slowOneIn = 30

// soakKinds are the kinds that a link needs one of the given protocols for, or none.
func soakKinds(protocols ...string) []chaos.KindDoc {
	return slices.DeleteFunc(chaos.Kinds(), func(k chaos.KindDoc) bool {
		onServer := chaos.Fault{Kind: k.Kind}.OnProcess()
		return onServer || k.Protocol != "" && !slices.Contains(protocols, k.Protocol)
	})
}

// drawCycle draws one to three faults of different kinds, of which one at the most
// needs the port. A calm cycle has none that ends connections.
func drawCycle(rng *rand.Rand, kinds []chaos.KindDoc, calm bool) ([]turn, error) {
	var turns []turn
	for many := 1 + rng.IntN(3); len(turns) < many; {
		f, err := drawFault(rng, kinds)
		if err != nil {
			return nil, err
		}
		if calm && harms(f)&cuts != 0 || slices.ContainsFunc(turns, func(t turn) bool { return excludes(t.fault, f) }) {
			continue
		}
		turns = append(turns, turn{f, drawTime(rng, 0, 4*time.Millisecond), drawTime(rng, 0, drawTime(rng, 0, 15*time.Millisecond))})
	}
	return turns, nil
}

func excludes(a, b chaos.Fault) bool { return a.Kind == b.Kind || ownsPort(a.Kind) && ownsPort(b.Kind) }

// drawFault draws a kind and, for about half of its parameters, values.
func drawFault(rng *rand.Rand, kinds []chaos.KindDoc) (chaos.Fault, error) {
	doc := kinds[rng.IntN(len(kinds))]
	for slices.Contains(slow, doc.Kind) && rng.IntN(slowOneIn) > 0 {
		doc = kinds[rng.IntN(len(kinds))]
	}
	for range 1000 {
		f := chaos.Fault{On: "cache", Kind: doc.Kind}
		for _, p := range chaos.Parameters() {
			if !slices.Contains(doc.Parameters, p.Name) || rng.IntN(2) == 0 {
				continue
			}
			if err := f.Set(p.Name, drawValue(rng, p)); err != nil {
				return f, fmt.Errorf("drawing a fault %s: %w", doc.Kind, err)
			}
		}
		if f.Validate() == nil {
			return f, nil
		}
	}
	return chaos.Fault{}, fmt.Errorf("1000 draws of a fault %s have no valid one", doc.Kind)
}

// drawValue draws the value of a parameter as text.
func drawValue(rng *rand.Rand, p chaos.Parameter) string {
	switch p.Form {
	case chaos.FormDuration:
		return drawTime(rng, time.Microsecond, 20*time.Millisecond).String()
	case chaos.FormCount:
		return fmt.Sprint(1 + rng.IntN(1<<rng.IntN(24)))
	case chaos.FormShare:
		return fmt.Sprintf("%d%%", 1+rng.IntN(100))
	case chaos.FormWord:
		return p.Words[rng.IntN(len(p.Words))]
	}
	return "a form that the soak does not know"
}

func drawTime(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)+1))
}

// A harm is what a fault may do to a client that does nothing wrong.
type harm uint

const (
	cuts     harm = 1 << iota // its connection ends, a dial fails
	hampers                   // a dial times out
	swallows                  // what is under way behind its FIN is lost
	forges                    // it reads what the dependency did not say
	every    = cuts | hampers | swallows | forges
)

// harms says which f may do. A kind that is not known here may do everything.
func harms(f chaos.Fault) harm {
	var h harm
	switch f.Kind {
	case chaos.Latency, chaos.Bandwidth, chaos.Slice, chaos.SlowClose, chaos.SlowQuery:
	case chaos.Drop:
		h = hampers
	case chaos.Refuse, chaos.Reset, chaos.Flap, chaos.LimitData:
		h = cuts
	case chaos.Blackhole:
		h = swallows
	case chaos.Readonly, chaos.ErrReadonly, chaos.Loading, chaos.ClusterDown, chaos.MasterDown, chaos.OOM, chaos.NoAuth, chaos.Garbage:
		h = forges
	case chaos.ReadonlyClose, chaos.MaxClients, chaos.AdminShutdown, chaos.TooManyConnections:
		h = forges | cuts
	default:
		h = every
	}
	if f.Revert == chaos.Close || f.Live == chaos.CloseAll {
		h |= cuts
	}
	return h
}

// A weather knows which harms were possible when.
type weather [4]spell // by the harm's bit

// A spell counts the faults of one harm.
type spell struct{ begun, ended atomic.Int64 }

// begin is called before a fault is put in force, end after it was taken away.
func (w *weather) begin(h harm) { w.each(h, func(s *spell) { s.begun.Add(1) }) }
func (w *weather) end(h harm)   { w.each(h, func(s *spell) { s.ended.Add(1) }) }

func (w *weather) each(h harm, do func(*spell)) {
	for i := range w {
		if h>>i&1 != 0 {
			do(&w[i])
		}
	}
}

// A moment is a point in the weather.
type moment [4]int64

func (w *weather) now() moment {
	var m moment
	for i := range w {
		ended := w[i].ended.Load()
		if m[i] = w[i].begun.Load(); m[i] != ended {
			m[i] = -1 // it is possible just now
		}
	}
	return m
}

// since says whether one of the harms was possible at m or after it.
func (w *weather) since(m moment, h harm) bool {
	for i := range w {
		if h>>i&1 != 0 && (m[i] < 0 || w[i].begun.Load() != m[i]) {
			return true
		}
	}
	return false
}
