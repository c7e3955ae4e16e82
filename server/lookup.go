package server

import (
	"context"
	"errors"

	"brownout/server/feature"
)

// lookup asks the cache.
func (f *flags) lookup(ctx context.Context, r reading) (*feature.Document, source) {
	from := source{backend: f.cache.Name()}
	if f.stale.distrusts(r.environment) {
		return nil, from.forward(forwardBypass, "invalidation-pending")
	}
	data, err := f.get(ctx, r.environment)
	switch {
	case errors.Is(err, feature.ErrNoCache):
		return nil, from.forward(forwardBypass, "")
	case errors.Is(err, feature.ErrMiss):
		f.cacheLog.observe(nil)
		return nil, from.forward(forwardMiss, "")
	case err != nil:
		if ctx.Err() == nil { // else the caller has gone, which is no fault of the cache
			f.cacheLog.observe(err)
		}
		return nil, from.forward(forwardBypass, feature.Class(err))
	}
	found, err := f.decode(r.environment, data)
	f.cacheLog.observe(err)
	switch {
	case err != nil: // somebody else's bytes: as good as nothing, and to be replaced
		return nil, from.forward(forwardMiss, "unreadable")
	case f.outdated(ctx, r, found):
		return nil, from.forward(forwardStale, "")
	}
	if found.Revision > r.floor { // another instance wrote it; from now on it is seen here
		f.floors.raise(r.environment, found.Revision)
	}
	from.hit = true
	return found, from
}

// outdated reports whether the database is known to have something newer than d.
func (f *flags) outdated(ctx context.Context, r reading, d *feature.Document) bool {
	switch {
	case !f.profile.CheckRevision:
		return false
	case d.Revision < r.floor:
		return true
	case r.watched || !f.rechecks():
		return false
	}
	f.verify(ctx, r.environment)
	return f.overtaken(d)
}

// get asks the cache within the budget of the profile. What is in this process is
// there at once, and needs none.
func (f *flags) get(ctx context.Context, environment string) ([]byte, error) {
	if f.near != nil {
		if data, found := f.near.Peek(environment); found {
			return data, nil
		}
	}
	bounded, cancel := f.bounded(ctx)
	defer cancel()
	return f.cache.Get(bounded, environment)
}

// decode reads what the cache had, once for each state of an environment: also those
// who get new bytes at the same time share the work. Without a place to keep the
// outcome there is nothing to share.
func (f *flags) decode(environment string, data []byte) (*feature.Document, error) {
	if d := f.kept.decoded(environment, data); d != nil {
		return d, nil
	}
	if f.profile.KeepLimit == 0 {
		return feature.DecodeDocument(environment, data)
	}
	got, err, _ := f.decodes.Do(environment, func() (any, error) { return f.decodeFirst(environment, data) })
	if err == nil && got.(*feature.Document).Is(data) {
		return got.(*feature.Document), nil
	}
	return feature.DecodeDocument(environment, data) // those were other bytes
}

// decodeFirst keeps what it decodes, with the JSON to answer with.
func (f *flags) decodeFirst(environment string, data []byte) (*feature.Document, error) {
	if d := f.kept.decoded(environment, data); d != nil {
		return d, nil // it came too late for the one before it
	}
	d, err := feature.DecodeDocument(environment, data)
	if err != nil {
		return nil, err
	}
	if _, err := d.Encode(); err != nil {
		return nil, err
	}
	f.kept.keep(d)
	return d, nil
}

// bounded gives ctx the budget of the profile.
func (f *flags) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.profile.Budget < 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, f.profile.Budget)
}
