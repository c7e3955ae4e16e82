package cache

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"brownout/server/feature"
)

// The backends.
const (
	BackendNone   = "none"
	BackendMemory = "memory"
	BackendRedis  = "redis"
	BackendTiered = "tiered"
)

// A backend is how a cache is opened.
type backend struct {
	name string
	open func(Settings) (feature.Cache, error)
}

// table is all backends.
func table() []backend {
	return []backend{
		{BackendNone, func(Settings) (feature.Cache, error) { return None{}, nil }},
		{BackendMemory, opened(NewMemory)},
		{BackendRedis, opened(NewRedis)},
		{BackendTiered, opened(NewTiered)},
	}
}

// opened keeps a nil pointer from becoming a cache.
func opened[C feature.Cache](open func(Settings) (C, error)) func(Settings) (feature.Cache, error) {
	return func(s Settings) (feature.Cache, error) {
		c, err := open(s)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// Backends lists the names of the backends.
func Backends() []string {
	var names []string
	for _, b := range table() {
		names = append(names, b.name)
	}
	return names
}

// Open makes the backend of that name. It starts nothing and connects to nothing.
func Open(name string, s Settings) (feature.Cache, error) {
	all := table()
	i := slices.IndexFunc(all, func(b backend) bool { return b.name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no cache %q, want %s", name, strings.Join(Backends(), ", "))
	}
	return all[i].open(s)
}

// Settings say how a backend is to be. Each backend reads what concerns it.
type Settings struct {
	TTL         time.Duration // how long an entry lives: whole seconds, required
	Jitter      int           // percent of TTL, 0 to 90, by which an entry may die earlier, at random
	MemoryLimit uint64        // bytes that are kept in this process at most; required by memory and tiered

	// RedisURL is required by redis and tiered. The scheme says what stands there:
	//
	//	redis://[user:password@]host:port/0                                  one server, or an endpoint that moves
	//	redis+sentinel://[user:password@]host:port/0?master_name=mymaster    Sentinels; user and password are theirs,
	//	                                                                     &username=…&password=… those of Redis
	//	redis+cluster://[user:password@]host:port                            a cluster
	//
	// rediss, rediss+sentinel and rediss+cluster are the same with TLS. &addr=host:port,
	// as often as needed, names further Sentinels or nodes.
	RedisURL string
	Security Security
	Client   Client

	// Staleness is how long another instance's invalidation may stay unseen by the
	// copies that tiered keeps, whatever happens to the connection; required by tiered.
	Staleness time.Duration
	// WatchEmpty looks once a second whether Redis has lost all entries. It costs one
	// command a second and the key feature_flags:!marker.
	WatchEmpty bool

	Log *slog.Logger // default: discard
}

// log is never nil.
func (s Settings) log() *slog.Logger {
	if s.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Log
}
