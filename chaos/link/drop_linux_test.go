package link

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/results"
)

func expectTimeout(t *testing.T, addr string) {
	t.Helper()
	if c, err := net.DialTimeout("tcp", addr, 300*time.Millisecond); !timedOut(err) {
		t.Errorf("Dial = %v, %v, want a timeout", c, err)
	}
}

func TestDropLosesSYNs(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	live := dialGate(t, g)
	send(t, live, "before")
	expect(t, live, "before")
	for cycle := range 2 {
		r := inject(t, g, dropFault)
		expectTimeout(t, g.Addr())
		expectTimeout(t, g.Addr())
		send(t, live, "during")
		expect(t, live, "during")
		ev := revert(t, r)
		if want := (results.Evidence{Occasion: ev.Occasion, Chances: ev.Chances, Bites: ev.Chances}); ev != want || ev.Chances < 2 {
			t.Errorf("evidence = %+v, want %+v with at least 2 chances", ev, want)
		}
		c := dialGate(t, g)
		send(t, c, "after")
		expect(t, c, "after")
		c.Close()
		waitFor(t, "only the live connection", func() bool { return g.Stats().Live == 1 })
		if n := g.Stats().Opened; n != uint64(cycle+2) {
			t.Errorf("the gate saw %d connections, want %d: our own are not to be seen", n, cycle+2)
		}
	}
	g.faultMu.Lock()
	defer g.faultMu.Unlock()
	g.port.pause()
	for i := range 4 {
		c, err := net.DialTimeout("tcp", g.port.addr.String(), 500*time.Millisecond)
		if err != nil {
			t.Fatalf("connection %d finds no room in the queue after revert: %v", i, err)
		}
		defer c.Close()
	}
	g.port.resume(nil)
}

func TestDialUnderWayGetsThroughAfterDrop(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	r := inject(t, g, dropFault)
	dialled := make(chan error, 1)
	go func() {
		c, err := net.DialTimeout("tcp", g.Addr(), guardTime)
		if err == nil {
			c.Close()
		}
		dialled <- err
	}()
	select {
	case err := <-dialled:
		t.Fatalf("Dial ended with %v while SYNs are dropped", err)
	case <-time.After(200 * time.Millisecond):
	}
	revert(t, r)
	if err := <-dialled; err != nil {
		t.Errorf("Dial = %v, want it through after revert", err)
	}
}

// A client that has connected, and is not accepted when the queue is closed, is
// served after revert.
func TestDropLosesNoClientThatWaits(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	g.faultMu.Lock()
	g.port.pause()
	g.faultMu.Unlock()
	c, err := net.DialTimeout("tcp", g.port.addr.String(), guardTime)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(guardTime))
	r := inject(t, g, dropFault)
	send(t, c, "waits")
	expectSilence(t, c)
	expectTimeout(t, g.Addr())
	revert(t, r)
	expect(t, c, "waits")
}

func TestDropAsARedisClientSeesIt(t *testing.T) {
	srv := miniredis.RunT(t)
	g, _, _ := startGate(t, srv.Addr())
	newClient := func() *redis.Client {
		return redis.NewClient(&redis.Options{Addr: g.Addr(), MaxRetries: -1, DialerRetries: 1, DialTimeout: 200 * time.Millisecond,
			DisableIdentity: true, Protocol: 2})
	}
	pooled, fresh := newClient(), newClient()
	defer pooled.Close()
	defer fresh.Close()
	ctx := context.Background()
	if err := pooled.Set(ctx, "flag", "on", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r := inject(t, g, dropFault)
	if v, err := pooled.Get(ctx, "flag").Result(); err != nil || v != "on" {
		t.Errorf("GET on a live connection = %q, %v, want on", v, err)
	}
	var op *net.OpError
	err := fresh.Get(ctx, "flag").Err()
	if !timedOut(err) || !errors.As(err, &op) || op.Op != "dial" {
		t.Errorf("GET on a new connection = %v, want a dial that timed out", err)
	}
	t.Logf("GET = %v", err)
	if ev := revert(t, r); ev.Chances == 0 || ev.Bites != ev.Chances {
		t.Errorf("evidence = %+v, want every probe to time out", ev)
	}
	waitFor(t, "the client is well again", func() bool { return fresh.Get(ctx, "flag").Err() == nil })
}

func TestFaultsOfThePortExcludeEachOther(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	r := inject(t, g, dropFault)
	_, err := g.Inject(context.Background(), chaos.Fault{On: "cache", Kind: chaos.Refuse})
	if err == nil || !strings.Contains(err.Error(), "drop has the port of link cache") {
		t.Errorf("Inject(refuse) beside drop = %v, want an error", err)
	}
	revert(t, r)
	revert(t, inject(t, g, refuseFault))
}
