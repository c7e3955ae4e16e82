package server_test

import (
	"testing"
	"time"

	"brownout/chaos/stack"
	"brownout/server"
	"brownout/server/servertest"
)

// Redis is killed and comes back with nothing. Whatever is read meanwhile is the flag as
// it was written, enabled: what a cache has lost is not a flag that does not exist.
func TestARedisThatComesBackEmptyHidesNoFlag(t *testing.T) {
	for _, profile := range profiles {
		for _, backend := range []string{server.BackendRedis, server.BackendTiered} {
			t.Run(profile+" "+backend, func(t *testing.T) {
				t.Parallel()
				servers := servertest.Caches(t, stack.Config{Cache: stack.Redis})
				s := servertest.Start(t, profile, func(c *server.Config) {
					c.Backend, c.RedisURL = backend, servers.Cache.URL
					c.Profile.Client.Retries = min(c.Profile.Client.Retries, 1) // seed waits half a minute otherwise
				})
				put(t, s, 7)
				look := func(when string) string {
					t.Helper()
					a := request(t, "GET", flagURL(s), "")
					if f := a.flag(t); a.code != 200 || !f.Enabled || string(f.Value) != "7" {
						t.Errorf("%s: GET = %d %s, want the flag, enabled, with 7", when, a.code, a.body)
					}
					return a.source()
				}
				again := func(when string) {
					t.Helper()
					eventually(t, "Redis is used "+when, func() bool { return look(when) == backend+";hit" })
				}
				again("at first")
				if err := servers.Cache.Kill(t.Context()); err != nil {
					t.Fatal(err)
				}
				for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); {
					look("while Redis is away")
				}
				if err := servers.Cache.Restart(t.Context(), true); err != nil {
					t.Fatal(err)
				}
				again("when it is back")
			})
		}
	}
}
