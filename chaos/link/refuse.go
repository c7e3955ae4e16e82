package link

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"brownout/results"
)

const (
	probeEvery   = 500 * time.Millisecond
	probeTimeout = 250 * time.Millisecond
	// recently is how long ago a connection may have been opened for a link to
	// count as used.
	recently = 5 * time.Second
)

// A refusal closes the port and resets what is live. A closed port cannot count
// who knocks, so it is probed: dials of our own, at the start, every half second
// and at the end.
type refusal struct {
	gate *Gate
	used bool // somebody could have felt it
	live int  // connections at the start
	cut  int  // those of them that were reset

	cancel context.CancelFunc
	prober sync.WaitGroup

	// Owned by the prober while it runs.
	probes  int
	refused int
}

// newRefusal puts it in force. The gate's faultMu is held.
func newRefusal(g *Gate) *refusal {
	r := &refusal{gate: g, used: g.usedWithin(recently)}
	g.port.shut()
	for _, c := range g.connections() {
		first, err := c.abort(results.ClosedByGate, closeHard)
		if first {
			r.live++
		}
		if first && err == nil {
			r.cut++
		}
	}
	r.probe()
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.prober.Go(func() { r.probeUntil(ctx) })
	return r
}

func (r *refusal) probeUntil(ctx context.Context) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.probe()
		}
	}
}

func (r *refusal) probe() {
	r.probes++
	c, err := net.DialTimeout("tcp", r.gate.port.addr.String(), probeTimeout)
	if err == nil {
		c.Close()
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		r.refused++
	}
}

// attach does nothing: a closed port has no new connections.
func (r *refusal) attach(*conn) {}

func (r *refusal) end(time.Duration) results.Evidence {
	r.cancel()
	r.prober.Wait()
	r.probe()
	ev := results.Evidence{Occasion: "live connections and probing dials", Refused: r.refused, Cut: r.cut}
	if r.used {
		ev.Chances, ev.Bites = r.live+r.probes, r.cut+r.refused
	}
	return ev
}

func (r *refusal) lift() error { return r.gate.port.reopen() }

// usedWithin says whether a connection is live or was opened at the most d ago.
func (g *Gate) usedWithin(d time.Duration) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.live) > 0 || g.stats.Opened > 0 && g.now()-g.opened <= d
}
