package cache_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"brownout/server/cache"

	"github.com/alicebob/miniredis/v2"
)

func TestURLs(t *testing.T) {
	const forms = "want redis://host:port/0"
	for _, row := range []struct{ name, url, want string }{
		{"one server", "redis://h:1/2", ""},
		{"TLS", "rediss://u:hunter2@h:1", ""},
		{"Sentinels", "redis+sentinel://u:hunter2@h:1/3?master_name=m&addr=i:2&addr=j:3&username=v&password=hunter2", ""},
		{"Sentinels with TLS", "rediss+sentinel://h:1?master_name=m", ""},
		{"a cluster", "redis+cluster://u:hunter2@h:1?addr=i:2", ""},
		{"a cluster with TLS", "rediss+cluster://h:1/0", ""},
		{"no scheme", "hunter2", forms},
		{"another scheme", "http://u:hunter2@h", forms},
		{"another kind", "redis+hunter2://h", forms},
		{"TLS at the wrong place", "redis+sentinels://h:1?password=hunter2", forms},
		{"no host", "redis://:hunter2@/0", "names no host"},
		{"a bad port", "redis://u:hunter2@h:port", forms},
		{"a bad database", "redis://h/hunter2", forms},
		{"an unknown parameter", "redis://h?hunter2=1", "no unknown parameters"},
		{"a bad parameter", "redis+cluster://h?read_only=hunter2", "no unknown parameters"},
		{"a bad query", "redis://h?a=%hunter2", "cannot be read"},
		{"Sentinels without a name", "redis+sentinel://u:hunter2@h:1", "names no primary"},
		{"a bad further address", "redis+cluster://h:1?addr=hunter2", "no unknown parameters"},
		{"a database of a cluster", "redis+cluster://u:hunter2@h:1/7", "only 0"},
	} {
		r, err := cache.NewRedis(settings(row.url))
		switch {
		case row.want == "" && err != nil:
			t.Errorf("%s: NewRedis(%q) = %v, want nil", row.name, row.url, err)
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%s: NewRedis(%q) = %v, want %q", row.name, row.url, err, row.want)
		case row.want != "" && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s: NewRedis(%q) = %v, want no password in it", row.name, row.url, err)
		}
		if err == nil {
			r.Close()
		}
	}
}

// What PROFILES.md shows as REDIS_URL is taken as it stands there.
func TestTheDocumentedURLsAreTaken(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash("../PROFILES.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Where Redis is")
	table, _, _ = strings.Cut(table, "\n## ")
	seen := map[string]bool{}
	for _, code := range regexp.MustCompile("`(rediss?(?:\\+[a-z]+)?)://([^`]*)`").FindAllStringSubmatch(table, -1) {
		seen[code[1]] = true
		if code[2] == "" {
			continue // the scheme alone
		}
		url := strings.ReplaceAll(code[1]+"://"+code[2], "port", "1")
		r, err := cache.NewRedis(settings(url))
		if err != nil {
			t.Errorf("NewRedis(%s) = %v, want nil", url, err)
			continue
		}
		r.Close()
	}
	for _, scheme := range []string{"redis", "redis+sentinel", "redis+cluster", "rediss", "rediss+sentinel", "rediss+cluster"} {
		if !seen[scheme] {
			t.Errorf("%s:// is not documented", scheme)
		}
	}
}

func TestSettingsThatCannotBe(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none")
	empty, blank := passwordFile(t, "no certificate"), passwordFile(t, "")
	for _, row := range []struct {
		name   string
		change func(*cache.Settings)
		want   string
	}{
		{"no time to live", func(s *cache.Settings) { s.TTL = 0 }, "whole seconds"},
		{"less than a second", func(s *cache.Settings) { s.TTL = 999 * time.Millisecond }, "whole seconds"},
		{"half a second more", func(s *cache.Settings) { s.TTL = 1500 * time.Millisecond }, "whole seconds"},
		{"all of it jitter", func(s *cache.Settings) { s.Jitter = 100 }, "0 to 90"},
		{"no staleness", func(s *cache.Settings) { s.Staleness = 0 }, "more than 0"},
		{"a CA without TLS", func(s *cache.Settings) { s.Security.CAFile = empty }, "want rediss://"},
		{"a CA that is not there", func(s *cache.Settings) { s.RedisURL, s.Security.CAFile = "rediss://h", missing }, "reading the CA file"},
		{"a CA that is none", func(s *cache.Settings) { s.RedisURL, s.Security.CAFile = "rediss://h", empty }, "no certificate"},
		{"a password that is not there", func(s *cache.Settings) { s.Security.PasswordFile = missing }, "reading the password file"},
		{"a password that is empty", func(s *cache.Settings) { s.Security.PasswordFile = blank }, "is empty"},
	} {
		s := settings("redis://127.0.0.1:1")
		row.change(&s)
		if _, err := cache.NewTiered(s); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: NewTiered() = %v, want %q", row.name, err, row.want)
		}
	}
	if _, err := cache.Open("disk", settings("")); err == nil || !strings.Contains(err.Error(), "none, memory, redis, tiered") {
		t.Errorf("Open(disk) = %v, want the names that there are", err)
	}
}

// The key and the expiry are what other programs may rely on.
func TestRedisKeepsUnderTheKeyOfTheServiceWithItsTimeToLive(t *testing.T) {
	m := miniredis.RunT(t)
	s := settings("redis://" + m.Addr())
	s.TTL = 300 * time.Second
	c, err := cache.NewRedis(s)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	set(t, c, "production", "x")
	if got, _ := m.Get("feature_flags:production"); got != "x" {
		t.Errorf("feature_flags:production is %q, want x", got)
	}
	if got := m.TTL("feature_flags:production"); got != 300*time.Second {
		t.Errorf("it lives for %v, want 300s", got)
	}
}

func TestAHandshakeIsOneRoundTripWhenShort(t *testing.T) {
	count := func(short bool) int {
		m := miniredis.RunT(t)
		c := client()
		c.ShortHandshake = short
		r := newRedis(t, "redis://"+m.Addr(), c)
		if err := r.Ping(context.Background()); err != nil {
			t.Fatal(err)
		}
		return m.CommandCount()
	}
	if got := count(true); got != 2 {
		t.Errorf("the first PING of a short handshake took %d commands, want 2: HELLO, PING", got)
	}
	if got := count(false); got <= 2 {
		t.Errorf("the first PING of a long handshake took %d commands, want more than 2", got)
	}
}
