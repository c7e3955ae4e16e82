package figures

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brownout/results"

	"pgregory.net/rapid"
)

// TestResourcesAgainstTheirDefinition compares with an oracle that goes through the
// samples once for each figure.
func TestResourcesAgainstTheirDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var samples []results.Sample
		wantMemory, wantGrowth, cpu := int64(0), int64(-1<<62), time.Duration(0)
		wantGoroutines, wantTold := int64(-1<<62), 1<<30
		for i := range rapid.IntRange(1, 3).Draw(t, "instances") {
			process := results.ProcessTarget + strings.Repeat(fmt.Sprintf("-%d", i+1), min(i, 1))
			var memory, told []int64
			used := time.Duration(0)
			n := rapid.IntRange(2, 20).Draw(t, "looks")
			for at := range n {
				memory = append(memory, rapid.Int64Range(0, 100).Draw(t, "memory"))
				goroutines := rapid.IntRange(0, 9).Draw(t, "goroutines, or nothing told")
				samples = append(samples, results.Sample{At: time.Duration(at) * sec, Process: process, CPU: used, Memory: memory[at], Goroutines: goroutines})
				if goroutines > 0 {
					told = append(told, int64(goroutines))
				}
				if at < n-1 {
					used += time.Duration(rapid.IntRange(0, 100).Draw(t, "cpu")) * ms
				}
			}
			cpu += used
			wantMemory = max(wantMemory, slices.Max(memory))
			middle := func(some []int64) int64 {
				some = slices.Sorted(slices.Values(some))
				return some[(len(some)-1)/2]
			}
			growth := func(of []int64) int64 {
				if len(of) == 0 {
					return 0
				}
				quarter := max(1, len(of)/4)
				return middle(of[len(of)-quarter:]) - middle(of[:quarter])
			}
			wantGrowth, wantGoroutines = max(wantGrowth, growth(memory)), max(wantGoroutines, growth(told))
			wantTold = min(wantTold, len(told))
		}
		samples = append(samples, results.Sample{At: sec, Process: "cache", Memory: 1e9})
		got, why := ResourcesOf(results.NewRecording(results.Manifest{}, nil, nil, samples), 0, 100*sec)
		if why != "" || got.CPU != cpu || got.Memory != wantMemory || got.MemoryGrowth != wantGrowth {
			t.Errorf("ResourcesOf = %+v, %q, want CPU %v, memory %d, growth %d", got, why, cpu, wantMemory, wantGrowth)
		}
		if int64(got.GoroutinesGrowth) != wantGoroutines || got.Told != wantTold {
			t.Errorf("ResourcesOf = %+v, want goroutines to grow by %d, told %d times", got, wantGoroutines, wantTold)
		}
	})
}

// TestTimesAddUp: latency is lateness and service time together, hit by hit, so that a
// sum of maxima is never less than the maximum of the sums.
func TestTimesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hits []results.Hit
		for range rapid.IntRange(1, 30).Draw(t, "hits") {
			due := time.Duration(rapid.IntRange(0, 100).Draw(t, "due"))
			sent := due + time.Duration(rapid.IntRange(0, 100).Draw(t, "late"))
			hits = append(hits, results.Hit{Due: due, Sent: sent, Done: sent + time.Duration(rapid.IntRange(0, 100).Draw(t, "took"))})
		}
		s := Sum(hits, sec)
		for _, h := range hits {
			if h.Latency() != h.Lateness()+h.ServiceTime() {
				t.Errorf("latency of %+v = %v, want %v + %v", h, h.Latency(), h.Lateness(), h.ServiceTime())
			}
		}
		if s.Latency.Max > s.Lateness.Max+s.Service.Max || s.Latency.Max < max(s.Lateness.Max, s.Service.Max) {
			t.Errorf("greatest latency = %v, lateness %v, service time %v", s.Latency.Max, s.Lateness.Max, s.Service.Max)
		}
	})
}
