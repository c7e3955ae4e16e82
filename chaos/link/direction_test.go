package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/results"
)

// readPart reads text, which is kept back or not, and says how much of it came.
func readPart(t *testing.T, c net.Conn, text string, keptBack bool) int {
	t.Helper()
	if !keptBack {
		expect(t, c, text)
		return len(text)
	}
	c.SetReadDeadline(time.Now().Add(150 * time.Millisecond))
	defer c.SetReadDeadline(time.Now().Add(guardTime))
	n, err := io.ReadFull(c, make([]byte, len(text)))
	var ne net.Error
	if !errors.As(err, &ne) || !ne.Timeout() {
		t.Fatalf("read %d bytes, %v, want a part of %q and silence", n, err, text)
	}
	return n
}

// Each fault is put on the ways it is told, and on no other.
func TestDirection(t *testing.T) {
	const up, down, both = chaos.DirectionUp, chaos.DirectionDown, chaos.DirectionBoth
	tests := []struct {
		fault chaos.Fault
		way   chaos.Direction // by default
	}{
		{chaos.Fault{Kind: chaos.Blackhole}, both},
		{chaos.Fault{Kind: chaos.Latency, Latency: time.Hour}, down},
		{chaos.Fault{Kind: chaos.Bandwidth, Rate: 1}, down},
		{chaos.Fault{Kind: chaos.Slice, Size: 1, Gap: time.Hour}, down},
	}
	for _, tt := range tests {
		for _, way := range []chaos.Direction{"", up, down, both} {
			t.Run(fmt.Sprintf("%s %q", tt.fault.Kind, way), func(t *testing.T) {
				s, accepted := startCloser(t)
				g, _, _ := startGate(t, s.addr())
				client := dialGate(t, g)
				server := <-accepted
				send(t, client, "to and")
				expect(t, server, "to and")
				send(t, server, "fro")
				expect(t, client, "fro")

				f := tt.fault
				f.Direction = way
				r := inject(t, g, f)
				send(t, client, "request")
				send(t, server, "push")
				if way == "" {
					way = tt.way
				}
				heard := readPart(t, server, "request", way != down)
				read := readPart(t, client, "push", way != up)
				chances := 1
				if way == both && f.Kind != chaos.Blackhole {
					chances = 2
				}
				if ev := revert(t, r); ev.Chances != chances || ev.Bites != chances {
					t.Errorf("evidence = %+v, want %d chances and as many bites", ev, chances)
				}
				expect(t, server, "request"[heard:])
				expect(t, client, "push"[read:])
			})
		}
	}
}

func TestLimitDataUpward(t *testing.T) {
	for _, way := range []chaos.Direction{chaos.DirectionUp, chaos.DirectionBoth} {
		t.Run(string(way), func(t *testing.T) {
			s, accepted := startCloser(t)
			g, _, _ := startGate(t, s.addr())
			client := dialGate(t, g)
			server := <-accepted
			send(t, server, "welcome")
			expect(t, client, "welcome")
			r := inject(t, g, chaos.Fault{Kind: chaos.LimitData, Bytes: 3, Direction: way})
			send(t, server, "ok")
			expect(t, client, "ok")
			send(t, client, "request")
			expect(t, server, "req")
			expectEnd(t, server, io.EOF)
			expectEnd(t, client, io.EOF)
			ev := revert(t, r)
			if want := (results.Evidence{Occasion: ev.Occasion, Chances: 1, Bites: 1, Cut: 1, Offered: 1, Hit: 1}); ev != want {
				t.Errorf("evidence = %+v, want %+v", ev, want)
			}
		})
	}
}

func TestSlowCloseUpward(t *testing.T) {
	s, accepted := startCloser(t)
	g, j, _ := startGate(t, s.addr())
	client := dialGate(t, g)
	server := <-accepted
	send(t, server, "welcome")
	expect(t, client, "welcome")
	r := inject(t, g, chaos.Fault{Kind: chaos.SlowClose, Latency: time.Hour, Direction: chaos.DirectionUp})
	send(t, client, "bye")
	client.CloseWrite()
	expect(t, server, "bye")
	expectSilence(t, server)
	if ev := revert(t, r); ev.Chances != 1 || ev.Bites != 1 {
		t.Errorf("evidence = %+v, want one end kept back", ev)
	}
	expectEnd(t, server, io.EOF)
	server.Close()
	expectEnd(t, client, io.EOF)
	if by := j.closes(t, 1)[0].By; by != results.ClosedByClient {
		t.Errorf("closed by %q, want %q", by, results.ClosedByClient)
	}
}

// A client that gives up while answers vanish is gone at once, though the
// dependency, which hears it, has been told.
func TestClientThatGivesUpOnVanishedAnswers(t *testing.T) {
	s := startEcho(t)
	g, j, _ := startGate(t, s.addr())
	c := dialGate(t, g)
	waitFor(t, "the connection", func() bool { return g.Stats().Live == 1 })
	r := inject(t, g, chaos.Fault{Kind: chaos.Blackhole, Direction: chaos.DirectionDown})
	send(t, c, "anybody?")
	waitFor(t, "the answer is held", func() bool {
		arrived, _ := r.(*injection).injury.(*blackhole).touched()[0].bytes()
		return arrived == 8
	})
	c.Close()
	got := j.closes(t, 1)[0] // before revert
	if got.By != results.ClosedByClient || got.Silence == 0 || got.Up != 8 || got.Down != 0 {
		t.Errorf("close event = %+v, want by the client after a silence, with 8 bytes up and none down", got)
	}
	ev := revert(t, r)
	want := results.Evidence{Occasion: ev.Occasion, Chances: 1, Bites: 1, Silence: ev.Silence, Offered: 1, Hit: 1}
	if ev != want || ev.Silence <= 0 {
		t.Errorf("evidence = %+v, want %+v with a silence", ev, want)
	}
}

// The client feels the same when its requests vanish and when the answers do. The
// dependency does not.
func TestBlackholesOfOneWayAsARedisClientSeesThem(t *testing.T) {
	for way, want := range map[chaos.Direction]string{chaos.DirectionUp: "before", chaos.DirectionDown: "during"} {
		t.Run(string(way), func(t *testing.T) {
			srv := miniredis.RunT(t)
			g, j, _ := startGate(t, srv.Addr())
			client := redis.NewClient(&redis.Options{Addr: g.Addr(), MaxRetries: -1, ReadTimeout: 100 * time.Millisecond})
			defer client.Close()
			ctx := context.Background()
			if err := client.Set(ctx, "flag", "before", 0).Err(); err != nil {
				t.Fatal(err)
			}
			r := inject(t, g, chaos.Fault{Kind: chaos.Blackhole, Direction: way})
			err := client.Set(ctx, "flag", "during", 0).Err()
			var ne net.Error
			if !errors.As(err, &ne) || !ne.Timeout() {
				t.Errorf("SET = %v, want a timeout", err)
			}
			j.closes(t, 1) // the client has given up
			if ev := revert(t, r); ev.Chances != 1 || ev.Bites != 1 || ev.Silence < 100*time.Millisecond {
				t.Errorf("evidence = %+v, want one connection that was silent for at least 100ms", ev)
			}
			if got, err := srv.Get("flag"); got != want || err != nil {
				t.Errorf("the dependency has %q, %v, want %q", got, err, want)
			}
		})
	}
}
