package servertest

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// A Relay is a way to a server on which everything can be held up: connections stay
// open, and nothing comes through in either direction.
type Relay struct {
	listener net.Listener
	upstream string
	copying  sync.WaitGroup

	mu     sync.Mutex
	let    *sync.Cond // held or closed has changed
	held   bool
	closed bool
	open   []net.Conn
}

// NewRelay makes a relay to the server at the URL, until the test ends.
func NewRelay(t testing.TB, to string) (relay *Relay, through string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{listener: l, upstream: u.Host}
	r.let = sync.NewCond(&r.mu)
	r.copying.Go(r.accept)
	t.Cleanup(r.close)
	u.Host = l.Addr().String()
	return r, u.String()
}

// Hold holds everything up from now on, or lets it go on.
func (r *Relay) Hold(held bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = held
	r.let.Broadcast()
}

func (r *Relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return // closed
		}
		far, err := net.Dial("tcp", r.upstream)
		if err != nil {
			client.Close()
			continue
		}
		r.mu.Lock()
		r.open = append(r.open, client, far)
		if r.closed { // close has not seen them
			client.Close()
			far.Close()
		}
		r.mu.Unlock()
		r.copying.Go(func() { r.carry(client, far) })
		r.copying.Go(func() { r.carry(far, client) })
	}
}

// carry copies until either side is closed.
func (r *Relay) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	for buf := make([]byte, 32<<10); ; {
		n, err := from.Read(buf)
		if err != nil || !r.pass() {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// pass waits while everything is held up. It is false when the relay is closed.
func (r *Relay) pass() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.held && !r.closed {
		r.let.Wait()
	}
	return !r.closed
}

func (r *Relay) close() {
	r.listener.Close()
	r.mu.Lock()
	r.closed = true
	r.let.Broadcast()
	for _, c := range r.open {
		c.Close()
	}
	r.mu.Unlock()
	r.copying.Wait()
}
