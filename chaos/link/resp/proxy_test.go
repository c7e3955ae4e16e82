package resp

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brownout/chaos/link/wire"
	"brownout/results"
)

// A proxy drives a dialog on each of its connections.
type proxy struct {
	addr     string
	upstream string
	listener net.Listener
	running  sync.WaitGroup
	accepted atomic.Int64
	hungUp   atomic.Int64 // connections that a dialog closed

	saidMu sync.Mutex
	said   []results.Exchange

	mu    sync.Mutex // taken before that of a connection
	force []*wire.Answer
	open  map[*proxied]struct{}
	aside []string // why dialogs stepped aside
}

// startProxy starts a proxy that lives as long as the test.
func startProxy(t *testing.T, upstream string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), upstream: upstream, listener: l, open: map[*proxied]struct{}{}}
	p.running.Go(p.accept)
	t.Cleanup(p.stop)
	return p
}

func (p *proxy) stop() {
	p.listener.Close()
	p.mu.Lock()
	for c := range p.open {
		c.client.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.upstream)
		if err != nil {
			client.Close()
			continue
		}
		c := &proxied{proxy: p, client: client.(*net.TCPConn), server: server.(*net.TCPConn), dialog: New(p.record)}
		p.attach(c)
		p.running.Go(c.run)
	}
}

func (p *proxy) record(e results.Exchange) {
	p.saidMu.Lock()
	defer p.saidMu.Unlock()
	p.said = append(p.said, e)
}

// exchanges returns what was reported so far.
func (p *proxy) exchanges() []results.Exchange {
	p.saidMu.Lock()
	defer p.saidMu.Unlock()
	return append([]results.Exchange(nil), p.said...)
}

// asides returns why dialogs stepped aside on connections that are over.
func (p *proxy) asides() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.aside
}

// attach gives a new connection the answers that are in force.
func (p *proxy) attach(c *proxied) {
	p.accepted.Add(1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[c] = struct{}{}
	for _, a := range p.force {
		c.give(c.dialog.Inject(a, true, time.Millisecond))
	}
}

// inject puts a in force on all connections.
func (p *proxy) inject(a *wire.Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.force = append(p.force, a)
	for c := range p.open {
		c.mu.Lock()
		c.give(c.dialog.Inject(a, false, 0))
		c.mu.Unlock()
	}
}

// lift takes every answer away.
func (p *proxy) lift() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.mu.Lock()
		for _, a := range p.force {
			c.dialog.Lift(a)
		}
		c.mu.Unlock()
	}
	p.force = nil
}

// A proxied is a connection of a proxy.
type proxied struct {
	proxy          *proxy
	client, server *net.TCPConn

	mu     sync.Mutex // held while the dialog is asked and the client is given what it says
	dialog *Dialog
}

// run carries bytes until both directions have ended.
func (c *proxied) run() {
	var down sync.WaitGroup
	down.Go(func() {
		copyTo(c.server, func(b []byte) error { return c.give(c.dialog.Down(b, 0)) }, &c.mu)
		c.client.CloseWrite()
	})
	copyTo(c.client, c.up, nil)
	c.server.CloseWrite()
	down.Wait()
	c.client.Close()
	c.server.Close()
	c.mu.Lock()
	c.dialog.End(0)
	why := c.dialog.Aside()
	c.mu.Unlock()
	c.proxy.mu.Lock()
	if why != "" {
		c.proxy.aside = append(c.proxy.aside, why)
	}
	delete(c.proxy.open, c)
	c.proxy.mu.Unlock()
}

// copyTo gives what it reads to use, under mu.
func copyTo(from *net.TCPConn, use func([]byte) error, mu *sync.Mutex) {
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if mu != nil {
			mu.Lock()
		}
		err = use(b[:n])
		if mu != nil {
			mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

func (c *proxied) up(b []byte) error {
	c.mu.Lock()
	s := c.dialog.Up(b, 0)
	forward := append([]byte(nil), s.Forward...)
	s.Forward = nil
	err := c.give(s)
	c.mu.Unlock()
	if err == nil && len(forward) > 0 {
		_, err = c.server.Write(forward)
	}
	return err
}

// give gives the client what a step says.
func (c *proxied) give(s wire.Step) error {
	if s.Close {
		c.proxy.hungUp.Add(1) // before the client hears of it
	}
	if _, err := c.client.Write(append(s.Back, s.Forward...)); err != nil {
		return err
	}
	if s.Close {
		c.client.CloseWrite()
		c.server.CloseWrite()
	}
	return nil
}
