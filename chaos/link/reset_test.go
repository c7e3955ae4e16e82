package link

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/results"
)

var resetFault = chaos.Fault{Kind: chaos.Reset}

// resetOf dials and says how the connection ended.
func resetOf(t *testing.T, addr string) error {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, guardTime)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(guardTime))
	_, err = c.Read(make([]byte, 1))
	return err
}

func TestResetResetsLiveAndNewConnections(t *testing.T) {
	serverSide := make(chan error, 3)
	s := startServer(t, func(c *net.TCPConn) {
		_, err := io.Copy(c, struct{ io.Reader }{c})
		serverSide <- err
	})
	g, j, _ := startGate(t, s.addr())
	c := dialGate(t, g)
	send(t, c, "before")
	expect(t, c, "before")
	for cycle := range 2 {
		r := inject(t, g, resetFault)
		expectEnd(t, c, errReset)
		if err := <-serverSide; !errors.Is(err, errReset) {
			t.Errorf("the dependency saw %v, want %v", err, errReset)
		}
		for range 3 {
			if err := resetOf(t, g.Addr()); !errors.Is(err, errReset) {
				t.Errorf("a new connection ended with %v, want %v", err, errReset)
			}
		}
		for _, ended := range j.closes(t, 4*(cycle+1)) {
			if ended.By != results.ClosedByGate {
				t.Errorf("closed by %q, want %q", ended.By, results.ClosedByGate)
			}
		}
		ev := revert(t, r)
		if want := (results.Evidence{Occasion: ev.Occasion, Chances: 4, Bites: 4, Cut: 1, Offered: 4, Hit: 4}); ev != want {
			t.Errorf("evidence = %+v, want %+v", ev, want)
		}
		c = dialGate(t, g)
		send(t, c, "after")
		expect(t, c, "after")
	}
	if n := len(serverSide); n != 0 {
		t.Errorf("the dependency saw the end of %d connections more, want none", n)
	}
}

// A dial that ends just after the reset is reset as well.
func TestDialUnderWayIsReset(t *testing.T) {
	for how, want := range map[manner]error{closeHard: errReset, closeQuietly: io.EOF} {
		s, accepted := startCloser(t)
		g, _, _ := startGate(t, s.addr())
		mine, theirs, err := pairTCP(t)
		if err != nil {
			t.Fatal(err)
		}
		c := newConn(g, t.Context(), 1, theirs)
		c.aborted, c.how = true, how // without cancelling the dial, which would end it here
		if _, err := c.dial(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("dial = %v, want %v", err, net.ErrClosed)
		}
		expectEnd(t, <-accepted, want)
		mine.Close()
		theirs.Close()
	}
}

// pairTCP returns both ends of a connection.
func pairTCP(t *testing.T) (a, b *net.TCPConn, err error) {
	t.Helper()
	s, accepted := startCloser(t)
	c, err := net.Dial("tcp", s.addr())
	if err != nil {
		return nil, nil, err
	}
	return c.(*net.TCPConn), <-accepted, nil
}

func TestResetAsARedisClientSeesIt(t *testing.T) {
	srv := miniredis.RunT(t)
	g, _, _ := startGate(t, srv.Addr())
	client := redis.NewClient(&redis.Options{Addr: g.Addr(), MaxRetries: -1, DialerRetries: 1, DisableIdentity: true, Protocol: 2})
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, "flag", "on", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r := inject(t, g, resetFault)
	for range 5 {
		err := client.Get(ctx, "flag").Err()
		t.Logf("GET = %v", err)
		if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, io.EOF) {
			t.Errorf("GET = %v, want a connection that was reset", err)
		}
	}
	if ev := revert(t, r); ev.Chances < 2 || ev.Bites != ev.Chances {
		t.Errorf("evidence = %+v, want every connection reset, and at least 2", ev)
	}
	waitFor(t, "the client is well again", func() bool {
		v, err := client.Get(ctx, "flag").Result()
		return err == nil && v == "on"
	})
}
