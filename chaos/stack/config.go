package stack

import (
	"fmt"
	"time"

	"brownout/results"
)

// Config says what Start is to start.
type Config struct {
	Cache       string // Redis, Valkey or None; default None
	Database    string // Postgres or None; default None
	CacheURL    string // redis:// or rediss://: use this server instead of starting one
	DatabaseURL string // postgres://: use this server instead of starting one

	// Dir is the folder in which the run folder is made. As root it must be one that
	// everybody may enter, because PostgreSQL refuses to run as root. Default:
	// $TMPDIR, or /tmp or /var/tmp if that cannot be entered. Sweep looks at the
	// default places only, unless it is told of this one.
	Dir string
	// Logs is the folder that keeps the servers' logs. Default: the run folder, so
	// they go with it.
	Logs string

	Spawner *Spawner            // default: one of the stack's own
	Base    time.Time           // start of the run's clock; default: now
	Record  func(results.Event) // called concurrently; default: drop
}

// complete checks c and fills in the defaults.
func (c *Config) complete() error {
	switch c.Cache {
	case Redis, Valkey, None:
	case "":
		c.Cache = None
	default:
		return fmt.Errorf("cache: unknown %q; there are redis, valkey, none", c.Cache)
	}
	switch c.Database {
	case Postgres, None:
	case "":
		c.Database = None
	default:
		return fmt.Errorf("database: unknown %q; there are postgres, none", c.Database)
	}
	if c.Base.IsZero() {
		c.Base = time.Now()
	}
	if c.Record == nil {
		c.Record = func(results.Event) {}
	}
	return nil
}
