package feature

import (
	"context"
	"errors"
)

// What a Store says.
var (
	// ErrNotFound: there is no such flag. Nothing was written.
	ErrNotFound = errors.New("flag not found")
	// ErrFull: the environment has as many flags as it may have. Nothing was written.
	ErrFull = errors.New("the environment is full")
	// ErrUnavailable: the store could not be asked. A later try may succeed.
	ErrUnavailable = errors.New("the database is not available")
	// ErrUnknownOutcome: a write was sent and its answer was lost. It may have been
	// done, or may yet be. It comes together with ErrUnavailable.
	ErrUnknownOutcome = errors.New("the outcome of the write is unknown")
)

// What a Cache says besides that it failed.
var (
	// ErrMiss: the cache was asked and has nothing.
	ErrMiss = errors.New("not in the cache")
	// ErrNoCache: there is no cache.
	ErrNoCache = errors.New("no cache")
)

// A Receipt is what a write left behind.
type Receipt struct {
	Flag     Flag   // as it is stored now
	Created  bool   // there was no such flag before
	Revision uint64 // of the environment, with this write
}

// A Store keeps flags. It is the truth.
type Store interface {
	// Snapshot reads an environment, all of it at one revision.
	Snapshot(ctx context.Context, environment string) (Snapshot, error)
	// Revisions reads the revisions of environments. What nobody has written is missing.
	Revisions(ctx context.Context, environments []string) (map[string]uint64, error)
	// Put writes a flag. One that there is can always be written.
	Put(ctx context.Context, environment, key string, d Draft) (Receipt, error)
	// Delete removes a flag and returns the environment's new revision.
	Delete(ctx context.Context, environment, key string) (revision uint64, err error)
	// Ready says what keeps the store from being used.
	Ready(ctx context.Context) error
}

// A Cache keeps an encoded snapshot per environment for a limited time. It may
// lose anything at any moment.
type Cache interface {
	// Name is the backend's name, a token: redis, memory, none.
	Name() string
	// Get returns what Set kept, or ErrMiss, or ErrNoCache. It must not be changed.
	Get(ctx context.Context, environment string) ([]byte, error)
	// Set keeps snapshot, which must not be changed any more.
	Set(ctx context.Context, environment string, snapshot []byte) error
	// Delete removes an entry. That there was none is no error.
	Delete(ctx context.Context, environment string) error
	// Ping says what keeps the cache from being used.
	Ping(ctx context.Context) error
	// Close ends calls in flight and later ones with an error.
	Close() error
}

// A Peeker is a Cache that has entries in this process.
type Peeker interface {
	// Peek returns what Get would return without waiting for anything; false: Get has
	// to be asked.
	Peek(environment string) ([]byte, bool)
}

// A CacheEvent is something that a Cache notices by itself.
type CacheEvent int

// What can happen to a cache.
const (
	CacheBack  CacheEvent = iota // it answers again, after it was given up
	CacheEmpty                   // it has lost its entries
)

// A Runner is a Cache with work of its own, as probing a server that is away. It is
// a Cache also while it does not run, only without what that work is for.
type Runner interface {
	// Run does the work until ctx ends, and calls tell, which must not block. It may
	// return only after Close where the client's own waits have no bound.
	Run(ctx context.Context, tell func(CacheEvent))
}
