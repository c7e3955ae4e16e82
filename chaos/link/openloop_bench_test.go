package link_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"brownout/chaos"
	"brownout/chaos/link"
	"brownout/chaos/link/resp"
)

// The open loop: 200 commands a second while a fault of ten seconds is in force.
const (
	loopEvery = 5 * time.Millisecond
	loopFault = 10 * time.Second
	loopAfter = 3 * time.Second // healed
)

// A plight is a fault under an open loop of a go-redis client with its defaults,
// and what go-redis v9.23.0 was seen to do in it without our gate: milliseconds of
// the commands sent during the fault, dials per second, and good answers of 2000.
type plight struct {
	name          string
	faults        []chaos.Fault
	write         bool // SET instead of GET
	p50, p99, max float64
	dials         float64
	ok            int
	differs       string // why ours need not be the same
}

func plights() []plight {
	one := func(f chaos.Fault) []chaos.Fault { return []chaos.Fault{f} }
	return []plight{
		{"down", one(chaos.Fault{Kind: chaos.Refuse}), false, 103.5, 577.5, 853.5, 20.5, 0, "the gate does not see dials of a closed port"},
		{"blackhole", one(chaos.Fault{Kind: chaos.Blackhole}), false, 5014.1, 9843.2, 10049.8, 3.9, 1980, ""},
		{"latency", one(chaos.Fault{Kind: chaos.Latency, Latency: 500 * time.Millisecond}), false, 4296.7, 8612.1, 8711.9, 1.9, 2000, ""},
		{"reset", one(chaos.Fault{Kind: chaos.Reset}), false, 4687.5, 9264.7, 9391.1, 196.9, 1866, "Toxiproxy's reset_peer accepted and closed with FIN first"},
		{"loading", one(chaos.Fault{Kind: chaos.Loading}), false, 2867.7, 5494.6, 5566.4, 2.1, 1079, "there the server was restarted too"},
		{"readonly", one(chaos.Fault{Kind: chaos.Readonly}), true, 102.3, 157.7, 206.4, 796.2, 21, ""},
		{"oom", one(chaos.Fault{Kind: chaos.OOM}), true, 0.1, 0.7, 2.9, 0, 0, ""},
		{"masterdown", one(chaos.Fault{Kind: chaos.MasterDown}), false, 103.2, 156.2, 164.4, 0.4, 22, ""},
		{"maxclients", one(chaos.Fault{Kind: chaos.MaxClients, Live: chaos.CloseAll}), false, 4792.3, 9478.6, 9612.7, 178, 1905, ""},
		{"dialhole", []chaos.Fault{{Kind: chaos.Drop}, {Kind: chaos.Blackhole, Revert: chaos.Close}}, false, 5178.7, 10058.6, 10203.3, 4, 1988, "there the client had no connection"},
	}
}

// BenchmarkOpenLoop shows what go-redis does under load in each plight, beside
// what was seen without our gate. It takes about three minutes; give it
// -benchtime 1x.
func BenchmarkOpenLoop(b *testing.B) {
	upstream := startRedis(b)
	for _, p := range plights() {
		b.Run(p.name, func(b *testing.B) {
			for b.Loop() {
				p.measure(b, startLink(b, link.Config{Upstream: upstream, Protocol: resp.Protocol()}))
			}
		})
	}
}

// A loop is an open loop of commands.
type loop struct {
	client *redis.Client
	write  bool

	mu     sync.Mutex
	took   []float64 // ms
	errors map[string]int
	ok     int
	faulty atomic.Bool
}

func (p plight) measure(b *testing.B, g *link.Gate) {
	l := &loop{client: redis.NewClient(&redis.Options{Addr: g.Addr()}), write: p.write, errors: map[string]int{}}
	defer l.client.Close()
	if err := l.client.Set(b.Context(), "key", strings.Repeat("x", 100), 0).Err(); err != nil {
		b.Fatal(err)
	}
	before := g.Stats().Opened
	reverts := p.inject(b, g)
	l.faulty.Store(true)
	ctx, cancel := context.WithTimeout(b.Context(), loopFault+loopAfter)
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { l.run(ctx) })
	time.Sleep(loopFault)
	l.faulty.Store(false)
	dials := float64(g.Stats().Opened-before) / loopFault.Seconds()
	for _, r := range reverts {
		if _, err := r.Revert(b.Context()); err != nil {
			b.Error(err)
		}
	}
	all.Wait()
	p.report(b, l, dials)
}

func (p plight) inject(b *testing.B, g *link.Gate) []chaos.Reverter {
	var all []chaos.Reverter
	for _, f := range p.faults {
		all = append(all, put(b, g, f))
	}
	return all
}

// run sends a command when it is due, whatever became of those before, and waits
// for all of them.
func (l *loop) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	tick := time.NewTicker(loopEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			all.Go(l.one)
		}
	}
}

func (l *loop) one() {
	counted, start := l.faulty.Load(), time.Now()
	var err error
	if l.write {
		err = l.client.Set(context.Background(), "key", "value", 0).Err()
	} else {
		err = l.client.Get(context.Background(), "key").Err()
	}
	if !counted {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, float64(time.Since(start).Microseconds())/1000)
	if err == nil {
		l.ok++
		return
	}
	l.errors[err.Error()]++
}

func (p plight) report(b *testing.B, l *loop, dials float64) {
	slices.Sort(l.took)
	n := len(l.took)
	p50, p99, most := l.took[n/2], l.took[n*99/100], l.took[n-1]
	share := func(ok, of int) string { return fmt.Sprintf("%.0f%%", 100*float64(ok)/float64(of)) }
	fmt.Printf("%-10s      p50 %8.1f  p99 %8.1f  max %8.1f ms  dials %6.1f/s  ok %4s  %v\n", p.name, p50, p99, most, dials, share(l.ok, n), l.errors)
	fmt.Printf("%-10s seen p50 %8.1f  p99 %8.1f  max %8.1f ms  dials %6.1f/s  ok %4s  %s\n", "", p.p50, p.p99, p.max, p.dials, share(p.ok, 2000), p.differs)
	b.ReportMetric(p50, "p50-ms")
	b.ReportMetric(p.p50, "seen-p50-ms")
	b.ReportMetric(p99, "p99-ms")
	b.ReportMetric(p.p99, "seen-p99-ms")
	b.ReportMetric(dials, "dials/s")
	b.ReportMetric(p.dials, "seen-dials/s")
}
