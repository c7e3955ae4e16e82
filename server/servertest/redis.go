package servertest

import (
	"context"
	"net/url"
	"testing"
	"time"

	"brownout/chaos/stack"
)

// stopRedis bounds how long a test's Redis may take to end.
const stopRedis = 10 * time.Second

// Redis starts a real Redis that lives as long as the test, and returns its URL.
// Servers are found where the harness finds them; see stack.Find.
func Redis(t testing.TB) (url string) {
	t.Helper()
	return Caches(t, stack.Config{Cache: stack.Redis}).Cache.URL
}

// Caches starts the cache servers of any topology, which live as long as the test.
func Caches(t testing.TB, c stack.Config) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopRedis)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// RedisURL is where a client finds the caches of a stack of topology, as the server's
// setting REDIS_URL wants it. User and password are those of the stack's.
func RedisURL(t testing.TB, s *stack.Stack, topology string) string {
	t.Helper()
	u, err := url.Parse(s.Cache.URL)
	if err != nil {
		t.Fatal(err)
	}
	nodes, query := s.Servers(), url.Values{}
	switch topology {
	case stack.Cluster:
		u.Scheme += "+cluster"
	case stack.Sentinel:
		u.Scheme += "+sentinel"
		u.Path, nodes = "/0", s.Sentinels()
		query.Set("master_name", stack.SentinelPrimary)
		if password, set := u.User.Password(); set {
			query.Set("username", u.User.Username())
			query.Set("password", password)
			u.User = nil // Sentinels ask for none
		}
	default:
		return s.Cache.URL
	}
	u.Host = nodes[0].Link
	for _, n := range nodes[1:] {
		query.Add("addr", n.Link)
	}
	u.RawQuery = query.Encode()
	return u.String()
}
