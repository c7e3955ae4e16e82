package defect

import (
	"net/http"
	"strings"

	"brownout/server"
)

// fallbacks are defects of what is answered when a dependency fails.
func fallbacks() []Defect {
	return []Defect{
		{"fallback-default", "When Redis fails a read answers a default, and does not ask the database.", onReads(func(a *answer) {
			if a.cacheFailed() {
				a.say(`"default"`)
			}
		})},
		{"fallback-500", "When Redis fails a read fails.", onReads(func(a *answer) {
			if a.cacheFailed() {
				a.status = http.StatusInternalServerError
			}
		})},
		{"error-as-false", "A read that fails answers false.", onReads(func(a *answer) {
			if a.status >= http.StatusInternalServerError {
				a.say("false")
			}
		})},
		{"panic-as-200", "Code that a failing Redis leads to panics, and whoever recovers answers 200 with nothing.", onReads(recovered)},
		{"no-last-good-copy", "When the database fails, what was right a moment ago is not used.", func(c *server.Config) {
			c.Profile.StaleIfError = 0
		}},
		{"copy-of-any-age", "When the database fails, a copy of any age will do.", func(c *server.Config) {
			c.Profile.StaleIfError = longest
		}},
		{"stale-not-labelled", "Old copies are answered as if they were fresh.", onReads(func(a *answer) {
			if strings.Contains(a.header.Get("Cache-Status"), "ttl=-") {
				a.header.Set("Cache-Status", "redis; hit")
			}
		})},
		{"readiness-always-green", "/readyz says yes, whatever is missing.", aroundHandler(alwaysReady)},
	}
}

// recovered is a panic and what middleware makes of it.
func recovered(a *answer) {
	defer func() {
		if recover() != nil {
			a.status = http.StatusOK
			a.body.Reset()
		}
	}()
	if a.cacheFailed() {
		panic("there is no entry")
	}
}

func alwaysReady(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"ready":true,"dependencies":[]}`))
	})
}
