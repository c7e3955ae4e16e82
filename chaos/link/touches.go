package link

import (
	"slices"
	"sync"

	"brownout/chaos"
)

// touches are the stages of one fault, and where they stand.
type touches struct {
	mu  sync.Mutex
	all []touch
}

type touch struct {
	pump  *pump
	stage *stage
}

// pumps are those of the ways that a fault is put on.
func (c *conn) pumps(way chaos.Direction) []*pump {
	switch way {
	case chaos.DirectionUp:
		return []*pump{c.up}
	case chaos.DirectionDown:
		return []*pump{c.down}
	}
	return []*pump{c.up, c.down}
}

// put puts s in the way of p.
func (t *touches) put(p *pump, s *stage) {
	t.mu.Lock()
	t.all = append(t.all, touch{p, s})
	t.mu.Unlock()
	p.insert(s)
}

// settle counts what d still delays.
func (t *touches) settle(d *delays) {
	for _, one := range t.list() {
		one.pump.settle(d)
	}
}

// lift takes every stage out of the way.
func (t *touches) lift() {
	for _, one := range t.list() {
		one.pump.lift(one.stage)
	}
}

func (t *touches) list() []touch {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.all)
}
