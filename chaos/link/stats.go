package link

import (
	"cmp"
	"slices"

	"brownout/chaos"
	"brownout/results"
)

// Stats are a gate's totals so far.
type Stats struct {
	Live   int    // connections open now
	Opened uint64 // connections accepted since the start
	Up     int64  // bytes passed on to the dependency
	Down   int64  // bytes passed on to clients
}

// Stats returns the totals so far. It is cheap: a few additions for each live
// connection.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Live = len(g.live)
	for c := range g.live {
		s.Up += c.up.passed()
		s.Down += c.down.passed()
	}
	return s
}

// Connections returns the live connections as they are now, oldest first. Their
// Silence counts up to now.
func (g *Gate) Connections() []results.Conn {
	now := g.now()
	var all []results.Conn
	for _, c := range g.connections() {
		all = append(all, c.snapshot(now))
	}
	slices.SortFunc(all, func(a, b results.Conn) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Clients is how many of the connections open now are those of clients.
func (g *Gate) Clients() int {
	n := 0
	for _, c := range g.connections() {
		if g.who(c) == chaos.Clients {
			n++
		}
	}
	return n
}
