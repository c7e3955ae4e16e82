package server

import (
	"context"
	"maps"
	"slices"
	"time"
)

// recheckBatch is how many revisions are read in one query. A query of so many takes a
// few milliseconds: far from the database's timeout, and no long wait for those behind it.
const recheckBatch = 1000

// recheck asks the database again and again which revision the environments in use
// have, until ctx ends. What the cache has below that is refused from then on, and
// replaced by the next read. So nothing that should be gone is believed for longer than
// the time between two rounds, whatever kept it: a replica that was promoted without the
// deletion, an instance that ended while it owed one, a fill of another instance that came
// late, a memory that nobody else reaches.
//
// An environment is in use for as long after a read as an entry lives. After that it is
// left out; see verify for what a read does that finds an entry of it all the same.
//
// While the database does not answer nobody can know; then the cache is believed.
//
// Note: to ask only after an event (a lost connection, READONLY, another node) would be
// cheaper, and was not enough. An instance can keep its connection to the node that is
// promoted, and hears of nothing; and a fill that comes late is no event at all.
func (f *flags) recheck(ctx context.Context) {
	if !f.rechecks() {
		return
	}
	wait, place := f.profile.Recheck, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		began := time.Now()
		if place > 0 && f.recheckFrom(ctx, place) > 0 { // the last round broke off there
			place = 0 // again: then it is the turn of those before it
		} else {
			place = f.recheckFrom(ctx, 0)
		}
		// Rounds begin in step, and take half of the time at most: the more environments
		// there are the less often each of them is asked about, and the database has a rest.
		took := time.Since(began)
		wait = max(f.profile.Recheck-took, took)
	}
}

func (f *flags) rechecks() bool {
	return f.profile.Recheck > 0 && f.cache.Name() != BackendNone
}

// recheckFrom asks about the environments in use from a place on, one batch after the
// other, and returns 0, or the place at which the database failed.
func (f *flags) recheckFrom(ctx context.Context, place int) int {
	since := time.Now().Add(-f.idle)
	for {
		floors, next, done := f.floors.watched(place, recheckBatch, since) // before the query: it must not say less
		if len(floors) > 0 && !f.askAbout(ctx, floors) {
			return place
		}
		if done {
			return 0
		}
		place = next
	}
}

// askAbout reports whether the database has answered.
func (f *flags) askAbout(ctx context.Context, floors map[string]uint64) bool {
	revisions, err := f.store.Revisions(ctx, slices.Collect(maps.Keys(floors)))
	if ctx.Err() != nil {
		return false
	}
	f.storeLog.observe(err)
	f.outage.observe(err)
	if err != nil {
		return false
	}
	for environment, floor := range floors {
		switch now := revisions[environment]; {
		case now > floor:
			f.floors.raise(environment, now)
		case now < floor:
			f.wentBack(ctx, environment, floor, now)
		}
	}
	return true
}

// verify asks the database for the revision of an environment that is not rechecked,
// because it has not been asked for lately, before an entry of it is believed: nobody
// was told here that it should have gone. Those who come at the same time share the
// query. With the database away the entry is believed, as always then.
func (f *flags) verify(ctx context.Context, environment string) {
	if f.outage.down.Load() {
		return
	}
	shared := context.WithoutCancel(ctx) // as in load
	_, _, _ = f.checks.Do(environment, func() (any, error) {
		err := f.learn(shared, environment)
		f.storeLog.observe(err)
		f.outage.observe(err)
		return nil, nil
	})
}
