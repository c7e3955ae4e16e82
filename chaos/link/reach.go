package link

import (
	"math"
	"math/rand/v2"
	"net"

	"brownout/chaos"
	"brownout/results"
)

// A reach says which connections a fault is put on, and counts them. The gate's lock
// guards it.
type reach struct {
	fault   chaos.Fault
	start   float64 // of the draw
	offered int
	hit     int
}

func newReach(f chaos.Fault, seed uint64) reach {
	return reach{fault: f, start: rand.New(rand.NewPCG(seed, 0)).Float64()}
}

// meets decides about connection id of who.
func (r *reach) meets(id uint64, who chaos.Whom) bool {
	if !r.fault.Hits(who) {
		return false
	}
	r.offered++
	if r.draw(id) >= r.fault.ShareAsked() {
		return false
	}
	r.hit++
	return true
}

// draw returns a number from 0 to 1 for connection id: steps of the golden ratio
// (the additive recurrence of Weyl), which spread so evenly that of connections in a
// row the share asked is hit, give or take two of hundreds and three of thousands. A
// share is contained in every larger one, and faults of one gate with the same share
// hit the same connections.
//
// Note: a random draw for each connection was the other way. Of a pool of 4
// connections half would hit none or all of them in one run of eight.
func (r *reach) draw(id uint64) float64 {
	_, draw := math.Modf(r.start + float64(id)/math.Phi)
	return draw
}

// report writes into ev what the fault met.
func (r *reach) report(ev *results.Evidence) {
	ev.Offered, ev.Hit = r.offered, r.hit
	ev.ShareAsked, ev.Whom = r.fault.Share, string(r.fault.Whom)
}

// who has opened a connection.
func (g *Gate) who(c *conn) chaos.Whom {
	if from, ok := c.client.RemoteAddr().(*net.TCPAddr); ok {
		if role, known := g.cfg.Roles[from.AddrPort().Addr().Unmap()]; known {
			return role
		}
	}
	return chaos.Clients
}
