package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/results"
)

var blackholeFault = chaos.Fault{Kind: chaos.Blackhole}

func TestBlackholeHoldsAndResumes(t *testing.T) {
	g, j, _ := startGate(t, startEcho(t).addr())
	old := dialGate(t, g)
	send(t, old, "before")
	expect(t, old, "before")
	idle := dialGate(t, g)

	r := inject(t, g, blackholeFault)
	send(t, old, "one ")
	send(t, old, "two")
	young := dialGate(t, g)
	send(t, young, "new")
	waitTaken(t, g, 6+7+3)
	expectSilence(t, old)
	expectSilence(t, young)

	ev := revert(t, r)
	expect(t, old, "one two")
	expect(t, young, "new")
	send(t, old, "after")
	expect(t, old, "after")
	send(t, idle, "me too")
	expect(t, idle, "me too")
	want := results.Evidence{Occasion: ev.Occasion, Chances: 2, Bites: 2, SilentAtEnd: 2, Silence: ev.Silence, Offered: 3, Hit: 3}
	if ev != want || ev.Silence < 250*time.Millisecond {
		t.Errorf("evidence = %+v, want %+v with a silence of at least 250ms", ev, want)
	}
	for _, c := range g.Connections() {
		if c.ID != 2 && c.Silence < 150*time.Millisecond {
			t.Errorf("Silence of connection %d = %v, want at least 150ms", c.ID, c.Silence)
		}
	}
	if n := len(j.all()); n != 3 {
		t.Errorf("%d events, want the 3 connects: nobody closed", n)
	}
}

func TestBlackholeThatClosesOnRevert(t *testing.T) {
	g, j, _ := startGate(t, startEcho(t).addr())
	idle, busy := dialGate(t, g), dialGate(t, g)
	send(t, busy, "before")
	expect(t, busy, "before")
	waitFor(t, "both connections", func() bool { return g.Stats().Live == 2 })
	r := inject(t, g, chaos.Fault{Kind: chaos.Blackhole, Revert: chaos.Close})
	young := dialGate(t, g)
	send(t, busy, "held")
	waitTaken(t, g, 6+4)
	waitFor(t, "three connections", func() bool { return g.Stats().Live == 3 })

	ev := revert(t, r)
	expectEnd(t, busy, io.EOF)
	expectEnd(t, young, io.EOF)
	send(t, idle, "alive")
	expect(t, idle, "alive")
	if ev.Chances != 1 || ev.Bites != 1 || ev.Cut != 1 || ev.SilentAtEnd != 1 {
		t.Errorf("evidence = %+v, want one connection that was silent and then cut", ev)
	}
	for _, c := range j.closes(t, 2) {
		if c.By != results.ClosedByGate {
			t.Errorf("closed by %q, want %q", c.By, results.ClosedByGate)
		}
	}
}

func TestBlackholeHoldsTheEndOfTheDependency(t *testing.T) {
	for _, end := range []struct {
		name string
		how  func(*net.TCPConn)
		want error
		by   results.Closer
	}{
		{"a FIN", func(c *net.TCPConn) { c.Close() }, io.EOF, results.ClosedByServer},
		{"an RST", func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, errReset, results.ClosedByServerReset},
	} {
		t.Run(end.name, func(t *testing.T) {
			accepted := make(chan *net.TCPConn, 1)
			release := make(chan struct{})
			s := startServer(t, func(c *net.TCPConn) { accepted <- c; <-release })
			t.Cleanup(func() { close(release) })
			g, j, _ := startGate(t, s.addr())
			c := dialGate(t, g)
			server := <-accepted
			send(t, server, "welcome") // an end before the gate's dial has ended is a failed dial
			expect(t, c, "welcome")
			r := inject(t, g, blackholeFault)
			send(t, server, "last words")
			end.how(server)
			expectSilence(t, c)
			revert(t, r)
			if end.want == io.EOF {
				expect(t, c, "last words")
				expectEnd(t, c, io.EOF)
				c.Close()
			} else if _, err := io.ReadAll(c); !errors.Is(err, end.want) {
				t.Errorf("reading to the end: %v, want %v", err, end.want)
			}
			if got := j.closes(t, 1)[0].By; got != end.by {
				t.Errorf("closed by %q, want %q", got, end.by)
			}
		})
	}
}

func TestBlackholeHoldsAFailedDial(t *testing.T) {
	dead := startEcho(t)
	dead.Close()
	g, j, _ := startGate(t, dead.addr())
	r := inject(t, g, blackholeFault)
	c := dialGate(t, g)
	send(t, c, "anybody?")
	expectSilence(t, c)
	revert(t, r)
	expectEnd(t, c, errReset)
	if got := j.closes(t, 1)[0].By; got != results.ClosedByDial {
		t.Errorf("closed by %q, want %q", got, results.ClosedByDial)
	}
}

func TestClientThatGivesUpInABlackhole(t *testing.T) {
	for _, end := range []struct {
		name string
		how  func(*net.TCPConn)
		by   results.Closer
	}{
		{"with a FIN", func(c *net.TCPConn) { c.Close() }, results.ClosedByClient},
		{"with an RST", func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, results.ClosedByClientReset},
	} {
		t.Run(end.name, func(t *testing.T) {
			var heard bytes.Buffer
			heardAll := make(chan struct{})
			s := startServer(t, func(c *net.TCPConn) { io.Copy(&heard, c); close(heardAll) })
			g, j, _ := startGate(t, s.addr())
			c := dialGate(t, g)
			waitFor(t, "the connection", func() bool { return g.Stats().Live == 1 })
			r := inject(t, g, blackholeFault)
			send(t, c, "anybody?")
			waitTaken(t, g, 8)
			end.how(c)
			got := j.closes(t, 1)[0] // before revert
			if got.By != end.by || got.Silence == 0 || got.Up != 0 {
				t.Errorf("close event = %+v, want by %s after a silence, with nothing passed on", got, end.by)
			}
			<-heardAll
			if heard.Len() > 0 {
				t.Errorf("the dependency heard %q from a client that had gone", heard.String())
			}
			ev := revert(t, r)
			want := results.Evidence{Occasion: ev.Occasion, Chances: 1, Bites: 1, Silence: ev.Silence, Offered: 1, Hit: 1}
			if ev != want || ev.Silence <= 0 || ev.Silence > got.Closed-got.Opened {
				t.Errorf("evidence = %+v, want %+v with a silence up to the close", ev, want)
			}
		})
	}
}

func TestBlackholeBoundsWhatItHolds(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	c := dialGate(t, g)
	waitFor(t, "the connection", func() bool { return g.Stats().Live == 1 })
	r := inject(t, g, blackholeFault)
	const size = 64 << 20
	sent := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, size))
		sent <- err
	}()
	waitTaken(t, g, heldLimit)
	expectSilence(t, c) // and time for more to be taken, if it were
	p := g.connections()[0].up
	p.mu.Lock()
	if p.read > heldLimit+2*bufferSize || p.chain.cost > heldLimit+bufferSize+chunkCost {
		t.Errorf("taken %d bytes, cost %d, want no more than about %d", p.read, p.chain.cost, heldLimit)
	}
	p.mu.Unlock()
	revert(t, r)
	if n, err := io.CopyN(io.Discard, c, size); err != nil {
		t.Errorf("after revert %d bytes came back, %v, want %d", n, err, size)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestRevertWithAClientThatDoesNotRead(t *testing.T) {
	for _, f := range []chaos.Fault{blackholeFault, {Kind: chaos.Latency, Latency: 20 * time.Millisecond}} {
		t.Run(string(f.Kind), func(t *testing.T) {
			flood := startServer(t, func(c *net.TCPConn) {
				for b := make([]byte, bufferSize); ; {
					if _, err := c.Write(b); err != nil {
						return
					}
				}
			})
			g, _, stop := startGate(t, flood.addr())
			r := inject(t, g, f)
			dialGate(t, g) // after Inject: before, it could fill on the straight path
			waitFor(t, "a full connection", func() bool {
				for _, c := range g.connections() {
					c.down.mu.Lock()
					defer c.down.mu.Unlock()
					return c.down.chain != nil && c.down.chain.cost >= heldLimit
				}
				return false
			})
			done, cancel := context.WithCancel(context.Background())
			cancel()
			reverted := make(chan error, 1)
			go func() { _, err := r.Revert(done); reverted <- err }()
			select {
			case err := <-reverted:
				if err != nil {
					t.Errorf("Revert: %v", err)
				}
			case <-time.After(guardTime):
				t.Fatal("Revert hangs")
			}
			stop() // and so must Run end
		})
	}
}

func TestBlackholeAsARedisClientSeesIt(t *testing.T) {
	srv := miniredis.RunT(t)
	g, _, _ := startGate(t, srv.Addr())
	client := redis.NewClient(&redis.Options{Addr: g.Addr(), MaxRetries: -1, DialerRetries: 1,
		ReadTimeout: 100 * time.Millisecond, DisableIdentity: true, Protocol: 2})
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, "flag", "on", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r := inject(t, g, blackholeFault)
	_, err := client.Get(ctx, "flag").Result()
	var ne net.Error
	if !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("GET in a blackhole: %v, want an i/o timeout", err)
	}
	if ev := revert(t, r); ev.Chances == 0 || ev.Bites != ev.Chances || ev.Silence < 100*time.Millisecond {
		t.Errorf("evidence = %+v, want every connection silent for at least 100ms", ev)
	}
	waitFor(t, "the client is well again", func() bool {
		v, err := client.Get(ctx, "flag").Result()
		return err == nil && v == "on"
	})
}
