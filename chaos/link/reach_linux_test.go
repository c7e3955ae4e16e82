package link

import (
	"net"
	"net/netip"
	"testing"

	"brownout/chaos"
)

// dialFrom connects from an address of our own choice; Linux has all of 127.0.0.0/8.
func dialFrom(t *testing.T, g *Gate, from string) *net.TCPConn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: guardTime}
	c, err := d.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// A fault hits whom it is meant for, live and new connections alike.
func TestWhom(t *testing.T) {
	const client, replica, sentinel = "127.0.0.1", "127.0.0.2", "127.0.0.3"
	roles := map[netip.Addr]chaos.Whom{
		netip.MustParseAddr(replica): chaos.Replicas, netip.MustParseAddr(sentinel): chaos.Sentinels,
	}
	tests := []struct {
		whom chaos.Whom
		hits []string
	}{
		{"", []string{client, replica, sentinel}},
		{chaos.Everyone, []string{client, replica, sentinel}},
		{chaos.Clients, []string{client}},
		{chaos.Replicas, []string{replica}},
		{chaos.Sentinels, []string{sentinel}},
	}
	for _, tt := range tests {
		t.Run("whom "+string(tt.whom), func(t *testing.T) {
			g, _, _ := runGate(t, Config{Name: "cache", Upstream: startEcho(t).addr(), Roles: roles})
			conns := map[string][]*net.TCPConn{}
			dial := func() {
				for _, from := range []string{client, replica, sentinel} {
					conns[from] = append(conns[from], dialFrom(t, g, from))
				}
			}
			dial()
			waitFor(t, "three connections", func() bool { return g.Stats().Live == 3 })
			r := inject(t, g, chaos.Fault{Kind: chaos.Blackhole, Whom: tt.whom})
			dial()
			hit := map[string]bool{}
			for _, from := range tt.hits {
				hit[from] = true
			}
			for from, pair := range conns {
				for _, c := range pair {
					send(t, c, "hello")
					if !hit[from] {
						expect(t, c, "hello")
					}
				}
			}
			waitTaken(t, g, 6*5)
			for from := range hit {
				for _, c := range conns[from] {
					expectSilence(t, c)
				}
			}
			n := 2 * len(tt.hits)
			if ev := revert(t, r); ev.Offered != n || ev.Hit != n || ev.Bites != n || ev.Whom != string(tt.whom) {
				t.Errorf("evidence = %+v, want %d connections of %q", ev, n, tt.whom)
			}
		})
	}
}

// Without roles everybody is a client.
func TestWhomThatNobodyIs(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	c := dialFrom(t, g, "127.0.0.2")
	waitFor(t, "the connection", func() bool { return g.Stats().Live == 1 })
	r := inject(t, g, chaos.Fault{Kind: chaos.Reset, Whom: chaos.Replicas})
	send(t, c, "hello")
	expect(t, c, "hello")
	if ev := revert(t, r); ev.Offered != 0 || ev.Hit != 0 || ev.Chances != 0 || ev.Whom != "replicas" {
		t.Errorf("evidence = %+v, want nobody offered", ev)
	}
}

// A fault on the port says nothing of connections.
func TestAFaultOnThePortHasNoShare(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	dialGate(t, g)
	waitFor(t, "the connection", func() bool { return g.Stats().Live == 1 })
	for _, f := range []chaos.Fault{dropFault, {Kind: chaos.Flap}, refuseFault} {
		if ev := revert(t, inject(t, g, f)); ev.Offered != 0 || ev.Hit != 0 {
			t.Errorf("evidence of %s = %+v, want no connections offered", f.Kind, ev)
		}
	}
}
