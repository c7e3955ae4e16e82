package link

import (
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

// startCloser gives its connections away, to be closed by the test.
func startCloser(t *testing.T) (*server, chan *net.TCPConn) {
	accepted, release := make(chan *net.TCPConn, 1), make(chan struct{})
	s := startServer(t, func(c *net.TCPConn) { accepted <- c; <-release })
	t.Cleanup(func() { close(release) })
	return s, accepted
}

func TestSlowCloseDelaysTheEndOfTheDependency(t *testing.T) {
	for _, end := range []struct {
		name string
		how  func(*net.TCPConn)
		want error
	}{
		{"a FIN", func(c *net.TCPConn) { c.Close() }, io.EOF},
		{"an RST", func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, errReset},
	} {
		t.Run(end.name, func(t *testing.T) {
			s, accepted := startCloser(t)
			g, _, _ := startGate(t, s.addr())
			open := func() (client, server *net.TCPConn) {
				c := dialGate(t, g)
				s := <-accepted
				send(t, s, "welcome") // an end before the gate's dial has ended is a failed dial
				expect(t, c, "welcome")
				return c, s
			}
			c, server := open()
			end.how(server)
			expectEnd(t, c, end.want)

			old, oldServer := open()
			const asked = 120500 * time.Microsecond
			r := inject(t, g, chaos.Fault{Kind: chaos.SlowClose, Latency: asked})
			young, youngServer := open()
			idle, idleServer := open()
			send(t, youngServer, "data is not delayed")
			expect(t, young, "data is not delayed")
			for c, server := range map[*net.TCPConn]*net.TCPConn{old: oldServer, young: youngServer} {
				began := time.Now()
				end.how(server)
				expectEnd(t, c, end.want)
				if took := time.Since(began); took < asked {
					t.Errorf("the end took %v, want at least %v", took, asked)
				}
			}
			ev := revert(t, r)
			want := results.Evidence{Occasion: ev.Occasion, Chances: 2, Bites: 2, DelayAsked: asked, DelayMeasured: ev.DelayMeasured, Offered: ev.Offered, Hit: ev.Offered}
			if ev != want || ev.DelayMeasured < asked {
				t.Errorf("evidence = %+v, want %+v and a measured delay of at least %v", ev, want, asked)
			}

			r = inject(t, g, chaos.Fault{Kind: chaos.SlowClose, Latency: time.Hour})
			end.how(idleServer)
			expectSilence(t, idle)
			ev = revert(t, r)
			expectEnd(t, idle, end.want)
			if ev.Chances != 1 || ev.Bites != 1 || ev.DelayMeasured != 0 {
				t.Errorf("evidence = %+v, want one end kept back, and no delay measured", ev)
			}
		})
	}
}

// A client whose pooled connection has been closed finds out before it uses it, and
// connects again. With slow_close it sends its request to nobody.
func TestSlowCloseAsARedisClientSeesIt(t *testing.T) {
	srv := miniredis.RunT(t)
	g, j, _ := startGate(t, srv.Addr())
	client := redis.NewClient(&redis.Options{Addr: g.Addr(), ReadTimeout: 100 * time.Millisecond, MaxRetries: -1})
	defer client.Close()
	ctx := context.Background()
	get := func() error { return client.Get(ctx, "flag").Err() }
	restart := func() {
		srv.Close()
		if err := srv.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Set(ctx, "flag", "on", 0).Err(); err != nil {
		t.Fatal(err)
	}
	restart()
	waitFor(t, "the client has been told", func() bool { return get() == nil })
	j.closes(t, 1)

	r := inject(t, g, chaos.Fault{Kind: chaos.SlowClose, Latency: time.Hour})
	restart()
	err := get()
	var ne net.Error
	if !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("GET with a slow close = %v, want a timeout", err)
	}
	if ev := revert(t, r); ev.Chances != 1 || ev.Bites != 1 {
		t.Errorf("evidence = %+v, want one end kept back", ev)
	}
	if err := get(); err != nil {
		t.Errorf("GET after revert = %v", err)
	}
}
