package link_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brownout/chaos/link"
	"brownout/chaos/link/resp"
	"brownout/chaos/link/wire"
	"brownout/results"
)

// The commands of an arm in one turn, over all its clients, and the value's bytes.
const (
	turnGets  = 2000
	valueSize = 100
)

// arms are what stands before the Redis. The tap follows the protocol.
func arms(tap wire.Protocol) []arm {
	return []arm{
		{name: "nothing", start: func(_ testing.TB, upstream string, _ *arm) string { return upstream }},
		{name: "gate", start: startArm(wire.Protocol{})},
		{name: "gate-with-tap", start: startArm(tap), tapped: true},
		{name: "toxiproxy", start: func(t testing.TB, upstream string, _ *arm) string { return link.StartToxiproxy(t, upstream) }},
	}
}

// An arm is one way to the Redis, and what was measured on it.
type arm struct {
	name   string
	start  func(t testing.TB, upstream string, a *arm) string
	tapped bool

	clients   []*getter
	exchanges atomic.Int64
	gets      int             // commands so far
	rates     []float64       // commands per second, of each round
	trips     []time.Duration // the median round trip of each round
}

func startArm(p wire.Protocol) func(testing.TB, string, *arm) string {
	return func(t testing.TB, upstream string, a *arm) string {
		return startLink(t, link.Config{
			Upstream: upstream, Protocol: p,
			Exchange: func(results.Exchange) { a.exchanges.Add(1) },
		}).Addr()
	}
}

// A getter is a client that asks for one value, again and again, and waits for it
// each time.
type getter struct {
	conn        net.Conn
	ask         []byte
	want, reply []byte
	trips       []time.Duration // of one round
}

func newGetter(c net.Conn) *getter {
	return &getter{conn: c, ask: []byte("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"), want: value(), reply: make([]byte, len(value()))}
}

// value is the value of the key, as a bulk string.
func value() []byte {
	return fmt.Appendf(nil, "$%d\r\n%s\r\n", valueSize, bytes.Repeat([]byte("v"), valueSize))
}

func (g *getter) get() error {
	start := time.Now()
	if _, err := g.conn.Write(g.ask); err != nil {
		return err
	}
	if _, err := io.ReadFull(g.conn, g.reply); err != nil {
		return err
	}
	g.trips = append(g.trips, time.Since(start))
	if !bytes.Equal(g.reply, g.want) {
		return fmt.Errorf("GET = %q, want the value", g.reply)
	}
	return nil
}

// connect starts the arm with so many clients.
func (a *arm) connect(t testing.TB, upstream string, clients int) {
	t.Helper()
	addr := a.start(t, upstream, a)
	for range clients {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		a.clients = append(a.clients, newGetter(c))
	}
}

// turn lets every client do its share and says how long that took.
func (a *arm) turn(t testing.TB) time.Duration {
	t.Helper()
	var all sync.WaitGroup
	start := time.Now()
	for _, g := range a.clients {
		all.Go(func() {
			for range turnGets / len(a.clients) {
				if err := g.get(); err != nil {
					t.Errorf("%s: %v", a.name, err)
					return
				}
			}
		})
	}
	all.Wait()
	a.gets += turnGets
	return time.Since(start)
}

// round gives each arm two turns, in an order and back.
func round(t testing.TB, all []arm) {
	t.Helper()
	took := make([]time.Duration, len(all))
	for i := range all {
		took[i] += all[i].turn(t)
	}
	for i := range slices.Backward(all) {
		took[i] += all[i].turn(t)
	}
	for i := range all {
		a := &all[i]
		a.rates = append(a.rates, 2*turnGets/took[i].Seconds())
		var trips []time.Duration
		for _, g := range a.clients {
			trips = append(trips, g.trips...)
			g.trips = g.trips[:0]
		}
		a.trips = append(a.trips, middle(trips))
	}
}

// lineUp starts a Redis and all arms, and warms them up.
func lineUp(t testing.TB, clients int) []arm {
	t.Helper()
	upstream := startRedis(t)
	c, err := net.Dial("tcp", upstream)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n%s", value())
	if _, err := io.ReadFull(c, make([]byte, len("+OK\r\n"))); err != nil {
		t.Fatal(err)
	}
	all := arms(resp.Protocol())
	for i := range all {
		all[i].connect(t, upstream, clients)
	}
	round(t, all)
	for i := range all {
		all[i].rates, all[i].trips = nil, nil
	}
	return all
}

// check holds that a tap told every command.
func check(t testing.TB, all []arm) {
	t.Helper()
	for i := range all {
		if a := &all[i]; a.tapped && a.exchanges.Load() != int64(a.gets) {
			t.Errorf("%s told %d exchanges of %d commands", a.name, a.exchanges.Load(), a.gets)
		}
	}
}

// ratio is the median, over all rounds, of what a did by what b did.
func ratio(a, b *arm) float64 {
	var all []float64
	for i := range a.rates {
		all = append(all, a.rates[i]/b.rates[i])
	}
	return middle(all)
}

func middle[T float64 | time.Duration](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// BenchmarkOverhead shows what GETs of 100 bytes from a Redis cost behind nothing,
// behind a gate, behind a gate that follows the protocol and behind a proxy of
// Toxiproxy in this process. One iteration is a round of all, in turns (ABBA);
// figures are medians of rounds: give it -benchtime 20x.
func BenchmarkOverhead(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			all := lineUp(b, clients)
			for b.Loop() {
				round(b, all)
			}
			check(b, all)
			b.ReportMetric(0, "ns/op") // of no use
			for i := range all {
				b.ReportMetric(middle(all[i].rates), all[i].name+"-GET/s")
				b.ReportMetric(float64(middle(all[i].trips).Nanoseconds())/1000, all[i].name+"-µs")
			}
			nothing, gate, tapped, toxiproxy := &all[0], &all[1], &all[2], &all[3]
			b.ReportMetric(ratio(gate, nothing), "gate/nothing")
			b.ReportMetric(ratio(gate, toxiproxy), "gate/toxiproxy")
			b.ReportMetric(ratio(tapped, toxiproxy), "gate-with-tap/toxiproxy")
		})
	}
}

// TestTheTapKeepsUpWithToxiproxy has room for a busy machine: the arms take turns.
func TestTheTapKeepsUpWithToxiproxy(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("figures of a busy processor or of the race detector say nothing")
	}
	const least = 0.8
	for _, clients := range []int{1, 8} {
		t.Run(fmt.Sprintf("clients=%d", clients), func(t *testing.T) {
			all := lineUp(t, clients)
			for range 7 {
				round(t, all)
			}
			check(t, all)
			tapped, toxiproxy := &all[2], &all[3]
			got := ratio(tapped, toxiproxy)
			t.Logf("%.0f GET/s behind a gate with a tap, %.0f behind Toxiproxy; median ratio %.2f", middle(tapped.rates), middle(toxiproxy.rates), got)
			if got < least {
				t.Errorf("a gate with a tap has %.2f of Toxiproxy's throughput, want at least %.1f", got, least)
			}
		})
	}
}
