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
	way   chaos.Direction

	mu      sync.Mutex
	ended   bool // the account is closed
	limited []*limitedConn
}

// A limitedConn is a connection and the stages that count its bytes.
type limitedConn struct {
	counters []touch
	closed   bool // by the limit
}

func newLimit(f chaos.Fault) *limit { return &limit{bytes: f.Bytes, way: f.Way()} }

func (l *limit) attach(c *conn) {
	one := &limitedConn{}
	for _, p := range c.pumps(l.way) {
		one.counters = append(one.counters, touch{p, l.counter(c, one)})
	}
	l.mu.Lock()
	l.limited = append(l.limited, one)
	l.mu.Unlock()
	for _, on := range one.counters {
		on.pump.insert(on.stage)
	}
}

// counter makes the stage of one direction.
func (l *limit) counter(c *conn, one *limitedConn) *stage {
	toxic := &limitToxic{left: l.bytes}
	s := newStage(toxic)
	toxic.cut = func() { s.cut.Store(true) }
	s.onCut = func() {
		l.mu.Lock() // before it: who has seen the end must find it in the account
		defer l.mu.Unlock()
		if first, _ := c.abort(results.ClosedByGate, closeQuietly); first && !l.ended {
			one.closed = true
		}
	}
	return s
}

// end measures at the sockets, not in the stages, what came and what was passed on.
func (l *limit) end(time.Duration) results.Evidence {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	ev := results.Evidence{Occasion: "connections with as many bytes to carry"}
	for _, one := range l.limited {
		l.measure(one, &ev)
	}
	return ev
}

func (l *limit) measure(one *limitedConn, ev *results.Evidence) {
	full, ended, leaked := false, false, false
	for _, on := range one.counters {
		arrived, passed := on.pump.since(on.stage)
		full = full || arrived >= int64(l.bytes)
		ended = ended || on.stage.cut.Load()
		leaked = leaked || passed > int64(l.bytes)
	}
	if full {
		ev.Chances++
	}
	if full && ended && !leaked {
		ev.Bites++
	}
	if one.closed {
		ev.Cut++
	}
}

func (l *limit) lift() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.limited {
		for _, on := range one.counters {
			on.pump.lift(on.stage)
		}
	}
	return nil
}
