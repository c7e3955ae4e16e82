package link

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"brownout/results"
)

func TestGateWritesDownConnections(t *testing.T) {
	g, j, _ := startGate(t, startEcho(t).addr())
	c := dialGate(t, g)
	send(t, c, "hello")
	expect(t, c, "hello")
	// The client can be quicker than the gate's count of what it wrote.
	waitFor(t, "5 bytes each way", func() bool { return g.Stats() == Stats{Live: 1, Opened: 1, Up: 5, Down: 5} })
	live := g.Connections()
	if len(live) != 1 || live[0].Closed != 0 || live[0].By != "" {
		t.Errorf("Connections() = %+v, want one that is open", live)
	}
	c.Close()
	got := j.closes(t, 1)[0]
	if got.ID != 1 || got.By != results.ClosedByClient || got.Up != 5 || got.Down != 5 {
		t.Errorf("close event = %+v, want id 1, by client, 5 bytes each way", got)
	}
	if got.Client != c.LocalAddr().String() || got.Opened <= 0 || got.Closed < got.Opened {
		t.Errorf("close event = %+v, want client %s and opened before closed", got, c.LocalAddr())
	}
	first := j.all()[0]
	if first.Kind != results.EventConnect || first.On != "cache" || first.At != got.Opened || first.Conn.Closed != 0 {
		t.Errorf("first event = %+v, want its connect", first)
	}
	if s := g.Stats(); s.Live != 0 || s.Opened != 1 || s.Up != 5 || s.Down != 5 {
		t.Errorf("Stats() = %+v, want no live connection, 5 bytes each way", s)
	}
}

func TestGatePassesOnEachEnd(t *testing.T) {
	type ends struct {
		t              *testing.T
		client, server *net.TCPConn
	}
	tests := []struct {
		name string
		do   func(ends)
		by   results.Closer
	}{
		{"a client's FIN reaches the server, which can still answer", func(e ends) {
			send(e.t, e.client, "last words")
			e.client.CloseWrite()
			all, err := io.ReadAll(e.server)
			if string(all) != "last words" || err != nil {
				e.t.Fatalf("server read %q, %v, want the last words", all, err)
			}
			send(e.t, e.server, "answer")
			e.server.Close()
			expect(e.t, e.client, "answer")
			expectEnd(e.t, e.client, io.EOF)
		}, results.ClosedByClient},
		{"a server's FIN reaches the client after the data, and the client can still send", func(e ends) {
			send(e.t, e.server, "bye")
			e.server.CloseWrite()
			expect(e.t, e.client, "bye")
			expectEnd(e.t, e.client, io.EOF)
			send(e.t, e.client, "ok")
			expect(e.t, e.server, "ok")
			e.client.Close()
		}, results.ClosedByServer},
		{"a client's RST reaches the server as RST", func(e ends) {
			e.client.SetLinger(0)
			e.client.Close()
			expectEnd(e.t, e.server, errReset)
		}, results.ClosedByClientReset},
		{"a server's RST reaches the client as RST", func(e ends) {
			e.server.SetLinger(0)
			e.server.Close()
			expectEnd(e.t, e.client, errReset)
		}, results.ClosedByServerReset},
		{"a server that closed and is sent more resets the client", func(e ends) {
			e.server.Close()
			expectEnd(e.t, e.client, io.EOF)
			var err error
			for range 1000 { // the RST takes a round trip through the gate
				if _, err = e.client.Write([]byte("x")); err != nil {
					break
				}
				time.Sleep(time.Millisecond)
			}
			if err == nil {
				e.t.Fatal("writing to a dead dependency never failed")
			}
		}, results.ClosedByServer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			accepted := make(chan *net.TCPConn, 1)
			release := make(chan struct{})
			s := startServer(t, func(c *net.TCPConn) { accepted <- c; <-release })
			t.Cleanup(func() { close(release) })
			g, j, _ := startGate(t, s.addr())
			c := dialGate(t, g)
			server := <-accepted
			server.SetDeadline(time.Now().Add(guardTime))
			send(t, server, "welcome") // an end before the gate's dial has ended is a failed dial
			expect(t, c, "welcome")
			tt.do(ends{t, c, server})
			if got := j.closes(t, 1)[0].By; got != tt.by {
				t.Errorf("closed by %q, want %q", got, tt.by)
			}
		})
	}
}

// The dependency answers a FIN with its own within microseconds.
func TestWhoClosedFirstIsKnown(t *testing.T) {
	const n = 500
	g, j, _ := startGate(t, startEcho(t).addr())
	for range n {
		c := dialGate(t, g)
		send(t, c, "x")
		expect(t, c, "x")
		c.Close()
	}
	wrong := 0
	for _, c := range j.closes(t, n) {
		if c.By != results.ClosedByClient {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d connections are not closed by the client", wrong, n)
	}
}

func TestFailedDialResetsTheClient(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	g, j, _ := startGate(t, dead.Addr().String())
	c, err := net.DialTimeout("tcp", g.Addr(), guardTime)
	if err == nil { // otherwise the reset was there before the dial ended
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, errReset) {
		t.Errorf("connection ended with %v, want a reset", err)
	}
	if got := j.closes(t, 1)[0].By; got != results.ClosedByDial {
		t.Errorf("closed by %q, want %q", got, results.ClosedByDial)
	}
}

// An upstream whose backlog is full answers no SYN: a dial to it hangs.
func startDialhole(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: sa.(*syscall.SockaddrInet4).Port}
	for range 10 {
		c, err := net.DialTimeout("tcp", addr.String(), 100*time.Millisecond)
		if err != nil {
			return addr.String()
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Skip("this kernel answers SYNs beyond a full backlog")
	return ""
}

func TestHangingDialBlocksNobody(t *testing.T) {
	g, j, stop := startGate(t, startDialhole(t))
	for range 3 {
		c := dialGate(t, g) // accepted, though none of the dials has ended
		send(t, c, "anybody?")
	}
	waitFor(t, "three connections", func() bool { return g.Stats().Live == 3 })
	stop() // startGate fails the test if it hangs
	for _, c := range j.closes(t, 3) {
		if c.By != results.ClosedByGate {
			t.Errorf("closed by %q, want %q", c.By, results.ClosedByGate)
		}
	}
}

func TestSilenceOfAConnectionAliveAtTheEnd(t *testing.T) {
	s := startServer(t, func(c *net.TCPConn) { io.Copy(io.Discard, c) })
	g, j, stop := startGate(t, s.addr())
	c := dialGate(t, g)
	send(t, c, "anybody?")
	waitTaken(t, g, 8)
	began := time.Now()
	waitFor(t, "some silence", func() bool { return time.Since(began) > 50*time.Millisecond })
	if live := g.Connections()[0].Silence; live < 50*time.Millisecond {
		t.Errorf("Silence of the live connection = %v, want at least 50ms", live)
	}
	stop()
	got := j.closes(t, 1)[0]
	if got.Silence < 50*time.Millisecond || got.Silence > got.Closed-got.Opened {
		t.Errorf("Silence = %v, want from 50ms to %v", got.Silence, got.Closed-got.Opened)
	}
	if got.By != results.ClosedByGate {
		t.Errorf("closed by %q, want %q", got.By, results.ClosedByGate)
	}
}

func TestSilenceCountsFromSendToAnswer(t *testing.T) {
	var s silence
	s.sent(10)
	s.sent(15) // still the same wait
	if got := s.upTo(18); got != 8 {
		t.Errorf("upTo(18) = %d, want 8: the wait still goes on", got)
	}
	s.answered(30)
	s.answered(90) // nobody waited
	s.sent(100)
	s.answered(105)
	if got := s.upTo(1000); got != 20 {
		t.Errorf("upTo(1000) = %d, want 20, from 10 to 30", got)
	}
	if since, ok := s.waiting(); ok {
		t.Errorf("waiting() = %d, want none", since)
	}
}

// A client that answers an answer at once still waits, however the gate's two
// directions are scheduled.
func TestWaitOfAQuickClientIsSeen(t *testing.T) {
	s := startServer(t, func(c *net.TCPConn) {
		b := make([]byte, 4)
		for range 500 {
			if _, err := io.ReadFull(c, b); err != nil {
				return
			}
			c.Write(b)
		}
		io.Copy(io.Discard, c) // and then no more answers
	})
	for range 10 {
		g, _, stop := startGate(t, s.addr())
		c := dialGate(t, g)
		for range 500 {
			send(t, c, "ping")
			expect(t, c, "ping")
		}
		send(t, c, "ping")
		waitTaken(t, g, 4*501)
		if _, ok := g.connections()[0].silence.waiting(); !ok {
			t.Fatal("the gate does not know that the client waits")
		}
		stop()
	}
}

func TestGateRunsOnce(t *testing.T) {
	g, _, stop := startGate(t, "127.0.0.1:1")
	stop()
	if err := g.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "only once") {
		t.Errorf("second Run = %v, want an error that says so", err)
	}
}

func TestPortOfAnother(t *testing.T) {
	other := startEcho(t)
	g := New(Config{Name: "cache", Listen: other.addr(), Upstream: other.addr()})
	if err := g.Listen(); err == nil || !strings.Contains(err.Error(), "opening link cache") {
		t.Errorf("Listen() on a port in use = %v, want an error that names the link", err)
	}
}
