package loadtest

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"brownout/results"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// A sleeper paces as the pacer does, but leaves the waiting to Vegeta's time.Sleep.
type sleeper struct{ pacer }

func (s sleeper) Pace(_ time.Duration, hits uint64) (time.Duration, bool) {
	due, ok := s.schedule.Due(hits)
	return time.Until(s.start.Add(due)), !ok
}

// BenchmarkLateness measures how late hits are sent at 300 a second, with our own
// waiting and with Vegeta's. Run it with -benchtime=1x.
func BenchmarkLateness(b *testing.B) {
	for _, row := range []struct {
		name string
		pace func(pacer) vegeta.Pacer
	}{
		{"wait=own", func(p pacer) vegeta.Pacer { return p }},
		{"wait=vegeta", func(p pacer) vegeta.Pacer { return sleeper{p} }},
	} {
		b.Run(row.name, func(b *testing.B) {
			srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			defer srv.Close()
			var late []time.Duration
			for b.Loop() {
				g, err := New(Config{
					Base: time.Now(), Start: 50 * time.Millisecond,
					Schedule: mustSchedule(b, Stage{For: 3 * time.Second, From: 300, To: 300}),
					Workload: usualReads, Requests: Requests{Read: Template{Method: "GET", URL: srv.URL}},
					Record: func(h results.Hit) { late = append(late, h.Lateness()) },
				})
				if err != nil {
					b.Fatal(err)
				}
				g.pace = row.pace
				if err := g.Run(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			slices.Sort(late)
			for name, q := range map[string]float64{"p50-ms": 0.50, "p99-ms": 0.99, "max-ms": 1} {
				b.ReportMetric(late[int(q*float64(len(late)-1))].Seconds()*1000, name)
			}
			b.ReportMetric(0, "ns/op") // the length of the schedule, which says nothing
		})
	}
}

var usualReads = Workload{Seed: 7, Environments: 3, Flags: 50, Reads: 1}

func BenchmarkAt(b *testing.B) {
	b.ReportAllocs()
	for seq := uint64(0); b.Loop(); seq++ {
		usual.At(seq)
	}
}

func BenchmarkDue(b *testing.B) {
	s := mustSchedule(b, Stage{For: time.Hour, From: 10, To: 1000}, Stage{For: time.Hour, From: 1000, To: 1000})
	for seq := uint64(0); b.Loop(); seq++ {
		s.Due(seq)
	}
}
