package judge

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"brownout/results"
)

// longRun is a run of n hits at 2,000/s in three phases, 2 % of them writes, on 150 keys
// of which a few are hot, with a query for every tenth, and looks at the target.
func longRun(b *testing.B, n int) *results.Recording {
	b.Helper()
	const rate = 2000
	draw := rand.New(rand.NewPCG(1, 2))
	keys := rand.NewZipf(draw, 1.1, 1, 149)
	length := time.Duration(n) * sec / rate
	third := length / 3
	r := &run{m: results.Manifest{
		Scenario: "long", State: results.StateComplete, Tells: results.Tells{Token: true, Version: true, Source: true, Writes: true},
	}}
	version, last := make([]uint64, 150), make([]string, 150)
	r.hits = make([]results.Hit, 0, n+300)
	for k := range 150 {
		version[k], last[k] = 1, fmt.Sprintf("s%d", k)
		r.add(results.Hit{Op: results.OpSeed, Environment: "e", Key: fmt.Sprint(k), Token: last[k], Version: 1, Sent: -2 * sec, Done: -sec})
	}
	names := make([]string, 150)
	for k := range names {
		names[k] = fmt.Sprint(k)
	}
	for i := range n {
		k := keys.Uint64()
		h := goodHit(uint64(i), time.Duration(i)*sec/rate)
		h.Done = h.Sent + time.Duration(draw.ExpFloat64()*float64(2*ms))
		h.Key = names[k]
		if i%50 == 0 {
			version[k]++
			last[k] = fmt.Sprintf("t%d", i)
			h.Op, h.Source = results.OpWrite, ""
		}
		h.Token, h.Version = last[k], version[k]
		r.add(h)
		if i%10 == 0 {
			r.exchanges = append(r.exchanges, results.Exchange{On: results.LinkDatabase, Sent: h.Sent, Done: h.Done, Kind: "SELECT", Pattern: "select"})
		}
	}
	for k, name := range names {
		r.add(results.Hit{Op: results.OpReadback, Due: length + sec, Sent: length + sec, Done: length + 2*sec, Environment: "e", Key: name, Token: last[k], Version: version[k]})
	}
	for i, name := range []string{"steady", "outage", "recovery"} {
		r.m.Phases = append(r.m.Phases, results.Phase{Name: name, For: third, RateFrom: rate, RateTo: rate})
		r.events = append(r.events, results.Event{At: time.Duration(i) * third, Kind: results.EventPhase, On: name})
		for _, e := range [][2]string{
			{"errors", "0"}, {"p50", "1s"}, {"p99{op=read}", "1s"}, {"p999", "1s"}, {"max", "1m"}, {"goodput", "1/s"}, {"cache_hits", "1%"},
			{"database_queries", "1000/s"}, {"stampede", "1000"}, {"p99{time=service}", "1s"}, {"memory_growth", "1MB"},
		} {
			expectation, err := Parse(e[0], e[1], Phase)
			if err != nil {
				b.Fatal(err)
			}
			r.m.Phases[i].Expect = append(r.m.Phases[i].Expect, expectation)
		}
	}
	r.phase("outage").Faults = []string{blackhole}
	r.events = append(r.events, results.Event{At: length, Kind: results.EventEnd})
	r.inject(results.Injection{
		Kind: "blackhole", On: "cache", Fault: blackhole, Start: third, End: 2 * third,
		Evidence: results.Evidence{Occasion: "connections that sent", Chances: 20, Bites: 20},
	})
	for at := time.Duration(0); at < length; at += 200 * ms {
		r.samples = append(r.samples, results.Sample{At: at, Process: results.ProcessTarget, CPU: at / 2, Memory: 50e6})
	}
	for _, e := range [][2]string{
		{"wrong_answers", "0"}, {"lost_writes", "0"}, {"version_regressions", "100000"}, {"staleness", "10s"}, {"staleness{q=p999}", "10s"},
		{"versions_behind", "100"}, {"invisible_after{after=1s}", "1%"}, {"invisible_after{after=5s}", "1%"},
	} {
		expectation, err := Parse(e[0], e[1], Run)
		if err != nil {
			b.Fatal(err)
		}
		r.m.Always = append(r.m.Always, expectation)
	}
	return r.recording()
}

// BenchmarkJudge judges runs of a hundred thousand and a million hits. live-B/hit is by how much
// the memory in use grew at most while it did, for each hit; the recording itself is not
// in it, and is told as recording-B/hit.
func BenchmarkJudge(b *testing.B) {
	for _, n := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("hits=%d", n), func(b *testing.B) {
			before := inUse()
			rec := longRun(b, n)
			recorded := inUse()
			b.ReportAllocs()
			for b.Loop() {
				if j := Judge(rec, Standard()); j.Verdict != Pass {
					b.Fatalf("Judge = %s: %s", j.Verdict, j.Why)
				}
			}
			most := peak(func() { Judge(rec, Standard()) })
			b.ReportMetric(float64(recorded-before)/float64(n), "recording-B/hit")
			b.ReportMetric(float64(most-min(most, recorded))/float64(n), "live-B/hit")
			runtime.KeepAlive(rec)
		})
	}
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// peak is the most memory that was in use just after a garbage collection while work
// ran, which takes its time: it collects all the while.
func peak(work func()) uint64 {
	var done atomic.Bool
	most := make(chan uint64)
	go func() {
		var m uint64
		for !done.Load() {
			m = max(m, inUse())
		}
		most <- m
	}()
	work()
	done.Store(true)
	return <-most
}
