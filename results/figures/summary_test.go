package figures

import (
	"testing"
	"time"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
)

func TestSummarize(t *testing.T) {
	hits := []results.Hit{
		{Op: results.OpSeed, Due: 0},
		{Op: results.OpRead, Due: 0, Sent: 1 * ms, Done: 3 * ms, Source: results.SourceHit},
		{Op: results.OpRead, Due: 100 * ms, Sent: 100 * ms, Done: 120 * ms, Source: results.SourceMiss},
		{Op: results.OpRead, Due: 200 * ms, Sent: 200 * ms, Done: 900 * ms, Error: results.ErrorTimeout, Source: results.SourceHit},
		{Op: results.OpWrite, Due: 300 * ms, Sent: 300 * ms, Done: 301 * ms, Source: results.SourceHit},
		{Op: results.OpReadback, Due: 400 * ms},
		{Op: results.OpRead, Due: 500 * ms, Error: results.ErrorReset}, // the next window's
	}
	s := Summarize(hits, 0, 500*ms)
	type figures struct {
		Hits, Errors, Told  int
		Rate, Goodput       float64
		Timeouts, Resets    int
		CacheHits, FromMiss float64
		P50, Max, Late      time.Duration
	}
	got := figures{
		s.Hits, s.Errors, s.Told, s.Rate, s.Goodput, s.ByClass[results.ErrorTimeout], s.ByClass[results.ErrorReset],
		s.CacheHits(), s.SourceShare(results.SourceMiss), s.Latency.P50, s.Latency.Max, s.Lateness.Max,
	}
	want := figures{4, 1, 2, 8, 6, 1, 0, 0.5, 0.5, 3 * ms, 700 * ms, 1 * ms}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Summarize (-want +got):\n%s", diff)
	}
	if s.Service.P50 != 2*ms {
		t.Errorf("service p50 = %v, want 2ms: from sent, not from due", s.Service.P50)
	}
	if empty := Sum(nil, 0); empty.Rate != 0 || empty.CacheHits() != 0 {
		t.Errorf("Sum of nothing = %+v, want zeros", empty)
	}
}

func TestGroups(t *testing.T) {
	hits := []results.Hit{
		{Op: results.OpRead, Source: results.SourceHit},
		{Op: results.OpWrite},
		{Op: results.OpRead, Source: results.SourceHit},
	}
	groups := Groups(hits, sec)
	if len(groups) != 2 || groups[0].Hits != 2 || groups[0].Source != results.SourceHit || groups[1].Op != results.OpWrite {
		t.Errorf("Groups = %+v, want two reads by hit, then one write", groups)
	}
}

func TestCostOf(t *testing.T) {
	sample := func(at, cpu time.Duration, memory int64) results.Sample {
		return results.Sample{At: at, Process: results.ProcessTarget, CPU: cpu, Memory: memory}
	}
	hits := make([]results.Hit, 500)
	for i := range hits {
		hits[i] = results.Hit{Op: results.OpRead, Due: time.Duration(i) * 10 * ms}
	}
	for _, row := range []struct {
		name    string
		samples []results.Sample
		want    Cost
		ok      bool
	}{
		{
			"between the first and the last sample", []results.Sample{sample(0, sec, 10), sample(sec, 2*sec, 30), sample(2*sec, 3*sec, 20)},
			Cost{CPU: 2 * sec, PerThousand: 10, PeakMemory: 30}, true,
		},
		{"one sample tells nothing", []results.Sample{sample(0, sec, 10)}, Cost{}, false},
		{"other processes do not count", []results.Sample{{Process: "redis"}, {Process: "redis", At: sec, CPU: sec}}, Cost{}, false},
		{"a process that was started anew", []results.Sample{sample(0, 3*sec, 1), sample(sec, sec, 1)}, Cost{}, false},
		{"no hits between the samples", []results.Sample{sample(6*sec, sec, 1), sample(7*sec, 2*sec, 1)}, Cost{}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, ok := CostOf(results.NewRecording(results.Manifest{}, hits, nil, row.samples), results.ProcessTarget, 0, 10*sec)
			if ok != row.ok || ok && got != row.want {
				t.Errorf("CostOf = %+v, %v, want %+v, %v", got, ok, row.want, row.ok)
			}
		})
	}
}

func TestConnectionsOf(t *testing.T) {
	connect := func(at time.Duration, on string) results.Event {
		return results.Event{At: at, Kind: results.EventConnect, On: on, Conn: &results.Conn{Opened: at}}
	}
	closed := func(opened, at, silence time.Duration) results.Event {
		return results.Event{At: at, Kind: results.EventClose, On: "cache", Conn: &results.Conn{Opened: opened, Closed: at, Silence: silence}}
	}
	refusing := results.Injection{Kind: "refuse", On: "cache", Start: 20 * sec, End: 25 * sec}
	counting := refusing
	counting.Start, counting.End, counting.Evidence.Refused = 30*sec, 35*sec, 7
	rec := results.NewRecording(results.Manifest{}, nil, []results.Event{
		connect(0, "cache"), connect(0, "database"), connect(5*sec, "cache"), closed(0, 6*sec, 2*sec),
		connect(9*sec, "cache"), connect(10*sec, "cache"),
		{At: 25 * sec, Kind: results.EventRevert, Injection: &refusing},
		{At: 35 * sec, Kind: results.EventRevert, Injection: &counting},
	}, nil)
	for _, row := range []struct {
		name       string
		link       string
		start, end time.Duration
		want       Connections
	}{
		{"connects within, live at the end", "cache", 4 * sec, 10 * sec, Connections{Seen: true, Connects: 2, Live: 2, Silence: 2 * sec}},
		{"a silence counts wherever it fell", "cache", 0, 6 * sec, Connections{Seen: true, Connects: 2, Live: 2, Silence: 2 * sec}},
		{"another link", "database", 0, 6 * sec, Connections{Seen: true, Connects: 1, Live: 1}},
		{"a link that nobody saw", "other", 0, 6 * sec, Connections{}},
		{"a closed port shows nobody who knocks", "cache", 20 * sec, 25 * sec, Connections{Seen: true, Live: 3, Unseen: true}},
		{"the refused dials of its evidence are the link's own", "cache", 30 * sec, 35 * sec, Connections{Seen: true, Live: 3, Unseen: true}},
		{"a port that was closed for a part of the time", "cache", 24 * sec, 26 * sec, Connections{Seen: true, Live: 3, Unseen: true}},
		{"a fault that ended as the window starts is not in it", "cache", 25 * sec, 30 * sec, Connections{Seen: true, Live: 3}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, ConnectionsOf(rec, row.link, row.start, row.end)); diff != "" {
				t.Errorf("ConnectionsOf (-want +got):\n%s", diff)
			}
		})
	}
}
