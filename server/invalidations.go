package server

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"
)

// retryEvery is the wait between two rounds of owed invalidations. It bounds how
// long a cache that is back stays unused for an environment.
const retryEvery = 250 * time.Millisecond

// A debt is an invalidation that has not been done.
type debt struct {
	seq uint64 // changes with every write, so that an earlier round does not settle a later one
	// unknown: nobody knows whether the write happened. Then the entry may be right,
	// and is used; the database has to be asked what is.
	unknown bool
	due     time.Time // not to be settled before
}

// invalidations remembers which cache entries still have to be deleted, and does
// it in the background.
type invalidations struct {
	forget func(ctx context.Context, environment string) error // deletes the cache entry, bounded
	learn  func(ctx context.Context, environment string) error // asks the database for the revision, bounded
	log    *slog.Logger

	mu   sync.Mutex
	owed map[string]debt // environment → what is owed
	seq  uint64
	wake chan struct{} // has one token when something is owed
	back chan struct{} // has one token when the cache answers again
}

func newInvalidations(log *slog.Logger, forget, learn func(context.Context, string) error) *invalidations {
	return &invalidations{forget: forget, learn: learn, log: log, owed: map[string]debt{}, wake: make(chan struct{}, 1), back: make(chan struct{}, 1)}
}

// distrusts reports whether the environment's entry is known to be old.
func (v *invalidations) distrusts(environment string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	d, owed := v.owed[environment]
	return owed && !d.unknown
}

// owe notes that the environment's entry is old and could not be deleted.
func (v *invalidations) owe(environment string) { v.add(environment, debt{}) }

// doubt notes that the environment's entry may be old once wait is over.
func (v *invalidations) doubt(environment string, wait time.Duration) {
	v.add(environment, debt{unknown: true, due: time.Now().Add(wait)})
}

func (v *invalidations) add(environment string, d debt) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seq++
	d.seq = v.seq
	if old, owed := v.owed[environment]; owed {
		// What is known to be old stays so; what has to be asked has still to be asked.
		d.unknown = d.unknown && old.unknown
		if d.due.Before(old.due) {
			d.due = old.due
		}
	}
	v.owed[environment] = d
	token(v.wake)
}

// hurry makes the next round begin now.
func (v *invalidations) hurry() { token(v.back) }

// token leaves a token in c, unless there is one.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run settles what is owed until ctx ends, and tries once more then.
func (v *invalidations) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			v.last(context.WithoutCancel(ctx))
			return
		case <-v.wake:
		}
		for v.round(ctx) {
			select {
			case <-ctx.Done():
				v.last(context.WithoutCancel(ctx))
				return
			case <-time.After(retryEvery):
			case <-v.back: // no reason to wait
			}
		}
	}
}

// last leaves no old entry behind if it can.
func (v *invalidations) last(ctx context.Context) {
	for environment, d := range v.copy() {
		if err := v.forget(ctx, environment); err != nil {
			v.log.Error("leaving an old cache entry behind, until its time to live is over", "environment", environment, "error", err)
			continue
		}
		v.settled(environment, d)
	}
}

// round tries to settle all that is due and reports whether something is left.
// Where the cache or the database does not answer, it is not asked again in the
// same round: the next question would take as long and end alike.
func (v *invalidations) round(ctx context.Context) (more bool) {
	ignorant := false
	for environment, d := range v.copy() {
		if time.Now().Before(d.due) || d.asks() && ignorant {
			continue
		}
		if d.asks() && v.learn(ctx, environment) != nil {
			ignorant = true
			continue
		}
		if v.forget(ctx, environment) != nil {
			break
		}
		v.settled(environment, d)
	}
	return len(v.copy()) > 0
}

// asks reports whether the database has to be asked first: a write with an unknown
// outcome is part of the debt.
func (d debt) asks() bool { return !d.due.IsZero() }

func (v *invalidations) copy() map[string]debt {
	v.mu.Lock()
	defer v.mu.Unlock()
	return maps.Clone(v.owed)
}

// pending is how many environments something is owed for.
func (v *invalidations) pending() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.owed)
}

// settled drops the debt unless it has grown since.
func (v *invalidations) settled(environment string, d debt) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.owed[environment].seq == d.seq {
		delete(v.owed, environment)
	}
}
