package server

import (
	"context"
	"maps"
	"slices"
	"time"
)

// recheck asks the database again and again which revision the environments in use
// have, all in one query, until ctx ends. What the cache has below that is refused from
// then on, and replaced by the next read. So nothing that should be gone is believed for
// longer than the time between two queries, whatever kept it: a replica that was promoted
// without the deletion, an instance that ended while it owed one, a fill of another
// instance that came late, a memory that nobody else reaches.
//
// While the database does not answer nobody can know; then the cache is believed.
//
// Note: to ask only after an event (a lost connection, READONLY, another node) would be
// cheaper, and was not enough. An instance can keep its connection to the node that is
// promoted, and hears of nothing; and a fill that comes late is no event at all.
func (f *flags) recheck(ctx context.Context) {
	if f.profile.Recheck <= 0 || f.cache.Name() == BackendNone {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(f.profile.Recheck):
			f.recheckOnce(ctx)
		}
	}
}

func (f *flags) recheckOnce(ctx context.Context) {
	floors := f.floors.all() // before the query: it must not say less
	if len(floors) == 0 {
		return
	}
	revisions, err := f.store.Revisions(ctx, slices.Collect(maps.Keys(floors)))
	if ctx.Err() != nil {
		return
	}
	f.storeLog.observe(err)
	f.outage.observe(err)
	if err != nil {
		return
	}
	for environment, floor := range floors {
		f.floors.raise(environment, revisions[environment])
		f.wentBack(ctx, environment, floor, revisions[environment])
	}
}
