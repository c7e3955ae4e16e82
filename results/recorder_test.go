package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func started() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 800, time.UTC) }

func mustCreate(t *testing.T, dir string) *Recorder {
	t.Helper()
	r, err := Create(dir, "cache-blackhole", Manifest{Scenario: "cache-blackhole", Started: started()})
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	return r
}

func mustOpen(t *testing.T, dir string) *Recording {
	t.Helper()
	rec, err := Open(dir)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return rec
}

func TestWhatIsRecordedIsReadBackInOrder(t *testing.T) {
	r := mustCreate(t, t.TempDir())
	hits := []Hit{
		{Seq: 0, Op: OpRead, Due: 1, Sent: 2, Done: 3, Environment: "e", Key: "k", Token: "t", Version: 7, Code: 200, Source: SourceHit},
		{Seq: 1, Op: OpWrite, Due: 5, Sent: 6, Done: 7, Error: ErrorTimeout, Detail: "no answer\nat all"},
		{Seq: 2, Op: OpRead, Due: 5, Sent: 6, Done: 7},
	}
	for _, i := range []int{2, 0, 1} { // answers come in any order
		r.Hit(hits[i])
	}
	injection := Injection{Kind: "latency", On: "cache", Start: 2, End: 4, Evidence: Evidence{Chances: 3, Bites: 3}}
	events := []Event{{At: 0, Kind: EventPhase, On: "steady"}, {At: 4, Kind: EventRevert, Injection: &injection}, {At: 9, Kind: EventEnd}}
	r.Event(events[1])
	r.Event(events[0])
	r.Event(events[2])
	samples := []Sample{{At: 1, Process: ProcessTarget, CPU: time.Second, Memory: 5}}
	r.Sample(samples[0])
	exchanges := []Exchange{
		{On: "cache", Conn: 1, Sent: 2, Done: 9, Kind: "GET", Pattern: "flags:*", Up: 30, Down: 5, Reply: ReplyNil},
		{On: "cache", Conn: 2, Sent: 3, Done: 4, Kind: "SET", Up: 40, Down: 20, Reply: "READONLY", Injected: true},
	}
	r.Exchange(exchanges[1]) // reported when they are done
	r.Exchange(exchanges[0])
	if err := r.Close(StateComplete, ""); err != nil {
		t.Fatalf("Close: %v", err)
	}
	want := &Recording{
		Dir:      r.Dir(),
		Manifest: Manifest{Format: Format, Scenario: "cache-blackhole", State: StateComplete, Started: started()},
		Hits:     hits, Events: events, Samples: samples,
		Exchanges: exchanges,
	}
	if diff := cmp.Diff(want, mustOpen(t, r.Dir())); diff != "" {
		t.Errorf("Open after Close (-want +got):\n%s", diff)
	}
}

func TestAKilledRunIsReadableUpToItsLastFlush(t *testing.T) {
	r := mustCreate(t, t.TempDir())
	r.Hit(Hit{Seq: 0})
	if got := len(mustOpen(t, r.Dir()).Hits); got != 0 {
		t.Errorf("hits before a flush = %d, want 0: they should be buffered", got)
	}
	r.Event(Event{Kind: EventPhase, On: "steady"})
	rec := mustOpen(t, r.Dir())
	if len(rec.Hits) != 1 || len(rec.Events) != 1 {
		t.Errorf("after an event: %d hits, %d events, want 1 and 1: an event flushes", len(rec.Hits), len(rec.Events))
	}
	r.Hit(Hit{Seq: 1})
	r.Sample(Sample{At: 1})
	if err := r.Flush(); err != nil {
		t.Fatalf("Flush: %v", err)
	}
	rec = mustOpen(t, r.Dir())
	if len(rec.Hits) != 2 || len(rec.Samples) != 1 || rec.Truncated || rec.Manifest.State != StateRunning {
		t.Errorf("after Flush: %d hits, %d samples, truncated %v, state %s, want 2, 1, false, running",
			len(rec.Hits), len(rec.Samples), rec.Truncated, rec.Manifest.State)
	}
	closeRun(t, r)
}

func closeRun(t *testing.T, r *Recorder) {
	t.Helper()
	if err := r.Close(StateComplete, ""); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func TestAFullBufferIsWrittenInWholeLines(t *testing.T) {
	r := mustCreate(t, t.TempDir())
	for i := range 3 * streamBuffer / 100 { // a hit has about 100 bytes
		r.Hit(Hit{Seq: uint64(i), Environment: "production", Key: "checkout-v2"})
	}
	rec := mustOpen(t, r.Dir())
	if len(rec.Hits) == 0 || rec.Truncated {
		t.Errorf("without a flush: %d hits, truncated %v, want some and false", len(rec.Hits), rec.Truncated)
	}
	closeRun(t, r)
}

func TestARecorderIsSafeForConcurrentUse(t *testing.T) {
	r := mustCreate(t, t.TempDir())
	const writers, each = 8, 200
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				r.Hit(Hit{Seq: uint64(w*each + i)})
				r.Event(Event{Kind: EventConnect})
				r.Sample(Sample{})
				if err := r.Flush(); err != nil {
					t.Errorf("Flush: %v", err)
				}
			}
		})
	}
	all.Wait()
	closeRun(t, r)
	rec := mustOpen(t, r.Dir())
	seen := map[uint64]bool{}
	for _, h := range rec.Hits {
		seen[h.Seq] = true
	}
	if len(seen) != writers*each || len(rec.Events) != writers*each || len(rec.Samples) != writers*each {
		t.Errorf("%d hits, %d events, %d samples, want %d of each", len(seen), len(rec.Events), len(rec.Samples), writers*each)
	}
}

func TestAWriteErrorFailsTheRun(t *testing.T) {
	r := mustCreate(t, t.TempDir())
	if err := r.streams[streamHits].file.Close(); err != nil { // the disk goes away
		t.Fatal(err)
	}
	r.Hit(Hit{})
	if err := r.Flush(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Flush = %v, want the write error", err)
	}
	first := r.Close(StateComplete, "")
	if !errors.Is(first, os.ErrClosed) {
		t.Errorf("Close = %v, want the write error", first)
	}
	if again := r.Close(StateComplete, ""); !errors.Is(again, os.ErrClosed) {
		t.Errorf("second Close = %v, want the same error", again)
	}
	m := mustOpen(t, r.Dir()).Manifest
	if m.State != StateFailed || !strings.Contains(m.Problem, "recording the run") {
		t.Errorf("state = %s (%s), want failed with the problem", m.State, m.Problem)
	}
}

func TestWhatComesAfterCloseIsNoPartOfTheRun(t *testing.T) {
	r := mustCreate(t, t.TempDir())
	closeRun(t, r)
	r.Event(Event{Kind: EventClose})
	if got := len(mustOpen(t, r.Dir()).Events); got != 0 {
		t.Errorf("events = %d, want 0", got)
	}
}

func TestRunsOfTheSameSecondHaveFoldersOfTheirOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results", "runs")
	var got []string
	for range 3 {
		r := mustCreate(t, dir)
		closeRun(t, r)
		got = append(got, filepath.Base(r.Dir()))
	}
	name := "20260304T050607Z-cache-blackhole"
	if diff := cmp.Diff([]string{name, name + "-2", name + "-3"}, got); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
	latest, err := Latest(dir)
	if want := filepath.Join(dir, name+"-3"); latest != want || err != nil {
		t.Errorf("Latest = %s, %v, want %s", latest, err, want)
	}
}

func TestCreateRefuses(t *testing.T) {
	for _, row := range []struct {
		name, run string
		started   time.Time
		want      string
	}{
		{"a name that leaves the folder", "../../etc", started(), "plain name"},
		{"an empty name", "", started(), "plain name"},
		{"a manifest without a start", "x", time.Time{}, "no start time"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Create(t.TempDir(), row.run, Manifest{Started: row.started})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Create(%q) = %v, want an error with %q", row.run, err, row.want)
			}
		})
	}
}

func TestSetManifestReplacesIt(t *testing.T) {
	r := mustCreate(t, t.TempDir())
	m := r.Manifest()
	m.Versions = map[string]string{"redis": "7.0.15"}
	if err := r.SetManifest(m); err != nil {
		t.Fatalf("SetManifest: %v", err)
	}
	closeRun(t, r)
	if got := mustOpen(t, r.Dir()).Manifest.Versions["redis"]; got != "7.0.15" {
		t.Errorf("version = %q, want 7.0.15", got)
	}
	left, err := filepath.Glob(filepath.Join(r.Dir(), ".*"))
	if len(left) != 0 || err != nil {
		t.Errorf("temporary files left: %v, %v", left, err)
	}
}

func BenchmarkHit(b *testing.B) {
	r, err := Create(b.TempDir(), "bench", Manifest{Started: started()})
	if err != nil {
		b.Fatal(err)
	}
	h := Hit{Op: OpRead, Due: 1e9, Sent: 1e9, Done: 2e9, Environment: "production", Key: "checkout-v2", Token: fmt.Sprint(started()), Code: 200}
	for b.Loop() {
		r.Hit(h)
	}
	if err := r.Close(StateComplete, ""); err != nil {
		b.Fatal(err)
	}
}
