package link

import (
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// A paceToxic cuts chunks into pieces and gives each away when it is due, in order.
//
// Note: Toxiproxy's bandwidth and slicer were the simpler way. They leak and can
// deadlock when they are taken away from a connection that is being used.
type paceToxic struct {
	most int                   // bytes of a piece
	due  func(n int) time.Time // when the next piece, of n bytes, may go; called once for each
	late func(n int)           // the next piece, of n bytes, will not go when it is due; nil: nobody cares
}

// GetBufferSize implements toxics.BufferedToxic. It is that of latency: a chunk's
// delay counts from its arrival.
func (*paceToxic) GetBufferSize() int { return 1024 }

// Pipe implements toxics.Toxic.
func (p *paceToxic) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			if !p.give(stub, c) {
				return
			}
		}
	}
}

// give gives c away in pieces. When it is interrupted it gives away the rest as it
// is and reports false.
func (p *paceToxic) give(stub *toxics.ToxicStub, c *stream.StreamChunk) bool {
	start, rest := time.Now(), c.Data
	for len(rest) > 0 {
		n := min(p.most, len(rest))
		timer := time.NewTimer(time.Until(p.due(n)))
		interrupted := false
		select {
		case <-timer.C:
		case <-stub.Interrupt:
			timer.Stop()
			if p.late != nil {
				p.late(n)
			}
			n, interrupted = len(rest), true
		}
		// Moved by what it has waited here, for a latency behind this stage.
		at := c.Timestamp.Add(time.Since(start))
		stub.Output <- &stream.StreamChunk{Data: rest[:n], Timestamp: at}
		if interrupted {
			return false
		}
		rest = rest[n:]
	}
	return true
}
