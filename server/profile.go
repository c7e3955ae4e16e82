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
	// Recheck is how often the revisions of the environments in use are read from the
	// database, for CheckRevision: so long at most is an entry believed that should have
	// gone, on whatever instance and for whatever reason. It costs one small query for each
	// 1,000 of them; 0: never. If these take more than half of that time they come less often.
	Recheck time.Duration
	// RetryInvalidation keeps invalidations that failed and tries them until they
	// succeed. The environment's cache entry is not used until then.
	RetryInvalidation bool
	// TTLJitter is the share of the time to live, in percent, by which an entry may die
	// earlier, at random: entries that were made together do not all miss together. It
	// costs that share of hits.
	TTLJitter int
	// Staleness bounds how long the backend tiered may use a copy that another instance
	// has invalidated, whatever happens to Redis. A connection and four heartbeats in
	// that time are its cost.
	Staleness time.Duration
	// WarmAfterLoss fills the cache again when it has lost its entries, one environment
	// after the other. It costs a command a second, and as many database queries as
	// there are environments in use.
	WarmAfterLoss bool
	// StaleIfError is how old a kept snapshot may be that answers when the database
	// fails; 0: none does. Its age counts from when it was last an answer of the cache
	// or the database. It is never below what this instance has answered before.
	StaleIfError time.Duration
	// KeepLimit bounds the decoded snapshots that are kept, in bytes; 0: none are.
	KeepLimit int
	// NegativeTTL is how long an environment that the database does not have counts as
	// absent; 0: each read asks. So long may what another instance makes be unseen.
	NegativeTTL time.Duration
	// DatabaseQueue is how many operations may wait for a connection to the database;
	// those beyond are refused at once. 0: no bound.
	DatabaseQueue int
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
				MinBackoff:     time.Millisecond, // without retries only between the redirects of a cluster
				MaxBackoff:     time.Millisecond,
				ObeyContext:    true,
				ShortHandshake: true, // one round trip: a slow Redis must not use up the budget before the first command
				Redirects:      2,    // MOVED, and once more
				ConnLifetime:   time.Minute,
				ConnectAtStart: true,
				ReloadEvery:    250 * time.Millisecond, // go-redis itself waits 200ms between two
				CheckConns:     true,
				RenewConns:     true,
				BreakAfter:     5,
				ProbeMin:       10 * time.Millisecond,
				ProbeMax:       100 * time.Millisecond,
			},
			Budget:   50 * time.Millisecond,
			Coalesce: true, CheckRevision: true, RetryInvalidation: true,
			Recheck:   time.Second, // with a query and a read after it, well below 2 s
			TTLJitter: 10, Staleness: 2 * time.Second, WarmAfterLoss: true,
			StaleIfError: time.Hour, KeepLimit: 64 << 20, NegativeTTL: time.Second, DatabaseQueue: 100,
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
				Redirects:    16,
				// ioredis connects when it is made, and dials again after the same waits.
				ConnectAtStart: true,
				ProbeMin:       100 * time.Millisecond,
				ProbeMax:       2 * time.Second,
			},
			Budget:    none,
			Staleness: 2 * time.Second, // the original had no such cache
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
