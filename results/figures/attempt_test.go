package figures

import (
	"slices"
	"testing"
	"time"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestAttemptsOf(t *testing.T) {
	event := func(at time.Duration, kind results.EventKind, on string, id uint64, down int64) results.Event {
		return results.Event{At: at, Kind: kind, On: on, Conn: &results.Conn{ID: id, Down: down}}
	}
	rec := results.NewRecording(results.Manifest{}, nil, []results.Event{
		event(1*sec, results.EventConnect, "cache", 1, 0), event(9*sec, results.EventClose, "cache", 1, 0),
		event(2*sec, results.EventConnect, "database", 2, 0), event(3*sec, results.EventConnect, "cache", 2, 0),
		event(4*sec, results.EventClose, "cache", 2, 7), event(5*sec, results.EventConnect, "cache", 3, 0),
	}, nil)
	want := []Attempt{{At: sec, Ended: 9 * sec}, {At: 3 * sec, Ended: 4 * sec, Answered: true}}
	if diff := cmp.Diff(want, AttemptsOf(rec, "cache", sec, 5*sec)); diff != "" {
		t.Errorf("AttemptsOf (-want +got):\n%s", diff)
	}
}

func TestPeakAgainstItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var times []time.Duration
		for _, v := range rapid.SliceOf(rapid.IntRange(0, 100)).Draw(t, "times") {
			times = append(times, time.Duration(v))
		}
		slices.Sort(times)
		width := time.Duration(rapid.IntRange(1, 30).Draw(t, "width"))
		want := 0
		for from := time.Duration(-30); from <= 100; from++ {
			n := 0
			for _, at := range times {
				if at >= from && at < from+width {
					n++
				}
			}
			want = max(want, n)
		}
		if got := Peak(times, width); got != want {
			t.Errorf("Peak(%v, %v) = %d, want %d", times, width, got, want)
		}
	})
}

func TestOverlapAgainstItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := &results.Recording{}
		for range rapid.IntRange(0, 20).Draw(t, "exchanges") {
			sent := rapid.IntRange(0, 30).Draw(t, "sent")
			rec.Exchanges = append(rec.Exchanges, results.Exchange{
				On: rapid.SampledFrom([]string{"cache", "database"}).Draw(t, "on"), Kind: rapid.SampledFrom([]string{"SELECT", "BEGIN"}).Draw(t, "kind"),
				Pattern: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "pattern"),
				Sent:    time.Duration(sent), Done: time.Duration(sent + rapid.IntRange(1, 9).Draw(t, "took")),
			})
		}
		want := 0
		for at := range time.Duration(40) {
			under := map[string]int{}
			for _, e := range rec.Exchanges {
				if e.On == "database" && e.Kind == "SELECT" && e.Sent >= 5 && e.Sent < 25 && e.Sent <= at && at < e.Done {
					under[e.Pattern]++
				}
			}
			want = max(want, under["a"], under["b"])
		}
		if got := OverlapOf(rec, "database", "SELECT", 5, 25).Most; got != want {
			t.Errorf("OverlapOf = %d, want %d", got, want)
		}
	})
}
