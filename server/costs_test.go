package server_test

import (
	"strconv"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/servertest"
)

// A Redis is sent one command for a read that hits, and never two of the same kind for
// one request. None waits for another but a miss: that looks first, and fills then.
func TestARequestCostsFewCacheCommands(t *testing.T) {
	const reads = 20
	for _, row := range []struct {
		backend string
		want    map[string]map[string]int // what was asked → command → how often
	}{
		{server.BackendRedis, map[string]map[string]int{
			"a write": {"del": 1},
			"a miss":  {"get": 1, "setex": 1},
			"hits":    {"get": reads},
			"absent":  {"get": 1}, // asked for so often; only the first time
			"list":    {"get": reads},
		}},
		{server.BackendTiered, map[string]map[string]int{
			"a write": {"del": 1, "publish": 1},
			"a miss":  {"get": 1, "pttl": 1, "setex": 1},
			"hits":    {},
			"absent":  {"get": 1, "pttl": 1},
			"list":    {},
		}},
	} {
		t.Run(row.backend, func(t *testing.T) {
			t.Parallel()
			s := servertest.Start(t, "resilient", func(c *server.Config) {
				c.Backend, c.RedisURL = row.backend, servertest.Redis(t)
				// Nothing is to be sent but for requests, and nothing given up on a slow machine.
				c.Profile.WarmAfterLoss, c.Profile.Budget, c.Profile.Client.ReadTimeout = false, guard, guard
				c.Profile.NegativeTTL = guard
				c.Profile.Staleness = time.Hour // heartbeats are a quarter of it apart
			})
			put(t, s, 0)
			get := func(url string) func() { return func() { request(t, "GET", url, "") } }
			list := s.URL + "/v1/environments/e/flags"
			for _, step := range []struct {
				name  string
				times int
				do    func()
			}{
				{"a write", 1, func() { put(t, s, 1) }},
				{"a miss", 1, get(flagURL(s))},
				{"hits", reads, get(flagURL(s))},
				{"absent", reads, get(s.URL + "/v1/environments/nobody/flags/f")},
				{"list", reads, get(list)},
			} {
				before := commandCounts(t, s, row.backend)
				for range step.times {
					step.do()
				}
				for command, n := range commandCounts(t, s, row.backend) {
					if got, want := n-before[command], row.want[step.name][command]; got != want {
						t.Errorf("%s: %d times %s, want %d", step.name, got, command, want)
					}
				}
			}
		})
	}
}

// commandCounts is how often the server has sent each command that a request may need.
func commandCounts(t *testing.T, s *servertest.Server, backend string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, command := range []string{"get", "pttl", "setex", "del", "publish"} {
		text := metric(t, s, `brownout_cache_commands_total{backend="`+backend+`",command="`+command+`"}`)
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("%s was sent %q times", command, text)
		}
		counts[command] = n
	}
	return counts
}
