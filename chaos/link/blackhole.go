package link

import (
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"

	"brownout/chaos"
	"brownout/results"
)

// holdToxic keeps every chunk, and the end of the stream, until it is interrupted.
//
// Note: Toxiproxy's timeout toxic drops data and closes every connection when it
// is taken away, so a partition that heals cannot be made with it.
type holdToxic struct{}

// Pipe implements toxics.Toxic.
func (holdToxic) Pipe(stub *toxics.ToxicStub) {
	var held []*stream.StreamChunk
	in := stub.Input
	for {
		select {
		case c := <-in:
			if c == nil {
				in = nil
				continue
			}
			held = append(held, c)
		case <-stub.Interrupt:
			for _, c := range held {
				stub.Output <- c
			}
			if in == nil {
				stub.Close()
			}
			return
		}
	}
}

// A blackhole holds every byte that goes its way through the connections it is
// attached to.
type blackhole struct {
	way      chaos.Direction
	onRevert chaos.OnRevert
	start    time.Duration // it is in force

	mu   sync.Mutex
	held []*heldConn
}

// A heldConn is a connection and the stages that hold its bytes.
type heldConn struct {
	*conn
	holders []touch
	fresh   bool // opened while the blackhole was in force
}

func newBlackhole(f chaos.Fault, start time.Duration) *blackhole {
	return &blackhole{way: f.Way(), onRevert: f.Revert, start: start}
}

func (b *blackhole) attach(c *conn) {
	h := &heldConn{conn: c, fresh: c.opened >= b.start}
	for _, p := range c.pumps(b.way) {
		s := newStage(holdToxic{})
		s.holds = true
		h.holders = append(h.holders, touch{p, s})
	}
	b.mu.Lock()
	b.held = append(b.held, h)
	b.mu.Unlock()
	for _, on := range h.holders {
		on.pump.insert(on.stage)
	}
}

// end measures what the blackhole did until now.
func (b *blackhole) end(now time.Duration) results.Evidence {
	ev := results.Evidence{Occasion: "connections that sent something while in force"}
	for _, h := range b.touched() {
		b.measure(h, now, &ev)
	}
	return ev
}

func (b *blackhole) measure(h *heldConn, now time.Duration, ev *results.Evidence) {
	arrived, passed := h.bytes()
	if arrived == 0 {
		return
	}
	ev.Chances++
	if passed > 0 {
		return
	}
	ev.Bites++
	end, open := h.lastSeen(now)
	if since, ok := h.silence.waiting(); ok {
		ev.Silence = max(ev.Silence, end-max(since, b.start))
		if open {
			ev.SilentAtEnd++
		}
	}
	if open && b.onRevert == chaos.Close {
		ev.Cut++
	}
}

// lift gives away what was held, or closes the connections that it was held on.
func (b *blackhole) lift() error {
	for _, h := range b.touched() {
		if arrived, _ := h.bytes(); b.onRevert == chaos.Close && (arrived > 0 || h.fresh) {
			h.abort(results.ClosedByGate, closeQuietly)
			continue
		}
		for _, on := range h.holders {
			on.pump.lift(on.stage)
		}
	}
	return nil
}

func (b *blackhole) touched() []*heldConn {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*heldConn(nil), b.held...)
}

// bytes says how many bytes arrived at the stages, and how many came out behind
// them. The count is taken at the sockets, not from the stages.
func (h *heldConn) bytes() (arrived, passed int64) {
	for _, on := range h.holders {
		a, p := on.pump.since(on.stage)
		arrived, passed = arrived+a, passed+p
	}
	return arrived, passed
}

// lastSeen is the moment up to which the connection was there.
func (c *conn) lastSeen(now time.Duration) (at time.Duration, open bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed != 0 {
		return c.closed, false
	}
	return now, !c.aborted
}
