package server

import (
	"context"
	"errors"
	"sync/atomic"

	"brownout/server/feature"
)

// An outage knows whether the database failed when it was asked last, and lets one
// caller at a time find out whether it is back. So a database that is silent costs
// one read its timeout, and not every read.
type outage struct {
	down   atomic.Bool
	trying atomic.Bool
}

// observe takes the outcome of an operation.
func (o *outage) observe(err error) {
	switch {
	case errors.Is(err, errBusy): // it was not asked
	case errors.Is(err, feature.ErrUnavailable):
		o.down.Store(true)
	default:
		o.down.Store(false) // it answered
	}
}

// try reports whether the caller is to ask; then it calls done afterwards.
func (o *outage) try() (ask bool, done func()) {
	if !o.down.Load() {
		return true, func() {}
	}
	if !o.trying.CompareAndSwap(false, true) {
		return false, nil
	}
	return true, func() { o.trying.Store(false) }
}

// ask asks the store; when it fails the last good snapshot answers, if there is one.
func (f *flags) ask(ctx context.Context, r reading, from source) (*feature.Document, source, error) {
	if old, age, kept := f.kept.stale(r.environment, r.floor, f.profile.StaleIfError); kept {
		ask, done := f.outage.try()
		if !ask {
			return old, from.old(age, "unavailable"), nil
		}
		defer done()
	}
	got, err := f.load(ctx, r)
	if errors.Is(err, feature.ErrUnavailable) {
		// Looked up again: a write may have changed it meanwhile.
		if old, age, kept := f.kept.stale(r.environment, r.floor, f.profile.StaleIfError); kept {
			return old, from.old(age, cause(err)), nil
		}
	}
	from.stored = got.stored
	return got.document, from, err
}

func cause(err error) string {
	if errors.Is(err, errBusy) {
		return "busy"
	}
	return feature.Class(err)
}
