package link

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

// drainTimeout bounds the wait for connections of our own that are not there.
const drainTimeout = 100 * time.Millisecond

// A port is the side of a gate that clients see. It can be closed and opened
// again without becoming anybody else's.
type port struct {
	network  string // tcp4 or tcp6
	addr     *net.TCPAddr
	guard    guard
	listener *net.TCPListener // nil: closed
	accepts  sync.WaitGroup
	accept   func(*net.TCPConn)
	failed   func(error)
}

// bind opens the port at address. Connections wait in the kernel until serve.
func bind(address string) (*port, error) {
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("resolving %s: %w", address, err)
	}
	p := &port{network: "tcp4", addr: addr}
	if addr.IP != nil && addr.IP.To4() == nil {
		p.network = "tcp6"
	}
	if err := p.guard.bind(addr); err != nil {
		return nil, fmt.Errorf("binding %s: %w", address, err)
	}
	if err := p.listen(); err != nil {
		p.guard.close()
		return nil, err
	}
	p.addr = p.listener.Addr().(*net.TCPAddr)
	return p, nil
}

func (p *port) listen() error {
	l, err := net.ListenTCP(p.network, p.addr)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", p.addr, err)
	}
	p.listener = l
	return nil
}

// serve gives every accepted connection to accept, which must not block, and
// errors of the listener to failed.
func (p *port) serve(accept func(*net.TCPConn), failed func(error)) {
	p.accept, p.failed = accept, failed
	l := p.listener
	p.accepts.Go(func() { p.loop(l) })
}

func (p *port) loop(l *net.TCPListener) {
	for {
		c, err := l.AcceptTCP()
		switch {
		case err == nil:
			p.accept(c)
		case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
			return
		default: // too many open files, for example: the next one may succeed
			p.failed(err)
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// shut closes the port: the kernel resets what waits to be accepted and refuses
// what comes. When it returns, accept is not running and will not be called.
func (p *port) shut() {
	if p.listener == nil {
		return
	}
	p.listener.Close()
	p.listener = nil
	p.accepts.Wait()
}

// reopen undoes shut.
func (p *port) reopen() error {
	if err := p.listen(); err != nil {
		return err
	}
	p.serve(p.accept, p.failed)
	return nil
}

// pause stops accepting and leaves the port open. When it returns, accept is not
// running.
func (p *port) pause() {
	p.listener.SetDeadline(time.Unix(1, 0))
	p.accepts.Wait()
}

// resume undoes pause. It closes what waits and comes from an address in ours, so
// that accept does not see it.
func (p *port) resume(ours map[string]bool) {
	p.listener.SetDeadline(time.Now().Add(drainTimeout))
	for len(ours) > 0 {
		c, err := p.listener.AcceptTCP()
		if err != nil {
			break // the rest never came this far
		}
		if from := c.RemoteAddr().String(); ours[from] {
			delete(ours, from)
			c.Close()
			continue
		}
		p.accept(c)
	}
	p.listener.SetDeadline(time.Time{})
	p.serve(p.accept, p.failed)
}

// release closes the port and gives it back.
func (p *port) release() {
	p.shut()
	p.guard.close()
}
