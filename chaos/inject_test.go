package chaos

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"brownout/results"
)

// A place records what Hold does to it. It is both Injector and Reverter.
type place struct {
	takes      time.Duration // for Inject and Revert each
	injectErr  error
	revertErr  error
	hangs      bool // Revert waits for its context
	injected   int
	reverted   int
	revertDone error // of Revert's context, at its start
	deadline   time.Duration
}

func (p *place) Inject(context.Context, Fault) (Reverter, error) {
	p.injected++
	time.Sleep(p.takes)
	if p.injectErr != nil {
		return nil, p.injectErr
	}
	return p, nil
}

func (p *place) Revert(ctx context.Context) (results.Evidence, error) {
	p.reverted++
	p.revertDone = ctx.Err()
	if end, ok := ctx.Deadline(); ok {
		p.deadline = time.Until(end)
	}
	if p.hangs {
		<-ctx.Done()
		return results.Evidence{}, ctx.Err()
	}
	time.Sleep(p.takes)
	return results.Evidence{Occasion: "tests", Chances: 3, Bites: 2}, p.revertErr
}

var (
	errInject = errors.New("no hole to be found")
	errRevert = errors.New("the hole stays")
)

func TestHold(t *testing.T) {
	const s = time.Second
	fault := Fault{On: "cache", Kind: Blackhole}
	bitten := results.Evidence{Occasion: "tests", Chances: 3, Bites: 2}
	tests := []struct {
		name     string
		place    place
		cancel   time.Duration // when ctx ends
		want     results.Injection
		wantErr  error
		reverted int
		events   []results.EventKind
	}{
		{"the interval runs from in force to gone", place{takes: s}, 5 * s,
			results.Injection{Start: s, End: 6 * s, Evidence: bitten}, nil, 1,
			[]results.EventKind{results.EventInject, results.EventRevert}},
		{"a context that ends while the fault is being put in force", place{takes: s}, s / 2,
			results.Injection{Start: s, End: 2 * s, Evidence: bitten}, nil, 1,
			[]results.EventKind{results.EventInject, results.EventRevert}},
		{"a fault that cannot be put in force is not reverted", place{takes: s, injectErr: errInject}, 5 * s,
			results.Injection{Start: s, End: s, Error: errInject.Error()}, errInject, 0,
			[]results.EventKind{results.EventRevert}},
		{"a fault that stays is reported, with its evidence", place{revertErr: errRevert}, 5 * s,
			results.Injection{End: 5 * s, Evidence: bitten, Error: "reverting blackhole on cache: the hole stays"}, errRevert, 1,
			[]results.EventKind{results.EventInject, results.EventRevert}},
		{"a revert that hangs is given up", place{hangs: true}, 5 * s,
			results.Injection{End: 5*s + RevertTimeout, Error: "reverting blackhole on cache: context deadline exceeded"}, context.DeadlineExceeded, 1,
			[]results.EventKind{results.EventInject, results.EventRevert}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.cancel)
				defer cancel()
				base := time.Now()
				var events []results.Event
				got, err := Hold(ctx, &tt.place, fault, func() time.Duration { return time.Since(base) },
					func(e results.Event) { events = append(events, e) })

				tt.want.Kind, tt.want.On, tt.want.Fault = "blackhole", "cache", "blackhole on cache"
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("Hold: injection (-want +got):\n%s", diff)
				}
				if !errors.Is(err, tt.wantErr) || (err != nil) != (tt.wantErr != nil) {
					t.Errorf("Hold = %v, want %v", err, tt.wantErr)
				}
				if tt.place.injected != 1 || tt.place.reverted != tt.reverted {
					t.Errorf("injected %d times, reverted %d times, want 1, %d", tt.place.injected, tt.place.reverted, tt.reverted)
				}
				checkEvents(t, events, tt.events, got)
			})
		})
	}
}

// checkEvents wants kinds in this order, at the ends of in, the last one with in.
func checkEvents(t *testing.T, events []results.Event, kinds []results.EventKind, in results.Injection) {
	t.Helper()
	if len(events) != len(kinds) {
		t.Fatalf("%d events, want %v", len(events), kinds)
	}
	for i, e := range events {
		at := in.Start
		if kinds[i] == results.EventRevert {
			at = in.End
		}
		if e.Kind != kinds[i] || e.At != at || e.On != "cache" {
			t.Errorf("event %d = %s on %s at %v, want %s on cache at %v", i, e.Kind, e.On, e.At, kinds[i], at)
		}
	}
	last := events[len(events)-1]
	if last.Injection == nil {
		t.Fatal("the revert event has no injection")
	}
	if diff := cmp.Diff(in, *last.Injection); diff != "" {
		t.Errorf("injection of the revert event (-returned +recorded):\n%s", diff)
	}
}

// A passing place's fault is over after a time of its own.
type passing struct {
	place
	passed chan struct{}
}

func (p *passing) Inject(ctx context.Context, f Fault) (Reverter, error) {
	_, err := p.place.Inject(ctx, f)
	return p, err
}

func (p *passing) Passed() <-chan struct{} { return p.passed }

func TestAFaultThatPassesIsNotHeld(t *testing.T) {
	const s = time.Second
	for _, row := range []struct {
		name          string
		passes, until time.Duration // when the fault has passed, when ctx is done
		want          time.Duration // end of the injection
	}{
		{"it ends when it has passed", s, 5 * s, s},
		{"the end of ctx ends it too", 5 * s, s, s},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), row.until)
				defer cancel()
				p := passing{passed: make(chan struct{})}
				defer time.AfterFunc(row.passes, func() { close(p.passed) }).Stop()
				base := time.Now()
				got, err := Hold(ctx, &p, Fault{On: "cache", Kind: Flush}, func() time.Duration { return time.Since(base) }, func(results.Event) {})
				if err != nil || got.End != row.want || !got.Passes || p.reverted != 1 {
					t.Errorf("Hold = %+v, %v, reverted %d times, want one that passes and ends at %v, reverted once", got, err, p.reverted, row.want)
				}
			})
		})
	}
}

// The context of Hold is done when it reverts. Revert's is not, and ends in time.
func TestRevertHasAContextOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var p place
		if _, err := Hold(ctx, &p, Fault{Kind: Refuse}, func() time.Duration { return 0 }, func(results.Event) {}); err != nil {
			t.Fatalf("Hold: %v", err)
		}
		if p.revertDone != nil || p.deadline != RevertTimeout {
			t.Errorf("Revert's context: %v, ends in %v, want alive, %v", p.revertDone, p.deadline, RevertTimeout)
		}
	})
}
