package link

import (
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"

	"brownout/chaos"
	"brownout/results"
)

// A limitToxic ends the stream of one connection after so many bytes.
//
// Note: Toxiproxy's limit_data was the simpler way. When it has closed its output
// it does not say whether the limit or the source was the reason, and the gate
// must know: only a limit ends the other direction as well.
type limitToxic struct {
	left int
	cut  func() // called before the stream is ended
}

// Pipe implements toxics.Toxic.
func (l *limitToxic) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case c := <-stub.Input:
			if c == nil {
				stub.Close()
				return
			}
			n := min(l.left, len(c.Data))
			stub.Output <- &stream.StreamChunk{Data: c.Data[:n], Timestamp: c.Timestamp}
			if l.left -= n; l.left == 0 {
				l.cut()
				stub.Close()
				return
			}
		}
	}
}

// A limit ends connections that have carried a number of bytes.
type limit struct {
	bytes int

	mu      sync.Mutex
	ended   bool // the account is closed
	limited []*limitedConn
}

// A limitedConn is a connection and the stage that counts its bytes.
type limitedConn struct {
	touch
	closed bool // by the limit
}

func newLimit(f chaos.Fault) *limit { return &limit{bytes: f.Bytes} }

func (l *limit) attach(c *conn) {
	toxic := &limitToxic{left: l.bytes}
	s := newStage(toxic)
	toxic.cut = func() { s.cut.Store(true) }
	one := &limitedConn{touch: touch{c.down, s}}
	s.onCut = func() {
		l.mu.Lock() // before it: who has seen the end must find it in the account
		defer l.mu.Unlock()
		first, _ := c.abort(results.ClosedByGate, closeQuietly)
		one.closed = first && !l.ended
	}
	l.mu.Lock()
	l.limited = append(l.limited, one)
	l.mu.Unlock()
	c.down.insert(s)
}

// end measures at the sockets, not in the stages, what came and what was passed on.
func (l *limit) end(time.Duration) results.Evidence {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	ev := results.Evidence{Occasion: "connections with as many bytes to carry"}
	for _, one := range l.limited {
		arrived, passed := one.pump.since(one.stage)
		if arrived < int64(l.bytes) {
			continue
		}
		ev.Chances++
		if one.stage.cut.Load() && passed <= int64(l.bytes) {
			ev.Bites++
		}
		if one.closed {
			ev.Cut++
		}
	}
	return ev
}

func (l *limit) lift() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.limited {
		one.pump.lift(one.stage)
	}
	return nil
}
