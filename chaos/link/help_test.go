package link

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"brownout/chaos"
	"brownout/results"
)

// guardTime ends a test that hangs. No test passes or fails by being faster.
const guardTime = 30 * time.Second

// A journal collects events and lets tests wait for them.
type journal struct {
	mu     sync.Mutex
	events []results.Event
	news   chan struct{}
}

func newJournal() *journal { return &journal{news: make(chan struct{}, 1)} }

func (j *journal) record(e results.Event) {
	j.mu.Lock()
	j.events = append(j.events, e)
	j.mu.Unlock()
	select {
	case j.news <- struct{}{}:
	default:
	}
}

func (j *journal) all() []results.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]results.Event(nil), j.events...)
}

// closes waits until n connections have ended and returns them as they ended.
func (j *journal) closes(t testing.TB, n int) []results.Conn {
	t.Helper()
	guard := time.After(guardTime)
	for {
		var ended []results.Conn
		for _, e := range j.all() {
			if e.Kind == results.EventClose {
				ended = append(ended, *e.Conn)
			}
		}
		if len(ended) >= n {
			return ended
		}
		select {
		case <-j.news:
		case <-guard:
			t.Fatalf("%d close events, want %d", len(ended), n)
		}
	}
}

// startGate runs a gate named "cache" until the test ends, or stop is called.
func startGate(t testing.TB, upstream string) (g *Gate, j *journal, stop func()) {
	t.Helper()
	return runGate(t, Config{Name: "cache", Upstream: upstream})
}

// runGate runs a gate as cfg says.
func runGate(t testing.TB, cfg Config) (g *Gate, j *journal, stop func()) {
	t.Helper()
	j = newJournal()
	cfg.Base, cfg.Record, cfg.Seed, cfg.DialTimeout = time.Now(), j.record, 7, time.Hour
	g = New(cfg)
	if err := g.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Run(ctx) }()
	waitFor(t, "the gate runs", func() bool { g.faultMu.Lock(); defer g.faultMu.Unlock(); return g.running })
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("Run: %v", err)
				}
			case <-time.After(guardTime):
				t.Errorf("Run has not ended %v after its context", guardTime)
			}
		})
	}
	t.Cleanup(stop)
	return g, j, stop
}

// A server answers every connection with handle until the test ends.
type server struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func startServer(t testing.TB, handle func(*net.TCPConn)) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l, conns: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[c] = true
			s.mu.Unlock()
			wg.Go(func() {
				defer func() {
					c.Close()
					s.mu.Lock()
					delete(s.conns, c)
					s.mu.Unlock()
				}()
				handle(c.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		s.mu.Lock()
		for c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		wg.Wait()
	})
	return s
}

func (s *server) addr() string { return s.Addr().String() }

func echo(c *net.TCPConn) { io.Copy(c, struct{ io.Reader }{c}) }

func startEcho(t testing.TB) *server { return startServer(t, echo) }

func dialGate(t testing.TB, g *Gate) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", g.Addr(), guardTime)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(guardTime))
	return c.(*net.TCPConn)
}

func send(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatalf("writing %q: %v", text, err)
	}
}

func expect(t testing.TB, c net.Conn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	if n, err := io.ReadFull(c, got); err != nil {
		t.Fatalf("read %q, %v, want %q", got[:n], err, text)
	}
	if string(got) != text {
		t.Fatalf("read %q, want %q", got, text)
	}
}

// expectSilence fails if a byte or an end comes within a moment. A gate that
// leaks answers over loopback in far less.
func expectSilence(t testing.TB, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(150 * time.Millisecond))
	defer c.SetReadDeadline(time.Now().Add(guardTime))
	var b [64]byte
	n, err := c.Read(b[:])
	var ne net.Error
	if n > 0 || !errors.As(err, &ne) || !ne.Timeout() {
		t.Fatalf("Read = %q, %v, want silence", b[:n], err)
	}
}

func expectEnd(t testing.TB, c net.Conn, want error) {
	t.Helper()
	var b [64]byte
	n, err := c.Read(b[:])
	if n != 0 || !errors.Is(err, want) {
		t.Fatalf("Read = %q, %v, want %v", b[:n], err, want)
	}
}

func inject(t testing.TB, g *Gate, f chaos.Fault) chaos.Reverter {
	t.Helper()
	f.On = "cache"
	r, err := g.Inject(context.Background(), f)
	if err != nil {
		t.Fatalf("Inject(%s): %v", f, err)
	}
	return r
}

func revert(t testing.TB, r chaos.Reverter) results.Evidence {
	t.Helper()
	ev, err := r.Revert(context.Background())
	if err != nil {
		t.Fatalf("Revert: %v", err)
	}
	return ev
}

// waitFor polls until ok.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(guardTime); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("waited %v in vain: %s\n%s", guardTime, what, buf[:runtime.Stack(buf, true)])
		}
	}
}

// waitTaken waits until the gate has taken in n bytes from clients.
func waitTaken(t testing.TB, g *Gate, n int64) {
	t.Helper()
	waitFor(t, "bytes taken from clients", func() bool {
		var sum int64
		for _, c := range g.connections() {
			c.up.mu.Lock()
			sum += c.up.read
			c.up.mu.Unlock()
		}
		return sum >= n
	})
}

var errReset = error(syscall.ECONNRESET)

// cancellable is a context that ends with the test at the latest.
func cancellable(t testing.TB) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx, cancel
}
