// Package pgstore keeps flags in PostgreSQL.
//
// The one idea: every write of an environment first takes the row that holds the
// environment's revision, in the same statement. So writes of one environment
// happen one after the other, a revision is visible exactly when all earlier ones
// are, and one SELECT reads flags and revision as of the same moment.
//
// A deleted flag stays as a tombstone with its version, so that a flag made again
// goes on counting; a number per flag starts at 1 and tells more to a reader than
// the environment's revision would. Tombstones are never swept: there is one per
// key that was ever used.
//
// Values are kept as text, not as jsonb: what was written is what is read, also
// 1.0, "\u0000" and the order of keys.
//
// Note: a sequence for the revision would not do. Its numbers are given out in
// another order than the one in which transactions commit.
package pgstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"time"

	"brownout/server/feature"

	"github.com/jackc/pgx/v5/pgxpool"
)

// The waits between two tries to set up the schema.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 500 * time.Millisecond
)

// errStarting is what keeps the store from being used before the first try ended.
var errStarting = errors.New("the schema has not been set up yet")

// Config configures New. Every field but FlagLimit and Log is required.
type Config struct {
	URL            string        // as pgx reads it; may hold a password
	Timeout        time.Duration // of an operation: waiting for a connection and the query
	ConnectTimeout time.Duration // of a new connection
	PoolSize       int           // connections at most
	FlagLimit      int           // flags of an environment at most; see upsertFlag. Default: no limit
	Log            *slog.Logger  // default: discard
}

// A Store is a feature.Store. It can be used as soon as it is made; until Run has
// set it up every operation ends in feature.ErrUnavailable.
type Store struct {
	cfg  Config
	pool *pgxpool.Config

	mu      sync.Mutex
	open    *pgxpool.Pool // nil: not set up
	problem error         // why it is not set up
}

// New reads the settings. It starts nothing.
func New(cfg Config) (*Store, error) {
	pool, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		// Not err: it quotes parts of the URL.
		return nil, errors.New("making the store: the database URL cannot be read, want postgres://user:password@host:port/database")
	}
	if cfg.Timeout <= 0 || cfg.ConnectTimeout <= 0 || cfg.PoolSize < 1 {
		return nil, fmt.Errorf("making the store: timeout %v, connect timeout %v, %d connections; want all above 0", cfg.Timeout, cfg.ConnectTimeout, cfg.PoolSize)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.FlagLimit <= 0 {
		cfg.FlagLimit = math.MaxInt32
	}
	pool.MaxConns = int32(cfg.PoolSize)
	pool.PingTimeout = cfg.Timeout
	pool.ConnConfig.ConnectTimeout = cfg.ConnectTimeout
	// The server gives up a statement when its caller has: a write whose caller has
	// gone does not commit long afterwards.
	pool.ConnConfig.RuntimeParams["statement_timeout"] = strconv.FormatInt(max(cfg.Timeout.Milliseconds(), 1), 10)
	boundCleanUp(pool, cfg.ConnectTimeout, cfg.Timeout)
	return &Store{cfg: cfg, pool: pool, problem: errStarting}, nil
}

// Run connects, sets up the schema, trying until it succeeds, and keeps the store
// open until ctx ends. Then it waits for the operations in flight and closes every
// connection.
func (s *Store) Run(ctx context.Context) error {
	pool, err := pgxpool.NewWithConfig(ctx, s.pool)
	if err != nil {
		return fmt.Errorf("opening the connection pool: %w", err)
	}
	defer pool.Close()
	if s.setUp(ctx, pool) {
		s.set(pool, nil)
		<-ctx.Done()
	}
	s.set(nil, errors.New("the store is closed"))
	return nil
}

// setUp reports whether it succeeded before ctx ended.
func (s *Store) setUp(ctx context.Context, pool *pgxpool.Pool) bool {
	last := ""
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := s.createSchema(ctx, pool)
		if err == nil {
			s.cfg.Log.Info("database ready")
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		s.set(nil, err)
		if class := feature.Class(err); class != last { // not a line for every try
			s.cfg.Log.Warn("database not ready, trying on", "error", err)
			last = class
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}

func (s *Store) set(pool *pgxpool.Pool, problem error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open, s.problem = pool, problem
}

// connections returns the pool, or what keeps it from being used.
func (s *Store) connections() (*pgxpool.Pool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		return nil, fmt.Errorf("%w: %w", feature.ErrUnavailable, s.problem)
	}
	return s.open, nil
}
