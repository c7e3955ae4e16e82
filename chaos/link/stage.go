package link

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// A stage is one toxic in one direction of one connection.
type stage struct {
	toxic   toxics.Toxic
	buffer  int                  // chunks that may wait in front of it
	holds   bool                 // it lets nothing out while in force
	account *account             // set by what delays
	onCut   func()               // set by what ends connections: called when the last byte has left the pump
	cut     atomic.Bool          // it has ended the stream by itself
	shift   func() time.Duration // set by latency: by how much to move a chunk's timestamp
	turn    sync.Mutex           // held while the toxic runs: one run at a time

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
	s.turn.Lock() // in a chain that is built anew, the toxic goes on where it was
	stub.Run(&toxics.ToxicWrapper{Toxic: s.toxic, Toxicity: 1})
	s.turn.Unlock()
	if stub.Closed() {
		for range in { // what comes behind a cut, so that nobody is left blocked
		}
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
