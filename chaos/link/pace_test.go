package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/results"
)

var (
	bandwidthFault = chaos.Fault{Kind: chaos.Bandwidth, Rate: 100_000}
	sliceFault     = chaos.Fault{Kind: chaos.Slice, Size: 10, Gap: 20 * time.Millisecond}
)

// startGiver answers each byte with size bytes.
func startGiver(t *testing.T, size int) *server {
	return startServer(t, func(c *net.TCPConn) {
		for b := make([]byte, 1); ; {
			if _, err := c.Read(b); err != nil {
				return
			}
			if _, err := c.Write(bytes.Repeat(b, size)); err != nil {
				return
			}
		}
	})
}

// take reads size bytes and says how long that took and how many reads.
func take(t *testing.T, c net.Conn, size int) (took time.Duration, reads int) {
	t.Helper()
	start, b := time.Now(), make([]byte, size)
	for at := 0; at < size; reads++ {
		n, err := c.Read(b[at:])
		if at += n; err != nil {
			t.Fatalf("read %d of %d bytes: %v", at, size, err)
		}
	}
	return time.Since(start), reads
}

func TestBandwidthIsSharedAndEnds(t *testing.T) {
	const size = 20_000
	g, _, _ := startGate(t, startGiver(t, size).addr())
	a, b := dialGate(t, g), dialGate(t, g)
	r := inject(t, g, bandwidthFault)
	start := time.Now()
	send(t, a, "a")
	send(t, b, "b")
	_, reads := take(t, a, size)
	take(t, b, size)
	if took, least := time.Since(start), 400*time.Millisecond; took < least {
		t.Errorf("2 times %d bytes took %v at %d a second, want at least %v", size, took, bandwidthFault.Rate, least)
	}
	if reads < 2 {
		t.Error("the bytes came all at once, want them bit by bit")
	}
	ev := revert(t, r)
	want := results.Evidence{Occasion: "chunks", Chances: ev.Chances, Bites: ev.Chances, DelayMeasured: ev.DelayMeasured, Offered: 2, Hit: 2}
	if ev != want || ev.Chances < 2 || ev.DelayMeasured == 0 {
		t.Errorf("evidence = %+v, want %+v with at least 2 chances", ev, want)
	}

	r = inject(t, g, chaos.Fault{Kind: chaos.Bandwidth, Rate: 1})
	send(t, a, "c")
	waitTaken(t, g, 3)
	expectSilence(t, a)
	if ev := revert(t, r); ev.Chances == 0 || ev.Bites != ev.Chances {
		t.Errorf("evidence = %+v, want every chunk kept back", ev)
	}
	take(t, a, size) // in five hours and a half, had revert not given it away
}

// Each direction has the rate for itself, and all connections share it.
func TestBandwidthOfBothDirections(t *testing.T) {
	for _, way := range []chaos.Direction{chaos.DirectionUp, chaos.DirectionDown, chaos.DirectionBoth} {
		synctest.Test(t, func(t *testing.T) {
			b := newBandwidth(chaos.Fault{Kind: chaos.Bandwidth, Rate: 1000, Direction: way})
			var goroutines sync.WaitGroup
			var pumps []*pump
			var mu sync.Mutex
			start, through := time.Now(), map[string]time.Duration{}
			side := func(name string) *pump {
				p := newPump(&goroutines, func(b []byte) (int, error) {
					mu.Lock()
					defer mu.Unlock()
					through[name] = time.Since(start)
					return len(b), nil
				}, func() {})
				pumps = append(pumps, p)
				return p
			}
			for range 2 {
				b.attach(&conn{up: side("up"), down: side("down")})
			}
			for _, p := range pumps {
				p.pass(make([]byte, 500))
			}
			time.Sleep(time.Minute)
			for _, p := range pumps {
				p.end(always)
			}
			goroutines.Wait()
			want := map[string]time.Duration{"up": 0, "down": 0}
			if way != chaos.DirectionDown {
				want["up"] = time.Second
			}
			if way != chaos.DirectionUp {
				want["down"] = time.Second
			}
			if diff := cmp.Diff(want, through); diff != "" {
				t.Errorf("%s: when 2 times 500 bytes were through (-want +got):\n%s", way, diff)
			}
		})
	}
}

// Clients that give up do not keep those who come after them waiting.
func TestBandwidthOfClientsThatGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBandwidth(chaos.Fault{Kind: chaos.Bandwidth, Rate: 1000})
		var goroutines sync.WaitGroup
		var took time.Duration
		start := time.Now()
		open := func() *pump {
			p := newPump(&goroutines, func(b []byte) (int, error) { took = time.Since(start); return len(b), nil }, func() {})
			b.attach(&conn{down: p})
			return p
		}
		for range 100 {
			p := open()
			p.pass(make([]byte, 1000))
			synctest.Wait()
			p.kill()
			p.stop()
			synctest.Wait()
		}
		p := open()
		p.pass(make([]byte, 20))
		p.end(always)
		goroutines.Wait()
		if want := 20 * time.Millisecond; took != want {
			t.Errorf("20 bytes took %v behind 100 clients that had given up, want %v", took, want)
		}
	})
}

func TestSliceCutsAnswers(t *testing.T) {
	g, _, _ := startGate(t, startEcho(t).addr())
	c := dialGate(t, g)
	r := inject(t, g, sliceFault)
	send(t, c, "short")
	expect(t, c, "short")
	text := strings.Repeat("0123456789", 9) + "end"
	start := time.Now()
	send(t, c, text)
	got := make([]byte, len(text))
	n, err := c.Read(got)
	if err != nil || n == len(text) {
		t.Fatalf("first Read = %d, %v, want a piece of %d bytes", n, err, len(text))
	}
	if _, err := io.ReadFull(c, got[n:]); err != nil || string(got) != text {
		t.Errorf("read %q, %v, want %q", got, err, text)
	}
	if took, least := time.Since(start), 9*sliceFault.Gap; took < least {
		t.Errorf("10 pieces took %v, want at least %v", took, least)
	}
	ev := revert(t, r)
	if want := (results.Evidence{Occasion: ev.Occasion, Chances: 1, Bites: 1, DelayMeasured: ev.DelayMeasured, Offered: 1, Hit: 1}); ev != want {
		t.Errorf("evidence = %+v, want %+v", ev, want)
	}
	r = inject(t, g, chaos.Fault{Kind: chaos.Slice, Size: 10, Gap: time.Hour})
	send(t, c, text)
	expect(t, c, text[:10])
	expectSilence(t, c)
	revert(t, r)
	expect(t, c, text[10:])
}

func TestPacedAnswersAsARedisClientSeesThem(t *testing.T) {
	for _, f := range []chaos.Fault{{Kind: chaos.Bandwidth, Rate: 1000}, {Kind: chaos.Slice, Size: 10, Gap: 50 * time.Millisecond}} {
		t.Run(string(f.Kind), func(t *testing.T) {
			srv := miniredis.RunT(t)
			g, _, _ := startGate(t, srv.Addr())
			client := redis.NewClient(&redis.Options{Addr: g.Addr(), MaxRetries: -1, DialerRetries: 1, ReadTimeout: 500 * time.Millisecond,
				DisableIdentity: true, Protocol: 2})
			defer client.Close()
			ctx, value := context.Background(), strings.Repeat("v", 5000)
			for key, v := range map[string]string{"small": "v", "large": value} {
				if err := client.Set(ctx, key, v, 0).Err(); err != nil {
					t.Fatal(err)
				}
			}
			r := inject(t, g, f)
			if v, err := client.Get(ctx, "small").Result(); err != nil || v != "v" {
				t.Errorf("GET small = %q, %v, want v", v, err)
			}
			err := client.Get(ctx, "large").Err()
			var ne net.Error
			if !errors.As(err, &ne) || !ne.Timeout() {
				t.Errorf("GET large = %v, want a timeout", err)
			}
			t.Logf("GET large = %v", err)
			if ev := revert(t, r); ev.Chances == 0 || ev.Bites != ev.Chances {
				t.Errorf("evidence = %+v, want a bite for each chance", ev)
			}
			if v, err := client.Get(ctx, "large").Result(); err != nil || v != value {
				t.Errorf("GET large after revert = %d bytes, %v, want %d", len(v), err, len(value))
			}
		})
	}
}
