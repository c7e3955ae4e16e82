package link

import (
	"errors"
	"syscall"
	"time"

	"brownout/results"
)

const (
	// recently is how long ago a connection may have been opened for a link to
	// count as used.
	recently = 5 * time.Second
	// refusedWithin bounds a dial to a closed port.
	refusedWithin = 250 * time.Millisecond
)

// A refusal closes the port and resets what is live. A closed port cannot count
// who knocks, so it is probed.
type refusal struct {
	gate   *Gate
	used   bool // somebody could have felt it
	live   int  // connections at the start
	cut    int  // those of them that were reset
	prober *prober
}

// newRefusal puts it in force. Nobody else may change the port until it is lifted.
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
	r.prober = &prober{address: g.port.addr.String(), timeout: refusedWithin, felt: refused}
	r.prober.start()
	return r
}

func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// attach does nothing: a closed port has no new connections.
func (r *refusal) attach(*conn) {}

func (r *refusal) end(time.Duration) results.Evidence {
	r.prober.finish()
	ev := results.Evidence{Occasion: "live connections and probing dials", Refused: r.prober.hits, Cut: r.cut}
	if r.used {
		ev.Chances, ev.Bites = r.live+r.prober.made, r.cut+r.prober.hits
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
