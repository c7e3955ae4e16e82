package link

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/results"
)

func TestLatencyDelaysAnswers(t *testing.T) {
	tests := []struct {
		name            string
		latency, jitter time.Duration
	}{
		{"whole milliseconds", 40 * time.Millisecond, 0},
		{"a fraction of a millisecond is not rounded away", 1500 * time.Microsecond, 0},
		{"less than a millisecond", 700 * time.Microsecond, 0},
		{"with jitter", 30 * time.Millisecond, 10 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g, _, _ := startGate(t, startEcho(t).addr())
			c := dialGate(t, g)
			send(t, c, "before")
			expect(t, c, "before")
			r := inject(t, g, chaos.Fault{Kind: chaos.Latency, Latency: tt.latency, Jitter: tt.jitter})
			for range 10 {
				began := time.Now()
				send(t, c, "during")
				expect(t, c, "during")
				if took := time.Since(began); took < tt.latency-tt.jitter {
					t.Errorf("an answer took %v, want at least %v", took, tt.latency-tt.jitter)
				}
			}
			ev := revert(t, r)
			want := results.Evidence{Occasion: "chunks", Chances: 10, Bites: 10, DelayAsked: tt.latency, DelayMeasured: ev.DelayMeasured, Offered: 1, Hit: 1}
			if ev != want || ev.DelayMeasured < tt.latency-tt.jitter {
				t.Errorf("evidence = %+v, want %+v and a measured delay of at least %v", ev, want, tt.latency-tt.jitter)
			}
			send(t, c, "after")
			expect(t, c, "after")
			waitFor(t, "the straight path again", func() bool {
				d := g.connections()[0].down
				d.mu.Lock()
				defer d.mu.Unlock()
				return d.chain == nil
			})
		})
	}
}

// Chunks are delayed side by side: 20 of them, 40ms each, would take 800ms one
// after the other. The last one must not be 400ms behind the first.
func TestDelaysDoNotAddUp(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	c := dialGate(t, g)
	waitFor(t, "the connection", func() bool { return g.Stats().Live == 1 })
	r := inject(t, g, chaos.Fault{Kind: chaos.Latency, Latency: 200 * time.Millisecond})
	began := time.Now()
	for i := range 20 {
		send(t, c, "tick")
		waitTaken(t, g, int64(4*(i+1)))
	}
	for range 20 {
		expect(t, c, "tick")
	}
	if took := time.Since(began); took >= 4*time.Second {
		t.Errorf("20 chunks took %v, as long as one after the other", took)
	}
	if ev := revert(t, r); ev.Chances < 1 || ev.Bites != ev.Chances {
		t.Errorf("evidence = %+v, want every chunk delayed", ev)
	}
}

func TestChunkUnderWayWhenLatencyEnds(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	c := dialGate(t, g)
	waitFor(t, "the connection", func() bool { return g.Stats().Live == 1 })
	r := inject(t, g, chaos.Fault{Kind: chaos.Latency, Latency: time.Hour})
	send(t, c, "held")
	waitFor(t, "the answer under way", func() bool {
		d := g.connections()[0].down
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.chain != nil && len(d.chain.tickets) == 1
	})
	ev := revert(t, r)
	expect(t, c, "held")
	if ev.Chances != 1 || ev.Bites != 1 || ev.DelayMeasured != 0 {
		t.Errorf("evidence = %+v, want one chunk kept back to the end, and no delay measured", ev)
	}
}

func TestChunkWhoseClientLeftBeforeTheDelayEnded(t *testing.T) {
	g, j, _ := startGate(t, startEcho(t).addr())
	c := dialGate(t, g)
	waitFor(t, "the connection", func() bool { return g.Stats().Live == 1 })
	r := inject(t, g, chaos.Fault{Kind: chaos.Latency, Latency: time.Hour})
	send(t, c, "held")
	waitFor(t, "the answer under way", func() bool {
		d := g.connections()[0].down
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.chain != nil && len(d.chain.tickets) == 1
	})
	c.SetLinger(0)
	c.Close()
	if by := j.closes(t, 1)[0].By; by != results.ClosedByClientReset {
		t.Errorf("closed by %q, want %q", by, results.ClosedByClientReset)
	}
	if ev := revert(t, r); ev.Chances != 1 || ev.Bites != 1 {
		t.Errorf("evidence = %+v, want one chunk kept back to the end", ev)
	}
}

func TestJitterIsSpreadAndRepeatable(t *testing.T) {
	f := chaos.Fault{Kind: chaos.Latency, Latency: 2500 * time.Microsecond, Jitter: time.Millisecond}
	draw := func(seed, id uint64, up bool) []time.Duration {
		next := newLatency(f, seed).shifts(id, up)
		var all []time.Duration
		for range 1000 {
			all = append(all, 3*time.Millisecond+next())
		}
		return all
	}
	seed := rand.Uint64()
	all := draw(seed, 1, false)
	if !slices.Equal(all, draw(seed, 1, false)) {
		t.Errorf("seed %d draws differently the second time", seed)
	}
	if slices.Equal(all, draw(seed, 2, false)) {
		t.Errorf("seed %d: connections 1 and 2 draw the same", seed)
	}
	if slices.Equal(all, draw(seed, 1, true)) {
		t.Errorf("seed %d: both directions draw the same", seed)
	}
	low, high := slices.Min(all), slices.Max(all)
	if low < 1500*time.Microsecond || high > 3500*time.Microsecond || low > 1700*time.Microsecond || high < 3300*time.Microsecond {
		t.Errorf("seed %d: delays from %v to %v, want from about 1.5ms to 3.5ms", seed, low, high)
	}
}

// What is drawn is what the bytes are delayed by, to the nanosecond.
func TestChunksAreDelayedAsDrawn(t *testing.T) {
	f := chaos.Fault{Kind: chaos.Latency, Latency: 2500 * time.Microsecond, Jitter: time.Millisecond, Direction: chaos.DirectionBoth}
	const seed, chunks = 11, 50
	for _, up := range []bool{false, true} {
		var got, want []time.Duration
		next := newLatency(f, seed).shifts(3, up)
		for range chunks {
			want = append(want, 3*time.Millisecond+next())
		}
		synctest.Test(t, func(*testing.T) {
			var goroutines sync.WaitGroup
			var sent time.Time
			nothing := newPump(&goroutines, func(b []byte) (int, error) { return len(b), nil }, func() {})
			measured := newPump(&goroutines, func(b []byte) (int, error) {
				got = append(got, time.Since(sent))
				return len(b), nil
			}, func() {})
			c := &conn{id: 3, up: nothing, down: measured}
			if up {
				c.up, c.down = measured, nothing
			}
			newLatency(f, seed).attach(c)
			for range chunks {
				sent = time.Now()
				measured.pass([]byte("chunk"))
				time.Sleep(10 * time.Millisecond)
				synctest.Wait()
			}
			nothing.end(always)
			measured.end(always)
			goroutines.Wait()
		})
		if !slices.Equal(got, want) {
			t.Errorf("up %v: delays\n%v, want\n%v", up, got, want)
		}
	}
}

func TestEarlyChunkIsNoBite(t *testing.T) {
	d := delays{}
	for _, delay := range []time.Duration{89, 90, 100} {
		d.arrived()
		d.passed(delay, 90)
	}
	got := d.evidence(100)
	want := results.Evidence{Occasion: "chunks", Chances: 3, Bites: 2, DelayAsked: 100, DelayMeasured: 90}
	if got != want {
		t.Errorf("evidence(100) = %+v, want %+v", got, want)
	}
}

func TestLatencyAsARedisClientSeesIt(t *testing.T) {
	srv := miniredis.RunT(t)
	g, _, _ := startGate(t, srv.Addr())
	client := redis.NewClient(&redis.Options{Addr: g.Addr(), DisableIdentity: true, Protocol: 2})
	defer client.Close()
	ctx := context.Background()
	if err := client.Set(ctx, "flag", "on", 0).Err(); err != nil {
		t.Fatal(err)
	}
	r := inject(t, g, chaos.Fault{Kind: chaos.Latency, Latency: 60 * time.Millisecond})
	began := time.Now()
	if v, err := client.Get(ctx, "flag").Result(); v != "on" || err != nil {
		t.Errorf("GET = %q, %v, want on", v, err)
	}
	if took := time.Since(began); took < 60*time.Millisecond {
		t.Errorf("GET took %v, want at least 60ms", took)
	}
	short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
	defer cancel()
	if _, err := redis.NewClient(&redis.Options{Addr: g.Addr(), ContextTimeoutEnabled: true, Protocol: 2}).Get(short, "flag").Result(); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("GET within 5ms: %v, want a deadline exceeded", err)
	}
	if ev := revert(t, r); ev.Bites == 0 || ev.Bites != ev.Chances {
		t.Errorf("evidence = %+v, want every chunk delayed", ev)
	}
}
