package link

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/results"
)

func TestLimitDataEndsConnections(t *testing.T) {
	serverSide := make(chan error, 3)
	s := startServer(t, func(c *net.TCPConn) {
		_, err := io.Copy(c, struct{ io.Reader }{c})
		serverSide <- err
	})
	g, j, _ := startGate(t, s.addr())
	old := dialGate(t, g)
	send(t, old, "before, and not counted")
	expect(t, old, "before, and not counted")
	r := inject(t, g, chaos.Fault{Kind: chaos.LimitData, Bytes: 10})
	young, quiet := dialGate(t, g), dialGate(t, g)
	send(t, quiet, "few")
	expect(t, quiet, "few")
	for _, c := range []*net.TCPConn{old, young} {
		send(t, c, "0123")
		expect(t, c, "0123")
		send(t, c, "456789 and more than that")
		expect(t, c, "456789")
		expectEnd(t, c, io.EOF)
		if err := <-serverSide; err != nil && !errors.Is(err, errReset) { // it may have been writing
			t.Errorf("the dependency saw %v, want an end", err)
		}
	}
	for _, c := range j.closes(t, 2) {
		if c.By != results.ClosedByGate {
			t.Errorf("closed by %q, want %q", c.By, results.ClosedByGate)
		}
	}
	ev := revert(t, r)
	if want := (results.Evidence{Occasion: ev.Occasion, Chances: 2, Bites: 2, Cut: 2, Offered: 3, Hit: 3}); ev != want {
		t.Errorf("evidence = %+v, want %+v", ev, want)
	}
	send(t, quiet, "after it many more than ten")
	expect(t, quiet, "after it many more than ten")
}

// What was let through is delayed and held like anything, and the end comes behind it.
func TestLimitDataAmongOtherFaults(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	c := dialGate(t, g)
	waitFor(t, "the connection", func() bool { return g.Stats().Live == 1 })
	hole := inject(t, g, blackholeFault)
	limit := inject(t, g, chaos.Fault{Kind: chaos.LimitData, Bytes: 4})
	slow := inject(t, g, chaos.Fault{Kind: chaos.Latency, Latency: 5 * time.Millisecond})
	send(t, c, "123456")
	waitTaken(t, g, 6)
	expectSilence(t, c)
	revert(t, hole)
	expect(t, c, "1234")
	expectEnd(t, c, io.EOF)
	if ev := revert(t, limit); ev.Chances != 1 || ev.Bites != 1 {
		t.Errorf("evidence = %+v, want one connection ended", ev)
	}
	revert(t, slow)
}

func TestLimitDataIsMeasuredAtTheSocket(t *testing.T) {
	for _, row := range []struct {
		name            string
		arrived, passed int64
		cut             bool
		chances, bites  int
	}{
		{"ended after its bytes", 10, 4, true, 1, 1},
		{"ended, but not passed on yet", 10, 0, true, 1, 1},
		{"too few bytes to be ended", 3, 3, false, 0, 0},
		{"not ended", 4, 4, false, 1, 0},
		{"ended too late", 10, 5, true, 1, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newLimit(chaos.Fault{Kind: chaos.LimitData, Bytes: 4})
			s := newStage(&limitToxic{})
			s.mark = 100
			s.cut.Store(row.cut)
			l.limited = []*limitedConn{{counters: []touch{{&pump{read: 100 + row.arrived, written: 100 + row.passed}, s}}}}
			if ev := l.end(0); ev.Chances != row.chances || ev.Bites != row.bites {
				t.Errorf("evidence = %+v, want %d chances and %d bites", ev, row.chances, row.bites)
			}
		})
	}
}

func TestLimitDataAsARedisClientSeesIt(t *testing.T) {
	srv := miniredis.RunT(t)
	g, j, _ := startGate(t, srv.Addr())
	client := redis.NewClient(&redis.Options{Addr: g.Addr()})
	defer client.Close()
	ctx, value := context.Background(), strings.Repeat("v", 5000)
	for key, v := range map[string]string{"small": "v", "large": value} {
		if err := client.Set(ctx, key, v, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	before := g.Stats().Opened
	r := inject(t, g, chaos.Fault{Kind: chaos.LimitData, Bytes: 3000})
	if v, err := client.Get(ctx, "small").Result(); err != nil || v != "v" {
		t.Errorf("GET small = %q, %v, want v", v, err)
	}
	err := client.Get(ctx, "large").Err()
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("GET large = %v, want an unexpected end", err)
	}
	t.Logf("GET large = %v after %d dials", err, g.Stats().Opened-before)
	j.closes(t, 4)
	if ev := revert(t, r); ev.Chances != 4 || ev.Bites != 4 || ev.Cut != 4 {
		t.Errorf("evidence = %+v, want the 4 connections of 4 attempts ended", ev)
	}
	if v, err := client.Get(ctx, "large").Result(); err != nil || v != value {
		t.Errorf("GET large after revert = %d bytes, %v, want %d", len(v), err, len(value))
	}
}
