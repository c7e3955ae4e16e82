package cache

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// renewEvery is the shortest time between two renewals: a server that answers
// READONLY for a minute must not be dialled for every command.
const renewEvery = time.Second

// The keep-alive of connections, as go-redis' own dialer has it.
const (
	aliveIdle     = 30 * time.Second
	aliveInterval = 5 * time.Second
	aliveCount    = 3
)

// conns opens the connections of a client, and knows which there are, and which are
// not to be used any more: those of an era that is over.
type conns struct {
	dialer net.Dialer
	tls    *tls.Config // nil: none
	check  bool

	traffic *Traffic

	era     atomic.Int64
	renewed atomic.Int64 // when the era began, in nanoseconds since start
	start   time.Time

	mu     sync.Mutex
	open   map[*conn]bool
	closed bool
}

func newConns(c Client, secure *tls.Config) *conns {
	return &conns{
		dialer: net.Dialer{
			Timeout:         c.DialTimeout,
			KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: aliveIdle, Interval: aliveInterval, Count: aliveCount},
		},
		tls: secure, check: c.CheckConns, traffic: newTraffic(), start: time.Now().Add(-renewEvery), open: map[*conn]bool{},
	}
}

// dial is go-redis' Dialer.
func (s *conns) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	s.traffic.Dials.Add(1)
	c, err := s.connect(ctx, network, addr)
	if err != nil {
		s.traffic.FailedDials.Add(1)
		return nil, err
	}
	return c, nil
}

// connect opens a connection. Unlike go-redis' own dialer it ends with ctx under TLS, too.
func (s *conns) connect(ctx context.Context, network, addr string) (*conn, error) {
	c := &conn{of: s, era: s.era.Load()} // before the dial: who is named now may be out of date when it is done
	raw, err := s.dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c.raw, c.Conn = raw, raw
	if s.tls != nil {
		secured := tls.Client(raw, s.tls)
		if err := secured.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		c.Conn = secured
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errors.Join(net.ErrClosed, raw.Close())
	}
	s.open[c] = true
	return c, nil
}

// close closes what go-redis' Close does not: connections in a handshake that has no
// limit of its own.
func (s *conns) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.open {
		c.raw.Close()
	}
}

// renew ends the era, unless it has just begun.
func (s *conns) renew() {
	now, last := int64(time.Since(s.start)), s.renewed.Load()
	if now-last >= int64(renewEvery) && s.renewed.CompareAndSwap(last, now) {
		s.era.Add(1)
	}
}

// A conn is a connection that can tell whether it is of use.
type conn struct {
	net.Conn          // what is spoken: TCP, or TLS on it
	raw      net.Conn // the TCP connection
	of       *conns
	era      int64
}

// Read counts what it reads.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.of.traffic.Received.Add(uint64(n))
	return n, err
}

// Write counts what it writes.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.of.traffic.Sent.Add(uint64(n))
	return n, err
}

// Close closes the connection.
func (c *conn) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// SyscallConn is where go-redis looks at an idle connection before it uses it
// (internal/pool/conn_check.go, v9.23.0): it calls Read, and drops the connection
// without failing a command when that returns an error.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if raw, ok := c.raw.(syscall.Conn); ok && !c.of.check && c.of.tls == nil {
		return raw.SyscallConn() // go-redis' own way
	}
	return checked{c}, nil
}

// checked answers that question in a way that holds for TLS, too. go-redis' own
// peek at the socket is not made.
type checked struct{ *conn }

var errOver = errors.New("the connection is not used any more")

// Read never calls f. Unless it is to check, it finds nothing wrong, as go-redis does
// under TLS.
func (c checked) Read(func(fd uintptr) bool) error {
	switch {
	case !c.of.check:
		return nil
	case c.era != c.of.era.Load():
		return errOver
	}
	return peek(c.raw)
}

// Write is never called.
func (c checked) Write(func(fd uintptr) bool) error { return errors.ErrUnsupported }

// Control is never called.
func (c checked) Control(func(fd uintptr)) error { return errors.ErrUnsupported }
