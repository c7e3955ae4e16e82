package link

import (
	"fmt"
	"net"

	"brownout/results"
)

// Point makes new connections lead to upstream (host:port), as a name that has been
// moved does. Connections that are there stay where they are; so does a connection
// that was accepted and has not reached its upstream yet. A client that had looked
// the name up earlier and dials later would still reach the old address: behind one
// gate nobody does, which is the limit of moving an address instead of a name.
func (g *Gate) Point(upstream string) error {
	if _, _, err := net.SplitHostPort(upstream); err != nil {
		return fmt.Errorf("pointing link %s: %w", g.cfg.Name, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.upstream = upstream
	return nil
}

// Upstream is where new connections lead.
func (g *Gate) Upstream() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.upstream
}

// HangUp closes every live connection that leads to upstream with FIN, on both
// sides, and says how many there were. Bytes that a fault holds are dropped.
func (g *Gate) HangUp(upstream string) int {
	n := 0
	for _, c := range g.connections() {
		if c.to != upstream {
			continue
		}
		if first, _ := c.abort(results.ClosedByGate, closeQuietly); first {
			n++
		}
	}
	return n
}
