package server

import (
	"sync"
	"sync/atomic"
	"time"

	"brownout/server/feature"
)

// evictAmong is how many snapshots are looked at to find one that may go. The oldest
// of a few is a good enough guess, as in Redis (maxmemory-samples).
const evictAmong = 8

// snapshots keeps the newest snapshot of each environment that this instance has
// seen, up to a number of bytes. It serves three ends: bytes of the cache that were
// seen before need not be decoded again, nor their flags encoded for each answer; a
// read may share a query that was under way when it began; and with cache and database
// gone there is still something to answer.
type snapshots struct {
	limit int // bytes; 0: nothing is kept

	mu    sync.RWMutex
	of    map[string]*keptSnapshot
	bytes int
}

// A keptSnapshot is never changed, but for its times.
type keptSnapshot struct {
	*feature.Document
	loaded time.Time    // when the load that brought it had ended; zero: it has not, or there was none
	right  atomic.Int64 // Unix nanoseconds; when it was last an answer of cache or database
	size   int
}

// get returns nil if nothing is kept.
func (s *snapshots) get(environment string) *keptSnapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.of[environment]
}

// decoded returns what data was decoded to when it was seen last, or was encoded
// from; nil: it was not seen. Comparing costs nothing where the cache returns the very
// same bytes (memory), and a tenth of a decoding or less where it returns a copy.
func (s *snapshots) decoded(environment string, data []byte) *feature.Document {
	k := s.get(environment)
	if k == nil || !k.Is(data) {
		return nil
	}
	k.right.Store(time.Now().UnixNano())
	return k.Document
}

// since returns a snapshot that was loaded at began or later; nil: there is none.
func (s *snapshots) since(environment string, began time.Time) *feature.Document {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.of[environment]
	if k == nil || k.loaded.IsZero() || k.loaded.Before(began) {
		return nil
	}
	return k.Document
}

// ended notes that the load that brought d has ended now.
func (s *snapshots) ended(d *feature.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.of[d.Environment]; k != nil && k.Document == d {
		k.loaded = time.Now()
	}
}

// stale returns a snapshot not below floor that was right within most, and its age.
func (s *snapshots) stale(environment string, floor uint64, most time.Duration) (*feature.Document, time.Duration, bool) {
	k := s.get(environment)
	if most <= 0 || k == nil || k.Revision < floor {
		return nil, 0, false
	}
	age := time.Since(time.Unix(0, k.right.Load()))
	if age > most {
		return nil, 0, false
	}
	return k.Document, max(age, 0), true
}

// usable is the age of the oldest snapshot that was right within most; false: there is
// none.
func (s *snapshots) usable(most time.Duration) (oldest time.Duration, any bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, k := range s.of {
		if age := time.Since(time.Unix(0, k.right.Load())); age <= most {
			oldest, any = max(oldest, age), true
		}
	}
	return oldest, any
}

// keep takes what the cache or the database has answered.
func (s *snapshots) keep(d *feature.Document) {
	k := newKept(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.of[d.Environment]
	if old != nil && old.Revision > d.Revision {
		return // a late one
	}
	s.put(d.Environment, k)
}

// newKept counts the JSON of d as well, whether it was made or not: it will be, and
// takes about as much as the rest.
func newKept(d *feature.Document) *keptSnapshot {
	k := &keptSnapshot{Document: d, size: 2 * weight(d.Snapshot)}
	k.right.Store(time.Now().UnixNano())
	return k
}

// change applies a write: the snapshot before it, changed, is that at its revision.
// Where the snapshot before it is not known, what is kept stays below the floor and is
// not used until the next read has replaced it.
func (s *snapshots) change(environment string, revision uint64, change func(feature.Snapshot) feature.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.of[environment]
	if old == nil || old.Revision+1 != revision {
		return
	}
	next := change(old.Snapshot)
	next.Revision = revision
	s.put(environment, newKept(feature.NewDocument(next)))
}

// forget drops what is kept of an environment.
func (s *snapshots) forget(environment string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(environment)
}

// put is called with the lock held.
func (s *snapshots) put(environment string, k *keptSnapshot) {
	s.drop(environment)
	if k.size > s.limit {
		return
	}
	if s.of == nil {
		s.of = map[string]*keptSnapshot{}
	}
	for s.bytes+k.size > s.limit {
		s.evict()
	}
	s.of[environment] = k
	s.bytes += k.size
}

func (s *snapshots) drop(environment string) {
	if old := s.of[environment]; old != nil {
		s.bytes -= old.size
		delete(s.of, environment)
	}
}

// evict drops the oldest of a few. Maps are walked in random order.
func (s *snapshots) evict() {
	victim, oldest, seen := "", int64(0), 0
	for environment, k := range s.of {
		if right := k.right.Load(); seen == 0 || right < oldest {
			victim, oldest = environment, right
		}
		if seen++; seen == evictAmong {
			break
		}
	}
	s.drop(victim)
}

// weight is about how many bytes a snapshot takes.
func weight(s feature.Snapshot) int {
	const flag = 160 // the struct
	size := len(s.Flags) * flag
	for _, f := range s.Flags {
		size += len(f.Key) + len(f.Value) + len(f.Description)
		for name, value := range f.Variants {
			size += len(name) + len(value)
		}
	}
	return size
}
