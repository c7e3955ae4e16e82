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
			name: "CACHE", doc: "cache backend: none, memory, redis or tiered (redis when REDIS_URL is set)",
			read: readBackend, show: func(c Config) string { return c.Backend },
		},
		secret("REDIS_URL", "Redis, as redis://user:password@host:port/0, redis+sentinel://host:port/0?master_name=mymaster&addr=host2:port2 or redis+cluster://host:port; rediss… for TLS", func(c *Config) *string { return &c.RedisURL }),
		text("REDIS_USER", "ACL user, in place of the URL's", func(c *Config) *string { return &c.Redis.User }),
		text("REDIS_PASSWORD_FILE", "file with the password, in place of the URL's; read for each new connection", func(c *Config) *string { return &c.Redis.PasswordFile }),
		text("REDIS_CA_FILE", "certificates that may sign Redis' (PEM); none: those of the system", func(c *Config) *string { return &c.Redis.CAFile }),
		text("REDIS_SERVER_NAME", "name in Redis' certificate; none: the host of the URL", func(c *Config) *string { return &c.Redis.ServerName }),
		{
			name: "CACHE_TTL", doc: "how long a cached environment lives, in whole seconds",
			read: readTTL, show: func(c Config) string { return seconds(c.CacheTTL) },
		},
		percent(90, "CACHE_TTL_JITTER", "percent of CACHE_TTL by which an entry may die earlier, at random; costs that share of hits", func(c *Config) *int { return &c.Profile.TTLJitter }),
		atLeast(1, "CACHE_MEMORY_LIMIT", "bytes that the backends memory and tiered hold in this process at most", func(c *Config) *int { return &c.MemoryLimit }),
		within("CACHE_STALENESS", "longest time for which the backend tiered uses what another instance has invalidated; costs 4 messages in that time", func(c *Config) *time.Duration { return &c.Profile.Staleness }),
		{
			name: "CACHE_WARM", doc: "environments that are read into the cache at the start, joined by commas; costs a query each",
			read: readWarm, show: func(c Config) string { return strings.Join(c.Warm, ",") },
		},
		yesNo("CACHE_WARM_AFTER_LOSS", "whether the environments in use are read into a Redis that has lost its entries; costs a query each, and a command a second", func(c *Config) *bool { return &c.Profile.WarmAfterLoss }),
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
		atLeast(0, "CACHE_REDIRECTS", "attempts of a command on other nodes of a cluster", func(c *Config) *int { return &c.Profile.Client.Redirects }),
		zeroOr("CACHE_CONNECTION_LIFETIME", "longest time that a connection is used, so that a moved endpoint is followed; costs a dial each time; 0s: for ever", func(c *Config) *time.Duration { return &c.Profile.Client.ConnLifetime }),
		yesNo("CACHE_CONNECT_AT_START", "whether Redis is connected to before the first request; costs a connection that may not be needed", func(c *Config) *bool { return &c.Profile.Client.ConnectAtStart }),
		zeroOr("CACHE_RELOAD_EVERY", "how often at most a failed command makes the client ask the cluster who serves what; costs one CLUSTER SLOTS each; 0s: never", func(c *Config) *time.Duration { return &c.Profile.Client.ReloadEvery }),
		yesNo("CACHE_CHECK_CONNECTIONS", "whether idle connections are looked at before use under TLS, too; costs a system call for each command", func(c *Config) *bool { return &c.Profile.Client.CheckConns }),
		yesNo("CACHE_RENEW_CONNECTIONS", "whether READONLY and an open breaker give up all connections (found by CACHE_CHECK_CONNECTIONS); costs as many dials, at most once a second", func(c *Config) *bool { return &c.Profile.Client.RenewConns }),
		atLeast(0, "CACHE_BREAK_AFTER", "commands in a row without an answer after which Redis is only probed in the background; costs the entries until a probe succeeds; 0: never", func(c *Config) *int { return &c.Profile.Client.BreakAfter }),
		within("CACHE_PROBE_MIN", "bound of the random wait before the first probe; it doubles", func(c *Config) *time.Duration { return &c.Profile.Client.ProbeMin }),
		within("CACHE_PROBE_MAX", "largest bound of that wait; half of it passes on average before a Redis that is back is found; costs 2 dials in that time", func(c *Config) *time.Duration { return &c.Profile.Client.ProbeMax }),
		yesNo("CACHE_COALESCE", "whether reads that miss together share one query", func(c *Config) *bool { return &c.Profile.Coalesce }),
		yesNo("CACHE_CHECK_REVISION", "whether entries older than what this server has seen in the database are refused", func(c *Config) *bool { return &c.Profile.CheckRevision }),
		zeroOr("CACHE_RECHECK", "how often the revisions of the environments in use are read from the database, for CACHE_CHECK_REVISION: so long may an instance believe an entry that another one could not delete, or that a failover brought back; costs one query for 1,000 of them each; 0s: never", func(c *Config) *time.Duration { return &c.Profile.Recheck }),
		yesNo("CACHE_RETRY_INVALIDATION", "whether a failed invalidation is kept and tried again", func(c *Config) *bool { return &c.Profile.RetryInvalidation }),
		zeroOr("STALE_IF_ERROR", "how old the last good snapshot may be that answers when the database fails (Cache-Status says so); costs answers of that age; 0s: none", func(c *Config) *time.Duration { return &c.Profile.StaleIfError }),
		atLeast(0, "SNAPSHOT_LIMIT", "bytes of decoded snapshots that are kept, about; without them a hit is decoded each time and nothing is left in an outage; 0: none", func(c *Config) *int { return &c.Profile.KeepLimit }),
		zeroOr("NEGATIVE_TTL", "how long an environment that nobody wrote is not asked for again; costs that time until one that another instance makes is seen; 0s: never", func(c *Config) *time.Duration { return &c.Profile.NegativeTTL }),
		atLeast(0, "DATABASE_QUEUE", "operations that may wait for a connection of DATABASE_POOL_SIZE; more are answered 503 at once; 0: no limit", func(c *Config) *int { return &c.Profile.DatabaseQueue }),
		secret("ADMIN_TOKEN", "bearer token that writes need; none: writes are taken from the server's own machine only", func(c *Config) *string { return &c.AdminToken }),
		{
			name: "OFREP_ENVIRONMENT", doc: "environment of evaluations (OFREP) that name none in the field " + environmentField,
			read: readOFREPEnvironment, show: func(c Config) string { return c.OFREPEnvironment },
		},
		atLeast(1, "FLAG_LIMIT", "flags of an environment at most; writes at the same moment may add one each", func(c *Config) *int { return &c.FlagLimit }),
		within("HEADER_TIMEOUT", "longest time for a client to send the head of a request", func(c *Config) *time.Duration { return &c.HeaderTimeout }),
		within("BODY_TIMEOUT", "longest time for a client to send the body of a request", func(c *Config) *time.Duration { return &c.BodyTimeout }),
		within("WRITE_TIMEOUT", "longest time for a client to take an answer, counted from its beginning", func(c *Config) *time.Duration { return &c.WriteTimeout }),
		within("IDLE_TIMEOUT", "longest time between two requests on a connection", func(c *Config) *time.Duration { return &c.IdleTimeout }),
		{
			name: "LOG_LEVEL", doc: "least level of lines in the log: debug (a line for each request), info, warn or error",
			read: readLogLevel, show: func(c Config) string { return strings.ToLower(c.LogLevel.String()) },
		},
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
