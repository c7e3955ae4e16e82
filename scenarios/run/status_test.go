package run

import (
	"testing"
	"time"

	"brownout/loadtest"
	"brownout/results"
	"brownout/scenarios"

	"github.com/google/go-cmp/cmp"
)

func twoPhases() *scenarios.Scenario {
	return &scenarios.Scenario{Name: "s", Phases: []scenarios.Phase{{Name: "steady", For: time.Second}, {Name: "outage", For: 2 * time.Second}}}
}

func read(due, done time.Duration, class results.ErrorClass) results.Hit {
	return results.Hit{Op: results.OpRead, Due: due, Done: done, Error: class}
}

func TestStatusCountsSinceTheLastOne(t *testing.T) {
	w := newWatcher(twoPhases())
	if s := w.status(time.Second); s.Phase != "" || s.Elapsed != 0 {
		t.Errorf("status before the load = %+v, want neither phase nor elapsed", s)
	}
	w.event(results.Event{At: 1100 * time.Millisecond, Kind: results.EventPhase, On: "steady"})
	w.hit(read(1200*time.Millisecond, 1201*time.Millisecond, results.ErrorNone))
	w.hit(read(1300*time.Millisecond, 1350*time.Millisecond, results.ErrorTimeout))
	w.hit(results.Hit{Op: results.OpReadback}) // no load: not counted
	w.event(results.Event{At: 2100 * time.Millisecond, Kind: results.EventPhase, On: "outage"})
	w.event(results.Event{Kind: results.EventInject, Text: "refuse on cache"})

	want := Status{
		Scenario: "s", Phase: "outage", Elapsed: 1900 * time.Millisecond, Total: 3 * time.Second,
		Rate: 1, P99: 50 * time.Millisecond, Errors: 1, Faults: []string{"refuse on cache"},
	}
	if diff := cmp.Diff(want, w.status(3*time.Second)); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	w.event(results.Event{Kind: results.EventRevert, Text: "refuse on cache"})
	if s := w.status(9 * time.Second); s.Errors != 0 || s.Rate != 0 || len(s.Faults) != 0 || s.Elapsed != s.Total {
		t.Errorf("status after the end = %+v, want nothing since the last one", s)
	}
}

func TestWatcherKnowsWhatWasWritten(t *testing.T) {
	w := newWatcher(twoPhases())
	for _, key := range []string{"b", "a", "b"} {
		w.hit(results.Hit{Op: results.OpWrite, Environment: "env", Key: key, Error: results.ErrorTimeout})
	}
	w.hit(results.Hit{Op: results.OpSeed, Environment: "env", Key: "c"})
	// A write that failed may have happened all the same: it is read back too.
	want := []loadtest.Flag{{Environment: "env", Key: "a"}, {Environment: "env", Key: "b"}}
	if diff := cmp.Diff(want, w.writtenFlags()); diff != "" {
		t.Errorf("writtenFlags (-want +got):\n%s", diff)
	}
}

func TestRedactTakesPasswordsOut(t *testing.T) {
	got := redact(map[string]string{"URL": "postgres://me:secret@127.0.0.1:5432/db", "PROFILE": "seed", "TOKEN": "Bearer s3cret"}, "s3cret")
	want := map[string]string{"URL": "postgres://me:xxxxx@127.0.0.1:5432/db", "PROFILE": "seed", "TOKEN": "Bearer xxxxx"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("redact (-want +got):\n%s", diff)
	}
}
