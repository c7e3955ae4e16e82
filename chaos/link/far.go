package link

import (
	"net"
)

// A far is the dependency's side of a connection.
type far interface {
	net.Conn
	CloseWrite() error
	SetLinger(sec int) error
}

// dial reaches the dependency and wakes those who wait for it.
func (c *conn) dial() (far, error) {
	defer close(c.dialed)
	d := net.Dialer{Timeout: c.gate.cfg.DialTimeout}
	nc, err := d.DialContext(c.ctx, "tcp", c.to)
	if err != nil {
		return nil, err
	}
	server, err := c.farSide(nc.(*net.TCPConn))
	if err != nil {
		nc.Close()
		c.gate.failed(err)
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.aborted || c.hungUp { // while the dial was under way
		shut(server, c.how)
		return nil, net.ErrClosed
	}
	c.server = server
	if t, ok := server.(*terminal); ok {
		c.carriers.Go(func() { t.run(c) })
	}
	return server, nil
}

// farSide is node, with a terminal before it where the link speaks TLS.
func (c *conn) farSide(node *net.TCPConn) (far, error) {
	if c.gate.cfg.TLS == nil {
		return node, nil
	}
	return c.newTerminal(node)
}

// upstream waits for the dial and returns the dependency's socket, nil if there
// is none.
func (c *conn) upstream() far {
	<-c.dialed
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.server
}
