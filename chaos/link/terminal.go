package link

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"brownout/chaos/link/wire"
	"brownout/results"
)

// TLS says how a link that is spoken to in TLS speaks it. The faults of the link
// injure the client's TLS, handshake included; what passes it in the protocol is
// seen and answered in between.
type TLS struct {
	Client *tls.Config // required: for the client's side, with a certificate that clients trust
	Server *tls.Config // required: for the dependency's side
}

// A terminal ends the client's TLS and speaks its own with the dependency. To the
// connection it is the dependency: one end of a pair of sockets, the other of
// which is the terminal's.
//
// A dependency that closes without a close_notify looks to the client as if it had
// sent one: crypto/tls does not tell the two apart.
type terminal struct {
	*net.UnixConn               // the connection's end
	name          string        // of the link
	inner         *net.UnixConn // our end
	node          *net.TCPConn
	client        *tls.Conn // over inner
	server        *tls.Conn // over node
	talk          *talk
	broken        atomic.Bool // the dependency reset the connection
}

func (c *conn) newTerminal(node *net.TCPConn) (*terminal, error) {
	outer, inner, err := pair()
	if err != nil {
		return nil, err
	}
	cfg := c.gate.cfg
	t := &terminal{UnixConn: outer, name: cfg.Name, inner: inner, node: node, talk: c.talk}
	t.client, t.server = tls.Server(inner, cfg.TLS.Client), tls.Client(node, cfg.TLS.Server)
	return t, nil
}

// Of the talk of a connection with a terminal.

func (c *conn) writeTLS(b []byte) (int, error) {
	if t, ok := c.upstream().(*terminal); ok {
		return t.server.Write(b)
	}
	return 0, net.ErrClosed
}

func (c *conn) giveTLS(b []byte) error {
	t, ok := c.upstream().(*terminal)
	if !ok {
		return net.ErrClosed
	}
	_, err := t.client.Write(b)
	return err
}

func (c *conn) hangUpTLS() {
	c.hungUpBy(results.ClosedByGate)
	if t, ok := c.upstream().(*terminal); ok {
		t.endClient(io.EOF)
		shut(t.node, closeQuietly)
	}
}

// SetLinger is that of the dependency's socket.
func (t *terminal) SetLinger(sec int) error { return t.node.SetLinger(sec) }

// Close closes all sockets: up and down come to an end.
func (t *terminal) Close() error {
	return errors.Join(t.node.Close(), t.inner.Close(), t.UnixConn.Close())
}

// Read tells a reset of the dependency as one.
func (t *terminal) Read(b []byte) (int, error) {
	n, err := t.UnixConn.Read(b)
	if errors.Is(err, io.EOF) && t.broken.Load() {
		err = syscall.ECONNRESET
	}
	return n, err
}

// run carries both directions until both have ended.
func (t *terminal) run(c *conn) {
	err := t.agree(c.gate.cfg.Protocol)
	if err == nil {
		var ups sync.WaitGroup
		ups.Go(func() { t.up(c) })
		err = t.down(c)
		defer ups.Wait()
	}
	if misconfigured(err) {
		c.gate.failed(fmt.Errorf("speaking TLS on link %s: %w", t.name, err))
	}
	t.broken.Store(!errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF))
	t.talk.finish(func() { t.endClient(err) })
}

var errNoTLS = errors.New("one side does not speak TLS")

// agree agrees on TLS where the protocol asks for it first.
func (t *terminal) agree(p wire.Protocol) error {
	if len(p.AskTLS) == 0 {
		return nil
	}
	asked, agreed := make([]byte, len(p.AskTLS)), make([]byte, 1)
	if _, err := io.ReadFull(t.inner, asked); err != nil {
		return err
	}
	if !bytes.Equal(asked, p.AskTLS) {
		// Its own affair, or the CancelRequest of an old libpq, which is sent in plain.
		return fmt.Errorf("a client of link %s did not ask for TLS", t.name)
	}
	if _, err := t.node.Write(asked); err != nil {
		return err
	}
	if _, err := io.ReadFull(t.node, agreed); err != nil {
		return err
	}
	if agreed[0] != p.AgreeTLS {
		return fmt.Errorf("the dependency behind %s answered %q: %w", t.name, agreed, errNoTLS)
	}
	_, err := t.inner.Write(agreed)
	return err
}

// up carries what the client says until it ends.
func (t *terminal) up(c *conn) {
	buf := c.gate.buffers.Get().(*[]byte)
	defer c.gate.buffers.Put(buf)
	for {
		n, err := t.client.Read(*buf)
		if n > 0 {
			if _, werr := t.talk.up(c.ctx, (*buf)[:n]); werr != nil {
				return // down tells the client
			}
		}
		if err == nil {
			continue
		}
		if errors.Is(err, io.EOF) {
			t.server.CloseWrite()
		}
		t.node.CloseWrite()
		return
	}
}

// down carries what the dependency says until it ends, and says how.
func (t *terminal) down(c *conn) error {
	buf := c.gate.buffers.Get().(*[]byte)
	defer c.gate.buffers.Put(buf)
	for {
		n, err := t.server.Read(*buf)
		if n > 0 {
			if werr := t.talk.down((*buf)[:n]); werr != nil {
				return io.ErrUnexpectedEOF // the client is gone, and will not hear how
			}
		}
		if err != nil {
			return err
		}
	}
}

// endClient tells the client that nothing comes any more, in the way in which the
// dependency ended it.
func (t *terminal) endClient(err error) {
	if errors.Is(err, io.EOF) {
		t.client.CloseWrite()
	}
	t.inner.CloseWrite()
}

// misconfigured says whether the two sides cannot agree on TLS, rather than that
// one of them is gone.
func misconfigured(err error) bool {
	var certificate *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	return errors.As(err, &certificate) || errors.As(err, &header) || errors.Is(err, errNoTLS)
}
