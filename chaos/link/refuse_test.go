package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/results"
)

var (
	refuseFault = chaos.Fault{Kind: chaos.Refuse}
	dropFault   = chaos.Fault{Kind: chaos.Drop}
	flapFault   = chaos.Fault{Kind: chaos.Flap, Up: 50 * time.Millisecond, Down: 50 * time.Millisecond}
)

func TestRefuseResetsAndRefuses(t *testing.T) {
	g, j, _ := startGate(t, startEcho(t).addr())
	addr := g.Addr()
	c := dialGate(t, g)
	send(t, c, "before")
	expect(t, c, "before")
	for cycle := range 3 {
		r := inject(t, g, refuseFault)
		expectEnd(t, c, errReset)
		if by := j.closes(t, cycle+1)[cycle].By; by != results.ClosedByGate {
			t.Errorf("closed by %q, want %q", by, results.ClosedByGate)
		}
		if c, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("Dial = %v, %v, want connection refused", c, err)
		}
		ev := revert(t, r)
		want := results.Evidence{Occasion: ev.Occasion, Chances: 1 + ev.Refused, Bites: 1 + ev.Refused, Cut: 1, Refused: ev.Refused}
		if ev != want || ev.Refused < 2 {
			t.Errorf("evidence = %+v, want %+v with at least 2 refusals", ev, want)
		}
		if g.Addr() != addr {
			t.Fatalf("Addr() = %s after revert, want %s as before", g.Addr(), addr)
		}
		c = dialGate(t, g)
		send(t, c, "after")
		expect(t, c, "after")
	}
}

// Every connection is cut or refused, never left hanging, also one that arrives
// while the port is being closed.
func TestRefuseUnderDials(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	problems := make(chan error, 4)
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := dialAndStay(g.Addr()); err != nil {
					problems <- err
					return
				}
			}
		})
	}
	for i := range 30 {
		waitFor(t, "connections", func() bool { return g.Stats().Opened > uint64(i) && g.Stats().Live > 0 })
		r := inject(t, g, refuseFault)
		waitFor(t, "no connection", func() bool { return g.Stats().Live == 0 })
		revert(t, r)
	}
	cancel()
	r := inject(t, g, refuseFault) // frees the dialers
	wg.Wait()
	revert(t, r)
	select {
	case err := <-problems:
		t.Error(err)
	default:
	}
}

// dialAndStay holds a connection until it is cut. It complains about anything
// but a reset or a refusal.
func dialAndStay(addr string) error {
	c, err := net.DialTimeout("tcp", addr, guardTime)
	if err == nil {
		defer c.Close()
		c.SetDeadline(time.Now().Add(guardTime))
		_, err = c.Read(make([]byte, 1))
	}
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	return fmt.Errorf("a connection ended with %v, want a reset or a refusal", err)
}

func TestRefuseAsARedisClientSeesIt(t *testing.T) {
	srv := miniredis.RunT(t)
	g, _, _ := startGate(t, srv.Addr())
	client := redis.NewClient(&redis.Options{Addr: g.Addr(), MaxRetries: -1, DialerRetries: 1, DisableIdentity: true, Protocol: 2})
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, "flag", "on", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r := inject(t, g, refuseFault)
	var refused bool
	for range 3 { // the first one or two may meet the pooled connection that was reset
		_, err := client.Get(ctx, "flag").Result()
		if err == nil {
			t.Fatal("GET of a closed port succeeded")
		}
		refused = refused || errors.Is(err, syscall.ECONNREFUSED)
	}
	if !refused {
		t.Error("no GET met connection refused")
	}
	revert(t, r)
	waitFor(t, "the client is well again", func() bool {
		v, err := client.Get(ctx, "flag").Result()
		return err == nil && v == "on"
	})
}

func TestIdleLinkGivesNoEvidence(t *testing.T) {
	for _, f := range []chaos.Fault{refuseFault, resetFault, dropFault, flapFault, blackholeFault, {Kind: chaos.Blackhole, Revert: chaos.Close},
		{Kind: chaos.Latency, Latency: 10 * time.Millisecond}, bandwidthFault, sliceFault} {
		t.Run(f.String(), func(t *testing.T) {
			g, _, _ := startGate(t, startEcho(t).addr())
			if ev := revert(t, inject(t, g, f)); ev.Chances != 0 || ev.Bites != 0 || ev.Occasion == "" {
				t.Errorf("evidence of an idle link = %+v, want no chances", ev)
			}
		})
	}
	t.Run("connections that say nothing", func(t *testing.T) {
		g, _, _ := startGate(t, startEcho(t).addr())
		dialGate(t, g)
		waitFor(t, "the connection", func() bool { return g.Stats().Live == 1 })
		if ev := revert(t, inject(t, g, blackholeFault)); ev.Chances != 0 || ev.Silence != 0 {
			t.Errorf("evidence = %+v, want no chances", ev)
		}
	})
}

func TestInjectRejects(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	tests := []struct {
		name  string
		fault chaos.Fault
		words string
	}{
		{"a fault for another link", chaos.Fault{On: "database", Kind: chaos.Refuse}, `meant for link "database"`},
		{"an unknown kind", chaos.Fault{On: "cache", Kind: "flood"}, "unknown fault"},
		{"a latency without a delay", chaos.Fault{On: "cache", Kind: chaos.Latency}, "needs a delay"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := g.Inject(context.Background(), tt.fault); err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("Inject(%s) = %v, want an error with %q", tt.fault, err, tt.words)
			}
		})
	}
	t.Run("a second fault of the same kind, until the first is gone", func(t *testing.T) {
		r := inject(t, g, blackholeFault)
		if _, err := g.Inject(context.Background(), chaos.Fault{On: "cache", Kind: chaos.Blackhole}); err == nil || !strings.Contains(err.Error(), "already in force") {
			t.Errorf("second Inject = %v, want an error", err)
		}
		revert(t, r)
		if _, err := r.Revert(context.Background()); err == nil {
			t.Error("second Revert succeeded, want an error")
		}
		revert(t, inject(t, g, blackholeFault))
	})
	t.Run("a gate that does not run", func(t *testing.T) {
		g := New(Config{Name: "cache"})
		if _, err := g.Inject(context.Background(), chaos.Fault{On: "cache", Kind: chaos.Refuse}); err == nil || !strings.Contains(err.Error(), "not running") {
			t.Errorf("Inject = %v, want an error", err)
		}
	})
}

func TestRunEndsWithFaultsInForce(t *testing.T) {
	for _, f := range []chaos.Fault{refuseFault, dropFault, flapFault, blackholeFault, {Kind: chaos.Latency, Latency: time.Hour}} {
		t.Run(string(f.Kind), func(t *testing.T) {
			g, j, stop := startGate(t, startEcho(t).addr())
			c := dialGate(t, g)
			send(t, c, "before")
			expect(t, c, "before")
			r := inject(t, g, f)
			if !ownsPort(f.Kind) {
				send(t, c, "held")
				waitTaken(t, g, 10)
				expectSilence(t, c)
			}
			stop()
			j.closes(t, 1)
			ev := revert(t, r)
			if ev.Chances == 0 || ev.Bites != ev.Chances {
				t.Errorf("evidence = %+v, want that of the end of Run", ev)
			}
			if _, err := net.Dial("tcp", g.port.addr.String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("Dial after Run = %v, want connection refused", err)
			}
			if _, err := io.ReadAll(c); f.Kind == chaos.Blackhole && err != nil {
				t.Errorf("the client read %v, want EOF", err)
			}
		})
	}
}
