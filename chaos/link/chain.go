package link

import (
	"slices"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
)

// A chain is the way of chunks through stages, newest stage first. Its pump's
// lock guards it.
type chain struct {
	in      chan *stream.StreamChunk // into the newest stage; the carrier sends and closes
	stages  []*stage
	tickets []ticket // of the chunks inside, in order
	cost    int
	final   bool   // the source has ended: in is closed and will not be opened again
	last    ticket // of the end; set by end
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
	end   time.Duration             // of the end of the stream; 0: it is not counted
}

// owe notes that t is to be delayed by floor at the least.
func (a *account) owe(t *ticket, floor time.Duration) {
	if floor > 0 {
		t.owed = append(t.owed, promise{a.delays, floor})
		a.arrived()
	}
}

// keep settles what t is owed.
func (t *ticket) keep(now time.Time) {
	for _, p := range t.owed {
		p.delays.passed(now.Sub(t.arrived), p.floor)
	}
	t.owed = nil
}

// settle counts t where d still delays it.
func (t *ticket) settle(d *delays) {
	t.owed = slices.DeleteFunc(t.owed, func(p promise) bool {
		if p.delays == d {
			d.kept()
		}
		return p.delays == d
	})
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
		s.account.owe(&t, s.account.floor(n))
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
	t.keep(now)
	ch.tickets = ch.tickets[1:]
}

// end notes that the source has ended, and closes in.
func (ch *chain) end(now time.Time) {
	ch.final = true
	ch.last = ticket{arrived: now}
	for _, s := range ch.stages {
		if !s.lifted && s.account != nil {
			s.account.owe(&ch.last, s.account.end)
		}
	}
	close(ch.in)
}

// cutter is the stage that has ended the stream by itself, nil if there is none.
func (ch *chain) cutter() *stage {
	i := slices.IndexFunc(ch.stages, func(s *stage) bool { return s.cut.Load() })
	if i < 0 {
		return nil
	}
	return ch.stages[i]
}

// settle counts the chunks inside that d still delays.
func (ch *chain) settle(d *delays) {
	for i := range ch.tickets {
		ch.tickets[i].settle(d)
	}
	ch.last.settle(d)
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
	inForce := slices.DeleteFunc(slices.Clone(ch.stages), func(s *stage) bool { return s.lifted })
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
