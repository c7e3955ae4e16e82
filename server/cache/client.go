package cache

import (
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// forever is longer than any process lives. go-redis has no word for "wait as
// long as it takes" where a pool is concerned.
const forever = 10 * 365 * 24 * time.Hour

// Client is how the Redis client behaves. A negative duration means no limit.
//
// The second part are measures that go-redis 9.23.0 does not have. Each is one
// setting, and off when it is zero.
type Client struct {
	DialTimeout  time.Duration
	ReadTimeout  time.Duration // per attempt
	WriteTimeout time.Duration // per attempt
	PoolTimeout  time.Duration // wait for a connection
	PoolSize     int           // connections kept, to each node; also the failed dials after which go-redis stops dialling for up to a second. 0: 10 per CPU
	MaxConns     int           // connections at all, to each node. 0: no limit
	MaxDials     int           // dials at the same time. 0: PoolSize
	Retries      int           // further attempts of a command
	Redirects    int           // attempts of a command on other nodes of a cluster
	DialAttempts int           // per attempt of a command, 1 or more
	MinBackoff   time.Duration // before the first retry; it doubles
	MaxBackoff   time.Duration // before any retry
	// ConnLifetime is how long a connection is used at most, less up to a tenth at
	// random. Nothing else makes a client that only reads leave a server that a moved
	// endpoint does not name any more. It costs one dial a lifetime and connection.
	// 0: for ever.
	ConnLifetime time.Duration
	// ObeyContext ends a command when its context ends. Without it go-redis looks at
	// the context only between attempts.
	ObeyContext bool
	// ShortHandshake leaves out of a new connection what needs further round trips
	// (CLIENT SETINFO, CLIENT MAINT_NOTIFICATIONS).
	ShortHandshake bool

	// ConnectAtStart makes Run open a connection, and try until there is one. It costs
	// the connection, also when nobody asks for anything.
	ConnectAtStart bool
	// ReloadEvery is how often at most the nodes of a cluster are asked who serves
	// what, because a command failed. go-redis does so after MOVED, ASK and READONLY
	// only, so that a client goes on dialling a dead primary until its own interval of
	// 60 s is over. It costs one CLUSTER SLOTS in that time while commands fail.
	ReloadEvery time.Duration
	// CheckConns looks at an idle connection before it is used, also under TLS, where
	// go-redis does not: there every idle connection that the server has closed fails
	// one command. It costs one recvfrom(2) for each command under TLS; without TLS
	// go-redis makes that call anyway.
	CheckConns bool
	// RenewConns gives up all connections when Redis answers READONLY, also in the form
	// ERR READONLY, which go-redis does not know, and when the breaker opens: the
	// others lead to the same server, and go-redis would find out one failed command at
	// a time. At most once a second. It costs as many dials as are needed then. It needs
	// CheckConns.
	RenewConns bool
	// BreakAfter is how many commands in a row must go without an answer for the
	// breaker to open. While it is open no command is sent, and no caller waits: Run
	// asks Redis in the background, for the entry that was asked about last, and closes
	// the breaker with the first answer. It costs the entries of that time, and probes.
	BreakAfter int
	// ProbeMin and ProbeMax bound the waits between probes: each is drawn at random
	// from nothing to ProbeMin, doubling to ProbeMax (full jitter, so that instances do
	// not come back together). A Redis that is back is found after half of ProbeMax on
	// average. They cost 2/ProbeMax dials a second and instance.
	ProbeMin, ProbeMax time.Duration
}

func (c Client) apply(o *redis.UniversalOptions) {
	o.DialTimeout = c.DialTimeout
	o.ReadTimeout, o.WriteTimeout = orNone(c.ReadTimeout), orNone(c.WriteTimeout)
	o.PoolTimeout = c.PoolTimeout
	if c.PoolTimeout < 0 {
		o.PoolTimeout = forever
	}
	o.PoolSize, o.MaxActiveConns, o.MaxConcurrentDials = c.PoolSize, c.MaxConns, c.MaxDials
	o.ConnMaxLifetime, o.ConnMaxLifetimeJitter = c.ConnLifetime-c.ConnLifetime/20, c.ConnLifetime/20
	o.MaxRetries, o.MaxRedirects = orOff(c.Retries), orOff(c.Redirects)
	o.MinRetryBackoff, o.MaxRetryBackoff = c.MinBackoff, c.MaxBackoff
	o.DialerRetries = c.DialAttempts
	o.ContextTimeoutEnabled = c.ObeyContext
	// Pipelines share the connections of commands: there is one at a time.
	o.PipelinePoolSize = -1
	if c.ShortHandshake {
		o.DisableIdentity = true
		o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	}
}

// orNone turns any negative duration into go-redis' -1: no limit. (-2 means
// something else there.)
func orNone(d time.Duration) time.Duration { return max(d, -1) }

// orOff is a number of attempts as go-redis takes it: 0 would mean 3 there.
func orOff(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

// dialBackoff doubles from MinBackoff to MaxBackoff. attempt counts from 0.
func (c Client) dialBackoff(attempt int) time.Duration {
	d := c.MinBackoff
	for range attempt {
		if d *= 2; d >= c.MaxBackoff {
			return c.MaxBackoff
		}
	}
	return d
}
