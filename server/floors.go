package server

import (
	"maps"
	"slices"
	"sync"
)

// floors knows, for each environment that this instance has written or read from
// the database, the newest revision that it has seen there. A copy of the
// environment below that is old, whoever kept it and whenever it comes. Reads count
// as well: a write whose answer was lost may be done much later, and then they are
// the first to see it.
type floors struct {
	mu sync.Mutex
	of map[string]uint64 // environment → revision
}

// floor is 0 for an environment that was neither written nor read here.
func (f *floors) floor(environment string) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.of[environment]
}

// raise never lowers: receipts and snapshots may come in any order.
func (f *floors) raise(environment string, revision uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[string]uint64{}
	}
	f.of[environment] = max(f.of[environment], revision)
}

// lower replaces from by revision, unless it has been raised since.
func (f *floors) lower(environment string, from, revision uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[environment] != from || revision >= from {
		return false
	}
	f.of[environment] = revision
	return true
}

// all is a copy.
func (f *floors) all() map[string]uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.of)
}

// environments lists all that were written or read here.
func (f *floors) environments() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(maps.Keys(f.of))
}
