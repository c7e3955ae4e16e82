package server

import (
	"log/slog"
	"sync"
	"time"

	"brownout/server/feature"
)

// quiet is the shortest time between two lines about the same dependency.
const quiet = time.Second

// A condition logs that a dependency fails or works again: one line when that
// changes, at most one a second, never one for each request.
type condition struct {
	what string
	log  *slog.Logger

	mu       sync.Mutex
	failing  bool      // as was logged last
	logged   time.Time // when that was
	failures int       // since then
}

// observe takes the outcome of one use of the dependency.
func (c *condition) observe(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failures++
	}
	if (err != nil) == c.failing || time.Since(c.logged) < quiet {
		return
	}
	if err != nil {
		c.log.Warn(c.what+" fails", "class", feature.Class(err), "error", err)
	} else {
		c.log.Info(c.what+" works again", "failures", c.failures)
	}
	c.failing, c.logged, c.failures = err != nil, time.Now(), 0
}
