package figures

import (
	"testing"
	"time"

	"brownout/results"
)

func TestRecover(t *testing.T) {
	for _, row := range []struct {
		name     string
		windows  string // from the fault's end on: + good, - bad, . no hits, ? says nothing
		reached  bool
		after    time.Duration
		observed time.Duration
	}{
		{"good at once", "+++", true, 0, 0},
		{"good after two bad windows", "--+++", true, 200 * ms, 0},
		{"one good window is no recovery", "-+-+++", true, 300 * ms, 0},
		{"two good windows are none either", "++-+++", true, 300 * ms, 0},
		{"windows without hits neither count nor break", "-+..+.+", true, 100 * ms, 0},
		{"hits that say nothing neither count nor break", "-+??++", true, 100 * ms, 0},
		{"never good", "----", false, 0, 400 * ms},
		{"a row that the end cut off may be a recovery", "--++", false, 0, 200 * ms},
		{"no hit at all", "....", false, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			const end = 7 * sec
			var hits []results.Hit
			for i, c := range row.windows {
				h := results.Hit{Due: end + time.Duration(i)*100*ms, Detail: string(c)}
				if c != '.' {
					hits = append(hits, h)
				}
			}
			r := Recover(hits, Watch{
				From: end, To: end + time.Duration(len(row.windows))*100*ms, Width: 100 * ms, K: 3,
				Good: func(hits []results.Hit) (good, said bool) { return hits[0].Detail == "+", hits[0].Detail != "?" },
			})
			if r.Reached != row.reached || r.After != row.after || !r.Reached && r.Observed != row.observed {
				t.Errorf("Recover(%s) = %+v, want reached %v after %v, observed %v", row.windows, r, row.reached, row.after, row.observed)
			}
		})
	}
}

func TestAWindowThatIsCutOffIsNotLookedAt(t *testing.T) {
	good := func([]results.Hit) (bool, bool) { return true, true }
	hits := []results.Hit{{Due: 0}, {Due: 100 * ms}, {Due: 200 * ms}}
	if r := Recover(hits, Watch{To: 299 * ms, Width: 100 * ms, K: 3, Good: good}); r.Reached {
		t.Errorf("Recover = %+v, want not reached: the third window ends after To", r)
	}
}

func TestLastEnd(t *testing.T) {
	rec := results.NewRecording(results.Manifest{}, nil, []results.Event{
		reverted("a", sec, 2*sec), reverted("b", sec, 3*sec), reverted("failed", 4*sec, 4*sec), reverted("later", 5*sec, 9*sec),
	}, nil)
	for _, row := range []struct {
		name       string
		start, end time.Duration
		want       time.Duration
		ok         bool
	}{
		{"the last of two", 3 * sec, 5 * sec, 3 * sec, true},
		{"one that ended within the window", 2 * sec, 4 * sec, 3 * sec, true},
		{"the fault that the window ends with has not ended", 5 * sec, 9 * sec, 3 * sec, true},
		{"none yet", 0, 2 * sec, 0, false},
	} {
		got, ok := LastEnd(rec, Window{Start: row.start, End: row.end})
		if got != row.want || ok != row.ok {
			t.Errorf("%s: LastEnd = %v, %v, want %v, %v", row.name, got, ok, row.want, row.ok)
		}
	}
}
