package link

import (
	"slices"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// A chain is the way of chunks through stages, newest stage first. Its pump's
// lock guards it.
type chain struct {
	in      chan *stream.StreamChunk // into the newest stage; the carrier sends and closes
	stages  []*stage
	tickets []ticket // of the chunks inside, in order
	cost    int
	final   bool // the source has ended: in is closed and will not be opened again
}

// A ticket stands for a chunk inside the chain. Stages may cut it, but not reorder.
type ticket struct {
	arrived time.Time
	cost    int
	left    int       // bytes that have not left the chain
	owed    []promise // of the faults in force when it arrived, not settled yet
}

// A promise is a delay to be measured, and where to note it.
type promise struct {
	delays *delays
	floor  time.Duration // a delay of at least this keeps it
}

// An account says where a stage notes what it did.
type account struct {
	*delays
	floor func(n int) time.Duration // of a chunk of n bytes; 0: the chunk is not counted
}

// prepend puts s in front and returns what runs it.
func (ch *chain) prepend(s *stage) (run func()) {
	in, out, stop := make(chan *stream.StreamChunk, s.buffer), ch.in, make(chan struct{})
	ch.in, s.stop = in, stop
	ch.stages = append(ch.stages, s)
	return func() { s.run(in, out, stop) }
}

// enter notes a chunk of n bytes that the carrier is about to send to in, with
// its timestamp moved by shift.
func (ch *chain) enter(now time.Time, n int) (in chan<- *stream.StreamChunk, shift time.Duration) {
	t := ticket{arrived: now, cost: n + chunkCost, left: n}
	for _, s := range ch.stages {
		if s.lifted || s.account == nil {
			continue
		}
		if floor := s.account.floor(n); floor > 0 {
			t.owed = append(t.owed, promise{s.account.delays, floor})
			s.account.arrived()
		}
		if s.shift != nil {
			shift = s.shift()
		}
	}
	ch.tickets = append(ch.tickets, t)
	ch.cost += t.cost
	return ch.in, shift
}

// leave notes that n bytes, of the oldest chunk, have left the chain.
func (ch *chain) leave(now time.Time, n int) {
	t := &ch.tickets[0]
	if t.left -= n; t.left > 0 {
		return
	}
	ch.cost -= t.cost
	for _, p := range t.owed {
		p.delays.passed(now.Sub(t.arrived), p.floor)
	}
	ch.tickets = ch.tickets[1:]
}

// settle counts the chunks inside that d still delays.
func (ch *chain) settle(d *delays) {
	for i := range ch.tickets {
		t := &ch.tickets[i]
		t.owed = slices.DeleteFunc(t.owed, func(p promise) bool {
			if p.delays == d {
				d.kept()
			}
			return p.delays == d
		})
	}
}

// spent says whether no stage is in force any more.
func (ch *chain) spent() bool {
	for _, s := range ch.stages {
		if !s.lifted {
			return false
		}
	}
	return true
}

// worn says whether a stage was lifted.
func (ch *chain) worn() bool {
	return slices.ContainsFunc(ch.stages, func(s *stage) bool { return s.lifted })
}

// halt ends the stages of an empty chain, and returns those still in force.
func (ch *chain) halt() []*stage {
	inForce := slices.DeleteFunc(ch.stages, func(s *stage) bool { return s.lifted })
	for _, s := range inForce {
		close(s.stop)
		s.stop = nil
	}
	return inForce
}

// discard lets every stage run empty. What was delayed was delayed to the end.
func (ch *chain) discard() {
	for _, s := range ch.stages {
		if s.account != nil {
			ch.settle(s.account.delays)
		}
		s.lift()
	}
}

// A stage is one toxic in one direction of one connection.
type stage struct {
	toxic   toxics.Toxic
	buffer  int                  // chunks that may wait in front of it
	holds   bool                 // it lets nothing out while in force
	account *account             // set by what delays
	shift   func() time.Duration // set by latency: by how much to move a chunk's timestamp

	// Guarded by the pump's lock.
	stop   chan struct{} // closed to end it; nil: it is in no chain
	mark   int64         // position in the stream at which it was put in
	lifted bool
}

func newStage(toxic toxics.Toxic) *stage {
	s := &stage{toxic: toxic}
	if b, ok := toxic.(toxics.BufferedToxic); ok {
		s.buffer = b.GetBufferSize()
	}
	return s
}

// run runs the toxic until stop is closed, and lets everything through from then on
// until in is closed.
//
// Note: Toxiproxy takes a stub out of its chain instead, with InterruptToxic and
// by swapping channels. That blocks while the next one takes no chunk. Here the
// stub's Interrupt is a channel that is closed, which cannot block.
func (s *stage) run(in <-chan *stream.StreamChunk, out chan<- *stream.StreamChunk, stop chan struct{}) {
	stub := toxics.NewToxicStub(in, out)
	stub.Interrupt = stop
	stub.Run(&toxics.ToxicWrapper{Toxic: s.toxic, Toxicity: 1})
	if stub.Closed() {
		return
	}
	for c := range in {
		out <- c
	}
	close(out)
}

// lift ends the toxic. The pump's lock is held.
func (s *stage) lift() {
	if s.lifted {
		return
	}
	s.lifted = true
	if s.stop != nil {
		close(s.stop)
	}
}
