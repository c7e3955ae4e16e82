package server

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/pgstore"
)

// The cache backends; see package cache.
const (
	BackendNone   = cache.BackendNone
	BackendMemory = cache.BackendMemory
	BackendRedis  = cache.BackendRedis
	BackendTiered = cache.BackendTiered
)

// Config configures New. DefaultConfig fills all that has a default.
type Config struct {
	ListenAddr string // host:port; port 0: a free one

	DatabaseURL            string        // required unless Store is set
	DatabaseTimeout        time.Duration // of an operation: waiting for a connection and the query
	DatabaseConnectTimeout time.Duration
	DatabasePoolSize       int

	Backend     string // none, memory, redis or tiered
	RedisURL    string // required by redis and tiered; see cache.Settings
	Redis       cache.Security
	CacheTTL    time.Duration
	MemoryLimit int      // bytes that the backends memory and tiered hold in this process at most
	Warm        []string // environments that are read into the cache at the start
	Profile     Profile

	AdminToken string // what writes have to bring; "": they come from this machine

	OFREPEnvironment string // what evaluations mean that name no environment

	FlagLimit     int           // flags of an environment at most; one more for each write at the same moment
	HeaderTimeout time.Duration // for a client to send the head of a request
	BodyTimeout   time.Duration // for a client to send the body
	WriteTimeout  time.Duration // for a client to take the answer, counted from its beginning
	IdleTimeout   time.Duration // between two requests on a connection

	LogLevel        slog.Level    // for who makes Log; debug: a line for each request
	ShutdownTimeout time.Duration // for requests in flight when the server is told to stop

	Log   *slog.Logger  // default: discard
	Store feature.Store // in place of PostgreSQL
	Cache feature.Cache // in place of Backend; closed when the server ends

	Around Around // the parts of the server; default: nothing
}

// DefaultConfig is what holds when nothing is set, in the given profile.
func DefaultConfig(p Profile) Config {
	return Config{
		ListenAddr:             "127.0.0.1:8080",
		DatabaseTimeout:        time.Second,
		DatabaseConnectTimeout: time.Second,
		DatabasePoolSize:       10,
		Backend:                BackendMemory,
		CacheTTL:               300 * time.Second,
		MemoryLimit:            64 << 20,
		Profile:                p,
		OFREPEnvironment:       "production",
		FlagLimit:              100_000,
		HeaderTimeout:          5 * time.Second,
		BodyTimeout:            10 * time.Second,
		WriteTimeout:           30 * time.Second,
		IdleTimeout:            2 * time.Minute,
		ShutdownTimeout:        10 * time.Second,
	}
}

// check looks at settings that do not fit together.
func (c Config) check() error {
	p := c.Profile
	endless := p.Budget < 0 || !p.Client.ObeyContext && p.Client.ReadTimeout < 0
	if p.RetryInvalidation && endless {
		return errors.New("CACHE_RETRY_INVALIDATION is true and nothing ends a retry, want a CACHE_BUDGET, and CACHE_OBEY_CONTEXT or a CACHE_READ_TIMEOUT")
	}
	return nil
}

// store returns the store and, if it has one, its life.
func (c Config) store() (feature.Store, *pgstore.Store, error) {
	if c.Store != nil {
		return c.Store, nil, nil
	}
	if c.DatabaseURL == "" {
		return nil, nil, errors.New("DATABASE_URL is not set, want postgres://user:password@host:port/database")
	}
	s, err := pgstore.New(pgstore.Config{
		URL: c.DatabaseURL, Timeout: c.DatabaseTimeout, ConnectTimeout: c.DatabaseConnectTimeout,
		PoolSize: c.DatabasePoolSize, FlagLimit: c.FlagLimit, Log: c.Log,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return s, s, nil
}

// cache makes the cache. It connects to nothing.
func (c Config) cache() (feature.Cache, error) {
	if c.Cache != nil {
		return c.Cache, nil
	}
	overRedis := c.Backend == BackendRedis || c.Backend == BackendTiered
	if overRedis && c.RedisURL == "" {
		return nil, fmt.Errorf("the cache is %s and REDIS_URL is not set, want redis://host:port/0", c.Backend)
	}
	made, err := cache.Open(c.Backend, c.CacheSettings())
	if err != nil && overRedis {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	return made, err
}

// CacheSettings is what a backend is made with.
func (c Config) CacheSettings() cache.Settings {
	p := c.Profile
	return cache.Settings{
		TTL: c.CacheTTL, Jitter: p.TTLJitter, MemoryLimit: uint64(c.MemoryLimit),
		RedisURL: c.RedisURL, Security: c.Redis, Client: p.Client,
		Staleness: p.Staleness, WatchEmpty: p.WarmAfterLoss, Log: c.Log,
	}
}
