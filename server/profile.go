package server

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"brownout/server/cache"
)

// none is a duration without a limit.
const none time.Duration = -1

// A Profile is a named set of settings of the cache: of its client, and of what
// the service does about a cache that is slow, gone or old.
type Profile struct {
	Name   string
	Client cache.Client // used by the backend redis
	// Budget bounds a lookup as a whole, whatever the client does inside it, and so
	// also a fill and an invalidation. Negative: no bound.
	Budget time.Duration
	// Coalesce lets reads that miss at the same time share one database query.
	Coalesce bool
	// CheckRevision refuses cached snapshots that are older than what this instance
	// has written or read in the database: what a late fill, a lost invalidation or a
	// write that was done late left behind.
	CheckRevision bool
	// RetryInvalidation keeps invalidations that failed and tries them until they
	// succeed. The environment's cache entry is not used until then.
	RetryInvalidation bool
}

// Profiles are the named sets, the default first. Where seed's values come from
// stands in PROFILES.md.
func Profiles() []Profile {
	return []Profile{
		{
			Name: "resilient",
			Client: cache.Client{
				DialTimeout:  100 * time.Millisecond,
				ReadTimeout:  50 * time.Millisecond,
				WriteTimeout: 50 * time.Millisecond,
				PoolTimeout:  50 * time.Millisecond,
				// go-redis stops dialling after PoolSize failed dials and then tries once a
				// second only. Out of reach, so that a Redis that is back is found at once;
				// MaxConns is the true limit.
				PoolSize:       5000,
				MaxConns:       64,
				MaxDials:       8,
				DialAttempts:   1,
				MinBackoff:     10 * time.Millisecond, // not used without retries
				MaxBackoff:     10 * time.Millisecond,
				ObeyContext:    true,
				ShortHandshake: true, // one round trip: a slow Redis must not use up the budget before the first command
			},
			Budget:   50 * time.Millisecond,
			Coalesce: true, CheckRevision: true, RetryInvalidation: true,
		},
		{
			Name: "seed",
			Client: cache.Client{
				DialTimeout:  2 * time.Second,
				ReadTimeout:  none,
				WriteTimeout: none,
				PoolTimeout:  none,
				Retries:      20,
				DialAttempts: 1,
				MinBackoff:   100 * time.Millisecond,
				MaxBackoff:   2 * time.Second,
			},
			Budget: none,
		},
	}
}

// FindProfile finds a profile by its name.
func FindProfile(name string) (Profile, error) {
	all := Profiles()
	i := slices.IndexFunc(all, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, fmt.Errorf("there is no profile %q, want %s", name, strings.Join(profileNames(), " or "))
	}
	return all[i], nil
}

func profileNames() []string {
	var names []string
	for _, p := range Profiles() {
		names = append(names, p.Name)
	}
	return names
}
