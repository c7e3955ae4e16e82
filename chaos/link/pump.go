package link

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
)

const (
	// heldLimit bounds what one direction of a connection keeps in memory.
	heldLimit = 1 << 20
	// chunkCost is what a chunk counts beyond its bytes, so that tiny chunks are
	// bounded as well.
	chunkCost = 128
)

// A pump carries the bytes of one direction. One goroutine, the carrier, calls
// pass and end; faults come and go from others.
//
// Note: a chain that is always there, as in Toxiproxy, was the simpler way. It
// costs a copy and several channel hops for every chunk of a link without a fault.
type pump struct {
	goroutines *sync.WaitGroup
	sink       func([]byte) (int, error)
	finish     func() // called once, after the last byte, unless killed

	mu      sync.Mutex
	moved   sync.Cond // the chain has moved on: a chunk less, a stage more or less, or killed
	chain   *chain    // nil: bytes go straight on
	waiting []*stage  // in force, oldest first, that nothing has met yet: they cost nothing
	read    int64     // position in the stream: bytes taken from the source
	written int64     // and bytes written to the sink
	ended   bool      // the source has ended
	dead    bool      // killed: nothing is written any more
}

func newPump(goroutines *sync.WaitGroup, sink func([]byte) (int, error), finish func()) *pump {
	p := &pump{goroutines: goroutines, sink: sink, finish: finish}
	p.moved.L = &p.mu
	return p
}

// pass carries b on. It keeps no reference to b.
func (p *pump) pass(b []byte) error {
	now := time.Now()
	p.mu.Lock()
	p.read += int64(len(b))
	for !p.dead && p.mustWait() {
		p.moved.Wait()
	}
	if p.dead {
		p.mu.Unlock()
		return net.ErrClosed
	}
	p.raise()
	if p.chain == nil {
		p.mu.Unlock()
		return p.write(b)
	}
	in, shift := p.chain.enter(now, len(b))
	p.mu.Unlock()
	in <- &stream.StreamChunk{Data: bytes.Clone(b), Timestamp: now.Add(shift)}
	return nil
}

// write writes b to the sink.
func (p *pump) write(b []byte) error {
	n, err := p.sink(b)
	p.mu.Lock()
	p.written += int64(n)
	p.mu.Unlock()
	return err
}

// drain writes what comes out of ch until ch is closed. After an error it reads
// on, so that no stage is left blocked.
func (p *pump) drain(ch *chain, out <-chan *stream.StreamChunk) {
	for c := range out {
		if !p.killed() && p.write(c.Data) != nil {
			p.kill() // the sink has told the connection why
		}
		p.mu.Lock()
		ch.leave(time.Now(), len(c.Data))
		p.dismantle()
		p.moved.Broadcast()
		p.mu.Unlock()
	}
	p.mu.Lock()
	cutter, last := ch.cutter(), ch.final
	if p.dead {
		cutter, last = nil, false
	}
	if last {
		ch.last.keep(time.Now())
	}
	p.mu.Unlock()
	switch {
	case cutter != nil:
		cutter.onCut()
	case last:
		p.finish()
	}
}

// When end may take effect.
type endRule bool

const (
	always     endRule = true
	unlessHeld endRule = false // not behind a stage that holds
)

// end says that the source has no more. It reports false, and does nothing, when
// the rule forbids it.
func (p *pump) end(rule endRule) bool {
	p.mu.Lock()
	if rule == unlessHeld && p.holds() {
		p.mu.Unlock()
		return false
	}
	if !p.dead {
		p.raise()
	}
	p.ended = true
	straight := p.chain == nil && !p.dead
	if p.chain != nil {
		p.chain.end(time.Now())
	}
	p.mu.Unlock()
	if straight {
		p.finish()
	}
	return true
}

// holding says whether a stage in force lets nothing out.
func (p *pump) holding() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.holds()
}

// stop says that the carrier ends. Without an end before it, it drops what is
// under way.
func (p *pump) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	p.ended, p.dead = true, true
	if p.chain != nil {
		p.chain.discard()
		p.chain.end(time.Now())
	}
}

// insert puts s in the way of everything that is read from now on. It does
// nothing when the source has ended.
func (p *pump) insert(s *stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.mark = p.read
	if p.ended || p.dead {
		return
	}
	p.waiting = append(p.waiting, s)
	p.moved.Broadcast()
}

// raise puts the stages that wait into the chain. p.mu is held.
func (p *pump) raise() {
	for _, s := range p.waiting {
		if p.chain == nil {
			p.chain = &chain{in: make(chan *stream.StreamChunk)}
			ch, out := p.chain, p.chain.in
			p.goroutines.Go(func() { p.drain(ch, out) })
		}
		p.goroutines.Go(p.chain.prepend(s))
	}
	p.waiting = nil
}

// mustWait says whether the carrier has to wait: the chain is full, or it has no
// stage in force and is about to be taken away. p.mu is held.
func (p *pump) mustWait() bool {
	return p.chain != nil && (p.chain.cost >= heldLimit || p.chain.spent() && len(p.waiting) == 0)
}

// holds says whether a stage in force lets nothing out. p.mu is held.
func (p *pump) holds() bool {
	holds := func(s *stage) bool { return s.holds && !s.lifted }
	return slices.ContainsFunc(p.waiting, holds) || p.chain != nil && slices.ContainsFunc(p.chain.stages, holds)
}

// lift takes s out of the way: what it holds flows on. It does not wait for that.
func (p *pump) lift(s *stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.lift()
	p.waiting = slices.DeleteFunc(p.waiting, func(w *stage) bool { return w == s })
	p.dismantle()
	p.moved.Broadcast()
}

// settle counts the chunks under way that d still delays.
func (p *pump) settle(d *delays) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.chain != nil {
		p.chain.settle(d)
	}
}

// kill makes the pump drop what it has, so that its goroutines come to an end.
func (p *pump) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = true
	if p.chain != nil {
		p.chain.discard()
	}
	p.moved.Broadcast()
}

// dismantle takes an empty chain away in which a stage was lifted. Those still in
// force wait for the next chunk; without any, that goes the straight path. p.mu is
// held.
func (p *pump) dismantle() {
	if ch := p.chain; ch != nil && ch.worn() && len(ch.tickets) == 0 && !ch.final {
		p.chain = nil
		p.waiting = append(ch.halt(), p.waiting...)
		close(ch.in)
	}
}

func (p *pump) killed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// passed is how many bytes have been passed on.
func (p *pump) passed() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.written
}

// since says how many bytes have arrived after s was put in, and how many of
// these were passed on.
func (p *pump) since(s *stage) (arrived, passed int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.read - s.mark, max(p.written-s.mark, 0)
}
