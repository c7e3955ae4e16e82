package link

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"brownout/chaos"
)

// hitsOf lists the ids from 1 to n that a fault with this share is put on.
func hitsOf(seed uint64, share float64, n uint64) []uint64 {
	var ids []uint64
	r := newReach(chaos.Fault{Share: share}, seed)
	for id := range n {
		if r.meets(id+1, chaos.Clients) {
			ids = append(ids, id+1)
		}
	}
	return ids
}

func TestDrawIsEvenAndRepeatable(t *testing.T) {
	const n = 1000
	for _, share := range []float64{0.05, 0.25, 0.5, 0.9} {
		seed := rand.Uint64()
		ids := hitsOf(seed, share, n)
		if !slices.Equal(ids, hitsOf(seed, share, n)) {
			t.Errorf("seed %d: a second run hits others", seed)
		}
		if slices.Equal(ids, hitsOf(seed+1, share, n)) {
			t.Errorf("seeds %d and %d hit the same", seed, seed+1)
		}
		var upTo [n + 1]float64
		for id := range n {
			upTo[id+1] = upTo[id]
			if slices.Contains(ids, uint64(id+1)) {
				upTo[id+1]++
			}
		}
		for from := range n - 4 {
			if got := upTo[from+4] - upTo[from]; share == 0.5 && (got == 0 || got == 4) {
				t.Errorf("seed %d: of connections %d to %d %v are hit, want some", seed, from+1, from+4, got)
			}
		}
		for from := range n {
			for _, many := range []int{1, 2, 4, 10, 100} {
				to := min(from+many, n)
				if got, want := upTo[to]-upTo[from], share*float64(to-from); math.Abs(got-want) > 3 {
					t.Errorf("seed %d: of connections %d to %d %v are hit, want about %v", seed, from+1, to, got, want)
				}
			}
		}
		for _, id := range ids {
			if !slices.Contains(hitsOf(seed, min(share*1.1, 1), n), id) {
				t.Errorf("seed %d: connection %d is hit by a share of %v, but not by a larger one", seed, id, share)
			}
		}
	}
	if got := hitsOf(7, 0, n); len(got) != n {
		t.Errorf("without a share %d of %d are hit, want all", len(got), n)
	}
	if got := hitsOf(7, 1, n); len(got) != n {
		t.Errorf("with a share of 100%% %d of %d are hit, want all", len(got), n)
	}
}

// Ten connections from before the fault and ten that come in it: those that the seed
// chooses are hit, and no others.
func TestShareOfConnections(t *testing.T) {
	want := hitsOf(7, 0.4, 20) // the gate's seed is 7
	for _, f := range []chaos.Fault{
		{Kind: chaos.Blackhole, Share: 0.4},
		{Kind: chaos.Latency, Latency: time.Hour, Share: 0.4},
	} {
		t.Run(string(f.Kind), func(t *testing.T) {
			g, _, _ := startGate(t, startEcho(t).addr())
			conns := map[string]*net.TCPConn{}
			dialTen := func(live int) {
				for range 10 {
					c := dialGate(t, g)
					conns[c.LocalAddr().String()] = c
				}
				waitFor(t, "ten connections more", func() bool { return g.Stats().Live == live })
			}
			dialTen(10)
			r := inject(t, g, f)
			dialTen(20)
			for _, c := range conns {
				send(t, c, "hello")
			}
			for _, seen := range g.Connections() {
				if c := conns[seen.Client]; slices.Contains(want, seen.ID) {
					expectSilence(t, c)
				} else {
					expect(t, c, "hello")
				}
			}
			ev, n := revert(t, r), len(want)
			if ev.Offered != 20 || ev.Hit != n || ev.Chances != n || ev.Bites != n || ev.ShareAsked != 0.4 {
				t.Errorf("evidence = %+v, want %d of 20 connections hit, and their chances and bites only", ev, n)
			}
		})
	}
}

// askOnce connects, sends a byte and reads one.
func askOnce(addr string) error {
	c, err := net.DialTimeout("tcp", addr, guardTime)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(guardTime))
	if _, err := c.Write([]byte("x")); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 1))
	return err
}

func TestShareOfResets(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	r := inject(t, g, chaos.Fault{Kind: chaos.Reset, Share: 0.5})
	reset := 0
	for range 20 {
		if askOnce(g.Addr()) != nil {
			reset++
		}
	}
	if ev := revert(t, r); ev.Offered != 20 || ev.Hit != reset || ev.Bites != reset || reset < 8 || reset > 12 {
		t.Errorf("%d of 20 reset, evidence = %+v, want about half of them", reset, ev)
	}
}

// A pool of ten in which half of the connections are dead: half of the requests.
func TestShareAsARedisClientSeesIt(t *testing.T) {
	srv := miniredis.RunT(t)
	g, _, _ := startGate(t, srv.Addr())
	client := redis.NewClient(&redis.Options{Addr: g.Addr(), MaxRetries: -1, ReadTimeout: time.Second, PoolSize: 10, MinIdleConns: 10})
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, "flag", "on", 0).Err(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "a full pool", func() bool { return client.PoolStats().IdleConns == 10 && g.Stats().Live == 10 })
	r := inject(t, g, chaos.Fault{Kind: chaos.Blackhole, Share: 0.5})
	var all sync.WaitGroup
	errs := make(chan error, 10)
	for range 10 {
		all.Go(func() { errs <- client.Get(ctx, "flag").Err() })
	}
	all.Wait()
	close(errs)
	var timeouts, answers int
	for err := range errs {
		var ne net.Error
		switch {
		case err == nil:
			answers++
		case errors.As(err, &ne) && ne.Timeout():
			timeouts++
		default:
			t.Errorf("GET = %v, want an answer or a timeout", err)
		}
	}
	if timeouts == 0 || answers == 0 {
		t.Errorf("%d timeouts and %d answers, want both", timeouts, answers)
	}
	if ev := revert(t, r); ev.Bites < timeouts || ev.Bites != ev.Chances || ev.Hit < ev.Bites || ev.Hit >= ev.Offered {
		t.Errorf("evidence = %+v, want %d bites at least, and not everybody hit", ev, timeouts)
	}
}
