package cache_test

import (
	"strings"
	"testing"

	"brownout/chaos/ca"
	"brownout/chaos/stack"
	"brownout/server/cache"
	"brownout/server/servertest"
)

// A server that cannot show a certificate of the CA for the name that is asked for, or
// that wants another password, is not used: neither read from nor written to.
func TestARedisThatIsNotTheOneIsRefused(t *testing.T) {
	t.Parallel()
	authority, err := ca.New()
	if err != nil {
		t.Fatal(err)
	}
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis, TLS: authority, Password: "right"})
	for _, row := range []struct {
		name   string
		change func(*cache.Settings)
		want   string // "": it is used
	}{
		{"it is the one", func(*cache.Settings) {}, ""},
		{"the name of its certificate is another", func(s *cache.Settings) { s.Security.ServerName = "redis.example" }, "certificate is valid for"},
		{"nobody trusts the CA", func(s *cache.Settings) { s.Security.CAFile = "" }, "unknown authority"},
		{"it wants another password", func(s *cache.Settings) { s.RedisURL = strings.Replace(s.RedisURL, "right", "wrong", 1) }, "WRONGPASS"},
		{"it wants a password", func(s *cache.Settings) { s.RedisURL = strings.Replace(s.RedisURL, ":right@", "", 1) }, "NOAUTH"},
		{"it speaks TLS", func(s *cache.Settings) {
			s.RedisURL, s.Security = strings.Replace(s.RedisURL, "rediss", "redis", 1), cache.Security{}
		}, "EOF"},
	} {
		s := settings(servers.Cache.URL)
		s.Security.CAFile, s.Security.ServerName = servers.CAFile, "localhost"
		row.change(&s)
		c, err := cache.NewRedis(s)
		if err != nil {
			t.Fatalf("%s: NewRedis() = %v", row.name, err)
		}
		err = c.Set(t.Context(), environment(), []byte("x"))
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%s: Set() = %v, want %q", row.name, err, row.want)
		}
		c.Close()
	}
}
