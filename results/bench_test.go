package results

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// BenchmarkOpen reads a run folder of a hundred thousand hits. kept-B/hit is the memory
// of the recording.
func BenchmarkOpen(b *testing.B) {
	const n = 100_000
	r, err := Create(b.TempDir(), "long", Manifest{Scenario: "long", Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)})
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		due := time.Duration(i) * time.Millisecond
		r.Hit(Hit{
			Seq: uint64(i), Op: OpRead, Due: due, Sent: due + 50*time.Microsecond, Done: due + time.Millisecond, Environment: "production",
			Key: fmt.Sprintf("flag-%d", i%150), Token: fmt.Sprintf("token-%d", i/50), Version: uint64(i / 50), Code: 200, Source: SourceHit,
		})
	}
	if err := r.Close(StateComplete, ""); err != nil {
		b.Fatal(err)
	}
	before := inUse()
	var rec *Recording
	for b.Loop() {
		if rec, err = Open(r.Dir()); err != nil || len(rec.Hits) != n {
			b.Fatalf("Open = %d hits, %v, want %d", len(rec.Hits), err, n)
		}
	}
	b.ReportMetric(float64(inUse()-before)/n, "kept-B/hit")
	runtime.KeepAlive(rec)
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
