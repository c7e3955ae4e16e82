package link

import (
	"io"
	"net"
	"testing"

	"brownout/chaos"
	"brownout/results"
)

// startNamed is a server that answers each byte with name.
func startNamed(t *testing.T, name string) *server {
	t.Helper()
	return startServer(t, func(c *net.TCPConn) {
		for b := make([]byte, 1); ; {
			if _, err := io.ReadFull(c, b); err != nil {
				return
			}
			io.WriteString(c, name)
		}
	})
}

func TestAPointedGateLeadsNewConnectionsElsewhere(t *testing.T) {
	old, next := startNamed(t, "old"), startNamed(t, "new")
	g, j, _ := startGate(t, old.addr())
	before := dialGate(t, g)
	send(t, before, "?")
	expect(t, before, "old")
	if err := g.Point(next.addr()); err != nil {
		t.Fatal(err)
	}
	after := dialGate(t, g)
	send(t, after, "?")
	expect(t, after, "new")
	send(t, before, "?")
	expect(t, before, "old")
	if got := g.Upstream(); got != next.addr() {
		t.Errorf("Upstream() = %s, want %s", got, next.addr())
	}

	if n := g.HangUp(old.addr()); n != 1 {
		t.Errorf("HangUp(old) closed %d connections, want 1", n)
	}
	expectEnd(t, before, io.EOF)
	send(t, after, "?")
	expect(t, after, "new")
	if c := j.closes(t, 1)[0]; c.By != results.ClosedByGate || c.To != old.addr() {
		t.Errorf("connection = %+v, want one to %s that the gate closed", c, old.addr())
	}
}

func TestAFaultCanHitWhatLeadsToOnePlaceOnly(t *testing.T) {
	old, next := startNamed(t, "old"), startNamed(t, "new")
	g, _, _ := startGate(t, old.addr())
	before := dialGate(t, g)
	send(t, before, "?")
	expect(t, before, "old")
	r, err := g.InjectTo(t.Context(), chaos.Fault{On: "cache", Kind: chaos.Blackhole}, old.addr())
	if err != nil {
		t.Fatal(err)
	}
	late := dialGate(t, g)
	send(t, late, "?")
	expectSilence(t, late)
	if err := g.Point(next.addr()); err != nil {
		t.Fatal(err)
	}
	after := dialGate(t, g)
	send(t, after, "?")
	expect(t, after, "new")
	send(t, before, "?")
	expectSilence(t, before)
	revert(t, r)
	expect(t, before, "old")
	expect(t, late, "old")
}

func TestPointWantsAnAddress(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	if err := g.Point("nowhere"); err == nil {
		t.Error(`Point("nowhere") gives no error`)
	}
}
