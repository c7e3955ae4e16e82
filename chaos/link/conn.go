package link

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"brownout/results"
)

// A conn is one connection through the gate: two sockets and two pumps.
type conn struct {
	gate     *Gate
	id       uint64
	client   *net.TCPConn
	to       string // the dependency's address
	opened   time.Duration
	ctx      context.Context
	cancel   context.CancelFunc
	up, down *pump // client to dependency, dependency to client
	talk     *talk // between the faults and the dependency
	edge     *talk // the same, or what the pumps meet where TLS is between them and talk
	silence  silence
	carriers sync.WaitGroup // every goroutine but run itself
	dialed   chan struct{}  // closed when the dial has ended, either way
	settled  bool           // it was accepted with the faults of then; guarded by the gate's lock

	mu      sync.Mutex
	server  far // nil before the dial has ended and when it failed
	by      results.Closer
	closed  time.Duration // 0: alive
	aborted bool
	how     manner // it was aborted
	broken  bool   // the dependency reset the connection, or was never reached
	hungUp  bool   // the link ended it in the dependency's name
}

// How the sockets of a connection are closed.
type manner bool

const (
	closeQuietly manner = false // FIN
	closeHard    manner = true  // RST
)

func newConn(g *Gate, ctx context.Context, id uint64, client *net.TCPConn) *conn {
	c := &conn{gate: g, id: id, client: client, to: g.upstream, opened: g.now(), dialed: make(chan struct{})}
	// The end of Run aborts the connection, which cancels the dial: in this order,
	// so that it is not taken for a failed dial.
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	c.up = newPump(&c.carriers, c.toServer, c.finishUp)
	c.down = newPump(&c.carriers, c.toClient, c.finishDown)
	c.talk = newTalk(g.dialog(id), g.now)
	c.edge = c.talk
	if g.cfg.TLS != nil {
		c.talk.write, c.talk.give, c.talk.hangUp = c.writeTLS, c.giveTLS, c.hangUpTLS
		c.edge = newTalk(nil, g.now)
	}
	c.edge.write, c.edge.give, c.edge.hangUp = c.writeServer, c.down.pass, c.hangUp
	return c
}

// run carries the connection until both directions have ended.
func (c *conn) run() {
	c.carriers.Go(c.carryUp)
	c.carryDown()
	c.carriers.Wait()
	c.cancel()
	c.client.Close()
	c.mu.Lock()
	if c.server != nil {
		c.server.Close()
	}
	c.closed = c.gate.now()
	c.mu.Unlock()
	c.gate.ended(c)
}

func (c *conn) carryUp() {
	buf := c.gate.buffers.Get().(*[]byte)
	defer c.gate.buffers.Put(buf)
	defer c.up.stop()
	for {
		n, err := c.client.Read(*buf)
		if n > 0 {
			c.silence.sent(c.gate.now())
			if c.up.pass((*buf)[:n]) != nil {
				return // the dependency is gone: down tells the client
			}
		}
		if err != nil {
			c.clientEnded(err)
			return
		}
	}
}

// clientEnded passes on that the client closed. Behind a blackhole nobody can
// hear it, and a client that closed there has given up.
func (c *conn) clientEnded(err error) {
	if !errors.Is(err, io.EOF) {
		c.abort(results.ClosedByClientReset, closeHard)
		return
	}
	c.closedBy(results.ClosedByClient) // before the dependency can hear of it and close too
	if !c.up.end(unlessHeld) {
		c.abort(results.ClosedByClient, closeQuietly)
	}
}

func (c *conn) carryDown() {
	defer c.edge.finish(c.down.stop)
	server, err := c.dial()
	if err != nil {
		c.talk.end()
		c.breakOff(results.ClosedByDial)
		c.edge.finish(func() { c.down.end(always) })
		return
	}
	buf := c.gate.buffers.Get().(*[]byte)
	defer c.gate.buffers.Put(buf)
	for err == nil {
		var n int
		if n, err = server.Read(*buf); n > 0 {
			if c.edge.down((*buf)[:n]) != nil {
				return // the client is gone: toClient has seen to the rest
			}
		}
	}
	if errors.Is(err, io.EOF) {
		c.closedBy(results.ClosedByServer)
	} else {
		c.breakOff(results.ClosedByServerReset)
	}
	c.edge.finish(func() { c.down.end(always) })
}

// toServer carries b to the dependency.
func (c *conn) toServer(b []byte) (int, error) { return c.edge.up(c.ctx, b) }

func (c *conn) writeServer(b []byte) (int, error) {
	server := c.upstream()
	if server == nil {
		return 0, net.ErrClosed
	}
	n, err := server.Write(b)
	if err != nil {
		// A reset. Down sees it too, perhaps as a mere end, and tells the client in its
		// turn, after what had come before.
		c.breakOff(results.ClosedByServerReset)
	}
	return n, err
}

// toClient writes b to the client.
func (c *conn) toClient(b []byte) (int, error) {
	// Before the write: after it the client may already have sent its next request,
	// whose wait would be taken for the one that ends here.
	c.silence.answered(c.gate.now())
	n, err := c.client.Write(b)
	if err != nil {
		c.abort(results.ClosedByClientReset, closeHard)
	}
	return n, err
}

// breakOff notes that the client is owed an RST, unless the link has hung up.
func (c *conn) breakOff(by results.Closer) {
	c.closedBy(by)
	c.mu.Lock()
	c.broken = !c.hungUp
	c.mu.Unlock()
}

// hangUp ends the connection in the dependency's name: it is closed at once, the
// client behind everything that it was given.
func (c *conn) hangUp() {
	c.hungUpBy(results.ClosedByGate)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil && !c.aborted {
		shut(c.server, closeQuietly) // carryDown sees it
	}
}

// hungUpBy notes it.
func (c *conn) hungUpBy(by results.Closer) {
	c.closedBy(by)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hungUp = true
	c.cancel() // a dial, or a delay
}

// finishUp passes the client's FIN on.
func (c *conn) finishUp() {
	if server := c.upstream(); server != nil {
		server.CloseWrite()
	}
	if c.down.holding() {
		c.abort(results.ClosedByClient, closeQuietly) // it has given up: it hears nothing
	}
}

// finishDown passes the dependency's FIN or RST on.
func (c *conn) finishDown() {
	c.mu.Lock()
	broken, hungUp := c.broken, c.hungUp
	c.mu.Unlock()
	switch {
	case broken:
		c.abort(results.ClosedByServerReset, closeHard)
	case hungUp: // a dependency that closes does not read on either
		c.abort(results.ClosedByGate, closeQuietly)
	default:
		c.client.CloseWrite()
	}
}

// abort ends both directions at once. It reports whether by is the one who ended
// the connection first, and what went wrong in closing the client's socket.
func (c *conn) abort(by results.Closer, how manner) (first bool, err error) {
	first = c.closedBy(by)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aborted {
		return first, nil
	}
	c.aborted, c.how = true, how
	c.cancel()
	c.up.kill()
	c.down.kill()
	if c.server != nil {
		shut(c.server, how)
	}
	return first, shut(c.client, how)
}

func shut(s far, how manner) error {
	if how == closeHard {
		return errors.Join(s.SetLinger(0), s.Close())
	}
	s.CloseWrite() // a FIN of its own: closing a socket with unread bytes sends only RST
	return s.Close()
}

// closedBy notes who ended the connection; the first one counts.
func (c *conn) closedBy(by results.Closer) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by != "" {
		return false
	}
	c.by = by
	return true
}

// snapshot is the record of the connection as it is at now.
func (c *conn) snapshot(now time.Duration) results.Conn {
	c.mu.Lock()
	by, closed := c.by, c.closed
	c.mu.Unlock()
	if closed == 0 {
		by = "" // on its way out, not out
	} else {
		now = closed
	}
	return results.Conn{
		ID: c.id, Client: c.client.RemoteAddr().String(), To: c.to, Opened: c.opened, Closed: closed, By: by,
		Up: c.up.passed(), Down: c.down.passed(), Silence: c.silence.upTo(now), Aside: c.talk.aside(),
	}
}
