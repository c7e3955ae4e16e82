package server

import (
	"sync"
	"time"
)

// floors knows, for each environment that this instance has written or read from
// the database, the newest revision that it has seen there. A copy of the
// environment below that is old, whoever kept it and whenever it comes. Reads count
// as well: a write whose answer was lost may be done much later, and then they are
// the first to see it.
//
// A floor is never forgotten, or an entry that comes late could take back what was
// answered. It takes about 200 bytes, for an environment that is in the database: names
// that callers make up have none.
//
// Some are watched: those that somebody asks for. Only their revisions are read again
// and again (flags.recheck).
type floors struct {
	mu   sync.Mutex
	of   map[string]*floor
	list []*floor // all of them, each at a place that it keeps
}

// A floor is what is known of an environment.
type floor struct {
	environment string
	revision    uint64
	asked       time.Time // when somebody asked for it last; zero: nobody has
}

// floor is 0 for an environment that was neither written nor read here.
func (f *floors) floor(environment string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.of[environment]; k != nil {
		return k.revision
	}
	return 0
}

// use is floor for somebody who asks for the environment now. It is watched if somebody
// did so within idle before; then it stays watched.
func (f *floors) use(environment string, now time.Time, idle time.Duration) (revision uint64, watched bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.of[environment]
	if k == nil {
		return 0, false
	}
	if watched = now.Sub(k.asked) <= idle; watched {
		k.asked = now
	}
	return k.revision, watched
}

// watch makes an environment watched that was asked for at now.
func (f *floors) watch(environment string, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k := f.of[environment]; k != nil {
		k.asked = now
	}
}

// raise never lowers: receipts and snapshots may come in any order.
func (f *floors) raise(environment string, revision uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[string]*floor{}
	}
	k := f.of[environment]
	if k == nil {
		k = &floor{environment: environment}
		f.of[environment] = k
		f.list = append(f.list, k)
	}
	k.revision = max(k.revision, revision)
}

// lower replaces from by revision, unless it has been raised since.
func (f *floors) lower(environment string, from, revision uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.of[environment]
	if k == nil || k.revision != from || revision >= from {
		return false
	}
	k.revision = revision
	return true
}

// watched looks at places from the given one on and returns the floors of up to most
// environments that were asked for since then, and the place to go on at; done: there
// are no more.
func (f *floors) watched(place, most int, since time.Time) (floors map[string]uint64, next int, done bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	floors = map[string]uint64{}
	for next = place; next < len(f.list) && len(floors) < most; next++ {
		if k := f.list[next]; !k.asked.Before(since) {
			floors[k.environment] = k.revision
		}
	}
	return floors, next, next == len(f.list)
}
