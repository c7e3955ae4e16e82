package server_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// metric is the value of a series, as text; "": there is none.
func metric(t *testing.T, s *servertest.Server, series string) string {
	t.Helper()
	a := request(t, "GET", s.URL+"/metrics", "")
	if a.code != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
		t.Fatalf("GET /metrics = %d %v", a.code, a.header)
	}
	_, rest, _ := strings.Cut(a.body, "\n"+series+" ")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

func wantMetrics(t *testing.T, s *servertest.Server, want map[string]string) {
	t.Helper()
	for series, value := range want {
		if got := metric(t, s, series); got != value {
			t.Errorf("%s is %q, want %q", series, got, value)
		}
	}
}

func TestWhatTheServerDoesIsMeasured(t *testing.T) {
	s := servertest.Start(t, "resilient")
	const flag = `route="/v1/environments/{env}/flags/{key}"`
	put(t, s, 1)
	for range 3 {
		request(t, "GET", flagURL(s), "")
	}
	request(t, "HEAD", flagURL(s), "")
	request(t, "GET", s.URL+"/v1/environments/nobody/flags/x", "")
	request(t, "GET", s.URL+"/v1/environments/nobody/flags/x", "")
	request(t, "PATCH", flagURL(s), "")
	request(t, "GET", s.URL+"/made/up", "")
	evaluate(t, s.URL+evaluations, asUser, "Flag-Environment", "e")
	wantMetrics(t, s, map[string]string{
		`brownout_http_requests_total{code="201",method="PUT",` + flag + `}`:                      "1",
		`brownout_http_requests_total{code="200",method="GET",` + flag + `}`:                      "3",
		`brownout_http_requests_total{code="200",method="HEAD",` + flag + `}`:                     "1",
		`brownout_http_requests_total{code="404",method="GET",` + flag + `}`:                      "2",
		`brownout_http_requests_total{code="405",method="other",` + flag + `}`:                    "1",
		`brownout_http_requests_total{code="404",method="other",route="none"}`:                    "1",
		`brownout_http_requests_total{code="200",method="POST",route="/ofrep/v1/evaluate/flags"}`: "1",
		`brownout_http_request_duration_seconds_count{method="GET",` + flag + `}`:                 "5",
		`brownout_reads_total{backend="memory",outcome="miss"}`:                                   "2",
		`brownout_reads_total{backend="memory",outcome="hit"}`:                                    "4",
		`brownout_reads_total{backend="memory",outcome="absent"}`:                                 "1",
		`brownout_database_queries_total{operation="put",outcome="done"}`:                         "1",
		`brownout_database_queries_total{operation="snapshot",outcome="done"}`:                    "2",
		`brownout_database_queries_total{operation="snapshot",outcome="failed"}`:                  "0",
		`brownout_stale_answers_total`:                                                            "0",
		`brownout_cache_invalidations_pending`:                                                    "0",
	})
	if got := request(t, "GET", s.URL+"/metrics", "").body; strings.Contains(got, "nobody") || strings.Contains(got, "made/up") {
		t.Errorf("a name that a caller made up is a label:\n%s", got)
	}
}

// A Redis that refuses, and then a database that fails, are seen.
func TestOutagesAreMeasured(t *testing.T) {
	s := servertest.Start(t, "resilient", func(c *server.Config) {
		c.Backend, c.RedisURL = server.BackendRedis, "redis://127.0.0.1:1"
	})
	var down atomic.Bool
	s.Store.Before = func(context.Context, string) error {
		if down.Load() {
			return feature.ErrUnavailable
		}
		return nil
	}
	put(t, s, 1)
	request(t, "GET", flagURL(s), "")
	down.Store(true)
	if a := request(t, "GET", flagURL(s), ""); a.code != 200 || !strings.Contains(a.source(), "snapshot;hit") {
		t.Fatalf("GET = %d from %s, want the last good snapshot", a.code, a.source())
	}
	const open = `brownout_cache_breaker_open{backend="redis"}`
	for began := time.Now(); metric(t, s, open) != "1"; time.Sleep(time.Millisecond) { // it finds out by itself
		if time.Since(began) > guard {
			t.Fatalf("%s is %q, want 1", open, metric(t, s, open))
		}
	}
	wantMetrics(t, s, map[string]string{
		`brownout_reads_total{backend="redis",outcome="bypass"}`:                 "2",
		`brownout_stale_answers_total`:                                           "1",
		`brownout_database_queries_total{operation="snapshot",outcome="failed"}`: "1",
		`brownout_cache_invalidations_pending`:                                   "1",
		`brownout_cache_bytes_total{backend="redis",direction="sent"}`:           "0",
		`brownout_cache_commands_total{backend="redis",command="setex"}`:         "0",
	})
	if n := metric(t, s, `brownout_cache_dial_failures_total{backend="redis"}`); n == "" || n == "0" {
		t.Errorf("%q dials failed, want some", n)
	}
}
