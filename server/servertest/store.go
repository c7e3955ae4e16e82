package servertest

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"brownout/server/feature"
)

// A Store is a feature.Store in memory. Its hooks let a test decide what happens
// at the edges; they are set before the store is used.
type Store struct {
	// Before, if set, is called before each operation, with its name (snapshot,
	// revisions, put, delete, ready); its error is the operation's.
	Before func(ctx context.Context, operation string) error
	// AfterSnapshot, if set, is called when a snapshot has been read and has not been
	// returned yet.
	AfterSnapshot func(feature.Snapshot)

	// Limit is how many flags an environment may have; 0: any number.
	Limit int

	mu           sync.Mutex
	environments map[string]*environment
	reads        int
}

type environment struct {
	revision uint64
	flags    map[string]row // by key
}

type row struct {
	flag    feature.Flag
	deleted bool
}

// live counts the flags.
func (e *environment) live() (n int) {
	for _, r := range e.flags {
		if !r.deleted {
			n++
		}
	}
	return n
}

// NewStore makes an empty store.
func NewStore() *Store { return &Store{environments: map[string]*environment{}} }

func (s *Store) before(ctx context.Context, operation string) error {
	if s.Before == nil {
		return nil
	}
	return s.Before(ctx, operation)
}

// Reads counts the calls of Snapshot.
func (s *Store) Reads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// Snapshot reads an environment.
func (s *Store) Snapshot(ctx context.Context, name string) (feature.Snapshot, error) {
	if err := s.before(ctx, "snapshot"); err != nil {
		return feature.Snapshot{}, err
	}
	snapshot := s.read(name)
	if s.AfterSnapshot != nil {
		s.AfterSnapshot(snapshot)
	}
	return snapshot, nil
}

func (s *Store) read(name string) feature.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	e, found := s.environments[name]
	if !found {
		return feature.NewSnapshot(name, 0, nil)
	}
	var flags []feature.Flag
	for _, r := range e.flags {
		if !r.deleted {
			flags = append(flags, r.flag)
		}
	}
	return feature.NewSnapshot(name, e.revision, flags)
}

// Revisions reads revisions.
func (s *Store) Revisions(ctx context.Context, names []string) (map[string]uint64, error) {
	if err := s.before(ctx, "revisions"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	revisions := map[string]uint64{}
	for _, name := range names {
		if e, found := s.environments[name]; found {
			revisions[name] = e.revision
		}
	}
	return revisions, nil
}

// Put writes a flag.
func (s *Store) Put(ctx context.Context, name, key string, d feature.Draft) (feature.Receipt, error) {
	if err := s.before(ctx, "put"); err != nil {
		return feature.Receipt{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.environments[name]
	if !found {
		e = &environment{flags: map[string]row{}}
		s.environments[name] = e
	}
	old, existed := e.flags[key]
	if fresh := !existed || old.deleted; fresh && s.Limit > 0 && e.live() >= s.Limit {
		return feature.Receipt{}, feature.ErrFull
	}
	if d.Value == nil {
		d.Value = json.RawMessage("null")
	}
	e.revision++
	f := feature.Flag{Key: key, Draft: d, Version: old.flag.Version + 1, UpdatedAt: time.Now().UTC()}
	e.flags[key] = row{flag: f}
	return feature.Receipt{Flag: f, Created: !existed || old.deleted, Revision: e.revision}, nil
}

// Delete leaves a tombstone, as PostgreSQL does.
func (s *Store) Delete(ctx context.Context, name, key string) (uint64, error) {
	if err := s.before(ctx, "delete"); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.environments[name]
	if !found || e.flags[key].deleted || e.flags[key].flag.Version == 0 {
		return 0, feature.ErrNotFound
	}
	r := e.flags[key]
	r.deleted = true
	r.flag.Version++
	e.flags[key] = r
	e.revision++
	return e.revision, nil
}

// Ready finds nothing wrong unless Before does.
func (s *Store) Ready(ctx context.Context) error { return s.before(ctx, "ready") }
