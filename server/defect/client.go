package defect

import (
	"time"

	"brownout/server"
)

// unbounded is a duration without a limit, and longest one that nothing outlives.
const (
	unbounded time.Duration = -1
	longest                 = 100 * 365 * 24 * time.Hour
)

// clients are defects of how dependencies are asked.
func clients() []Defect {
	return []Defect{
		{"no-timeout", "A lookup waits for Redis as long as it takes.", noTimeout},
		{"timeout-ten-times", "Every timeout of the cache is ten times as long as it should be.", tenTimes},
		{"retries-unbounded", "A failed command is tried again until it succeeds.", retryForEver},
		{"no-backoff", "A Redis that is away is tried again every millisecond.", func(c *server.Config) {
			c.Profile.Client.ProbeMin, c.Profile.Client.ProbeMax = time.Millisecond, time.Millisecond
		}},
		{"no-jitter", "A Redis that is away is tried again at a fixed interval, by all instances in step.", together(
			func(c *server.Config) {
				c.Profile.Client.BreakAfter = 0
				c.Profile.WarmAfterLoss = false // it would ask in between
			}, aroundCache(newMetronome),
		)},
		{"ping-is-enough", "A Redis that answers a PING counts as back, whatever it failed to do.", together(
			func(c *server.Config) { c.Profile.Client.BreakAfter = 0 }, aroundCache(newMetronome),
		)},
		{"cache-pool-of-one", "There is one connection to Redis.", func(c *server.Config) {
			c.Profile.Client.PoolSize, c.Profile.Client.MaxConns, c.Profile.Client.MaxDials = 1, 1, 1
		}},
		{"password-kept", "The password that Redis had at the start is used for ever.", func(c *server.Config) {
			c.Redis.PasswordFile = "" // the URL has that of the start
		}},
		{"database-timeout-long", "A query may take 4 s.", func(c *server.Config) {
			c.DatabaseTimeout = 4 * time.Second
		}},
		{"database-pool-of-one", "There is one connection to the database.", func(c *server.Config) {
			c.DatabasePoolSize = 1
		}},
	}
}

func noTimeout(c *server.Config) {
	p := &c.Profile
	p.Budget, p.Client.ReadTimeout, p.Client.WriteTimeout, p.Client.PoolTimeout = unbounded, unbounded, unbounded, unbounded
	p.Client.ObeyContext, p.Client.BreakAfter = false, 0
	p.RetryInvalidation = false // nothing would end a retry
}

func tenTimes(c *server.Config) {
	client := &c.Profile.Client
	for _, d := range []*time.Duration{
		&c.Profile.Budget, &client.DialTimeout, &client.ReadTimeout, &client.WriteTimeout, &client.PoolTimeout,
	} {
		*d *= 10
	}
}

func retryForEver(c *server.Config) {
	p := &c.Profile
	p.Budget, p.RetryInvalidation = unbounded, false // a budget ends the retries
	p.Client.Retries, p.Client.BreakAfter = 1<<20, 0
	p.Client.MinBackoff, p.Client.MaxBackoff = 10*time.Millisecond, 100*time.Millisecond
}
