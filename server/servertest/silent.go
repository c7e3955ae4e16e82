package servertest

import (
	"net"
	"sync"
	"testing"
	"time"
)

// A SilentServer accepts connections, reads what comes and never answers.
type SilentServer struct {
	listener net.Listener
	conns    sync.WaitGroup

	mu       sync.Mutex
	closed   bool
	open     []net.Conn
	spoke    int           // connections on which something has been read
	accepted chan struct{} // has a token when spoke has changed
}

// Silent starts a silent server that is closed when the test ends, or earlier with
// Close.
func Silent(t testing.TB) *SilentServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &SilentServer{listener: l, accepted: make(chan struct{}, 1)}
	s.conns.Go(s.accept)
	t.Cleanup(s.Close)
	return s
}

func (s *SilentServer) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		s.mu.Lock()
		s.open = append(s.open, c)
		if s.closed {
			c.Close()
		}
		s.mu.Unlock()
		s.conns.Go(func() { s.swallow(c) })
	}
}

func (s *SilentServer) swallow(c net.Conn) {
	buf := make([]byte, 4096)
	for first := true; ; first = false {
		if _, err := c.Read(buf); err != nil {
			c.Close()
			return
		}
		if !first {
			continue
		}
		s.mu.Lock()
		s.spoke++
		s.mu.Unlock()
		select {
		case s.accepted <- struct{}{}:
		default:
		}
	}
}

// URL is the server's address as that of a Redis.
func (s *SilentServer) URL() string { return "redis://" + s.listener.Addr().String() }

// WaitConns waits until n clients have connected and sent something.
func (s *SilentServer) WaitConns(t testing.TB, n int) {
	t.Helper()
	guard := time.After(startWait)
	for s.spoken() < n {
		select {
		case <-s.accepted:
		case <-guard:
			t.Fatalf("%d clients have sent something, want %d", s.spoken(), n)
		}
	}
}

func (s *SilentServer) spoken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spoke
}

// Close closes the port and every connection.
func (s *SilentServer) Close() {
	s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for _, c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.conns.Wait()
}
