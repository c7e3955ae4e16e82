package server

import (
	"fmt"
	"strings"
	"time"
)

// A Setting is a variable of the environment that the server reads.
type Setting struct {
	Name    string
	Default string // "" : there is none. Where the profiles differ it names them
	Doc     string
}

// A variable is a setting with the place in Config where it goes.
type variable struct {
	name, doc string
	secret    bool // its value is never printed
	read      func(*Config, string) error
	show      func(Config) string
}

// variables are the settings in the order of the documentation. PROFILE is not
// among them: it says what the others start from.
func variables() []variable {
	return []variable{
		text("LISTEN_ADDR", "host:port to listen on; port 0 takes a free one", func(c *Config) *string { return &c.ListenAddr }),
		secret("DATABASE_URL", "PostgreSQL, as postgres://user:password@host:port/database (required)", func(c *Config) *string { return &c.DatabaseURL }),
		within("DATABASE_TIMEOUT", "longest wait for a connection and a query together", func(c *Config) *time.Duration { return &c.DatabaseTimeout }),
		within("DATABASE_CONNECT_TIMEOUT", "longest time to open a connection", func(c *Config) *time.Duration { return &c.DatabaseConnectTimeout }),
		atLeast(1, "DATABASE_POOL_SIZE", "connections at most", func(c *Config) *int { return &c.DatabasePoolSize }),
		{
			name: "CACHE", doc: "cache backend: none, memory or redis (redis when REDIS_URL is set)",
			read: readBackend, show: func(c Config) string { return c.Backend },
		},
		secret("REDIS_URL", "Redis, as redis://user:password@host:port/0 or rediss://…", func(c *Config) *string { return &c.RedisURL }),
		{
			name: "CACHE_TTL", doc: "how long a cached environment lives, in whole seconds",
			read: readTTL, show: func(c Config) string { return seconds(c.CacheTTL) },
		},
		atLeast(1, "CACHE_MEMORY_LIMIT", "bytes that the backend memory holds at most", func(c *Config) *int { return &c.MemoryLimit }),
		orNone("CACHE_BUDGET", "longest time for a cache lookup, a fill or an invalidation as a whole", func(c *Config) *time.Duration { return &c.Profile.Budget }),
		within("CACHE_DIAL_TIMEOUT", "longest time to connect to Redis", func(c *Config) *time.Duration { return &c.Profile.Client.DialTimeout }),
		orNone("CACHE_READ_TIMEOUT", "longest wait for Redis to answer", func(c *Config) *time.Duration { return &c.Profile.Client.ReadTimeout }),
		orNone("CACHE_WRITE_TIMEOUT", "longest time to send to Redis", func(c *Config) *time.Duration { return &c.Profile.Client.WriteTimeout }),
		orNone("CACHE_POOL_TIMEOUT", "longest wait for a connection of the pool", func(c *Config) *time.Duration { return &c.Profile.Client.PoolTimeout }),
		atLeast(0, "CACHE_POOL_SIZE", "connections that the pool keeps; 0: 10 for each CPU", func(c *Config) *int { return &c.Profile.Client.PoolSize }),
		atLeast(0, "CACHE_MAX_CONNECTIONS", "connections to Redis at most; 0: no limit", func(c *Config) *int { return &c.Profile.Client.MaxConns }),
		atLeast(0, "CACHE_MAX_DIALS", "connections opened at the same time; 0: as many as the pool keeps", func(c *Config) *int { return &c.Profile.Client.MaxDials }),
		atLeast(0, "CACHE_RETRIES", "further attempts of a failed command", func(c *Config) *int { return &c.Profile.Client.Retries }),
		atLeast(1, "CACHE_DIAL_ATTEMPTS", "dials in one attempt of a command", func(c *Config) *int { return &c.Profile.Client.DialAttempts }),
		within("CACHE_MIN_BACKOFF", "wait before the first retry; it doubles", func(c *Config) *time.Duration { return &c.Profile.Client.MinBackoff }),
		within("CACHE_MAX_BACKOFF", "longest wait before a retry", func(c *Config) *time.Duration { return &c.Profile.Client.MaxBackoff }),
		yesNo("CACHE_OBEY_CONTEXT", "whether the Redis client stops when a budget is used up", func(c *Config) *bool { return &c.Profile.Client.ObeyContext }),
		yesNo("CACHE_SHORT_HANDSHAKE", "whether a new connection takes one round trip only", func(c *Config) *bool { return &c.Profile.Client.ShortHandshake }),
		yesNo("CACHE_COALESCE", "whether reads that miss together share one query", func(c *Config) *bool { return &c.Profile.Coalesce }),
		yesNo("CACHE_CHECK_REVISION", "whether entries older than what this server has seen in the database are refused", func(c *Config) *bool { return &c.Profile.CheckRevision }),
		yesNo("CACHE_RETRY_INVALIDATION", "whether a failed invalidation is kept and tried again", func(c *Config) *bool { return &c.Profile.RetryInvalidation }),
		within("SHUTDOWN_TIMEOUT", "time for requests in flight when the server is told to stop", func(c *Config) *time.Duration { return &c.ShutdownTimeout }),
	}
}

// Settings lists the variables that FromEnviron reads, for people.
func Settings() []Setting {
	list := []Setting{{
		Name: "PROFILE", Default: Profiles()[0].Name,
		Doc: "named set of defaults for the cache: " + strings.Join(profileNames(), " or "),
	}}
	for _, v := range variables() {
		list = append(list, Setting{Name: v.name, Default: v.defaults(), Doc: v.doc})
	}
	return list
}

// defaults names the profiles where they differ.
func (v variable) defaults() string {
	var values []string
	same := true
	for _, p := range Profiles() {
		values = append(values, v.show(DefaultConfig(p)))
		same = same && values[0] == values[len(values)-1]
	}
	if same {
		return values[0]
	}
	for i, name := range profileNames() {
		values[i] = fmt.Sprintf("%s in %s", values[i], name)
	}
	return strings.Join(values, ", ")
}
