package server_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/cache"
	"brownout/server/servertest"

	"github.com/google/go-cmp/cmp"
)

// environ is an environment for FromEnviron.
type environ map[string]string

func (e environ) lookup(name string) (string, bool) {
	value, found := e[name]
	return value, found
}

func TestSettingsComeFromTheEnvironment(t *testing.T) {
	const db = "postgres://u:hunter2@127.0.0.1:1/db"
	base := environ{"DATABASE_URL": db}
	with := func(more environ) server.Config {
		t.Helper()
		all := environ{}
		for _, e := range []environ{base, more} {
			for k, v := range e {
				all[k] = v
			}
		}
		c, err := server.FromEnviron(all.lookup)
		if err != nil {
			t.Fatalf("FromEnviron(%v): %v", more, err)
		}
		return c
	}
	if c := with(nil); c.Profile.Name != "resilient" || c.Backend != "memory" || c.ListenAddr != "127.0.0.1:8080" || c.CacheTTL != 300*time.Second {
		t.Errorf("with nothing set: %+v, want the defaults", c)
	}
	if c := with(environ{"REDIS_URL": "redis://h:1"}); c.Backend != "redis" {
		t.Errorf("with REDIS_URL the cache is %q, want redis", c.Backend)
	}
	if c := with(environ{"REDIS_URL": "redis://h:1", "CACHE": "none"}); c.Backend != "none" {
		t.Errorf("with CACHE=none the cache is %q, want none", c.Backend)
	}
	if c := with(environ{"REDIS_URL": "redis+cluster://h:1?addr=i:2", "CACHE": "tiered", "CACHE_STALENESS": "5s", "CACHE_TTL_JITTER": "0", "CACHE_WARM": "production,staging", "CACHE_BREAK_AFTER": "0", "CACHE_CONNECTION_LIFETIME": "0s", "REDIS_USER": "u"}); c.Backend != "tiered" ||
		c.Profile.Staleness != 5*time.Second || c.Profile.TTLJitter != 0 || len(c.Warm) != 2 || c.Profile.Client.BreakAfter != 0 || c.Profile.Client.ConnLifetime != 0 || c.Redis.User != "u" {
		t.Errorf("a tiered cache: %+v", c)
	}
	if c := with(environ{"LOG_LEVEL": "debug", "FLAG_LIMIT": "7", "OFREP_ENVIRONMENT": "home", "ADMIN_TOKEN": "t", "WRITE_TIMEOUT": "1m"}); c.LogLevel != slog.LevelDebug ||
		c.FlagLimit != 7 || c.OFREPEnvironment != "home" || c.AdminToken != "t" || c.WriteTimeout != time.Minute {
		t.Errorf("of the interfaces: %+v", c)
	}
	c := with(environ{"PROFILE": "seed", "CACHE_BUDGET": "75ms", "CACHE_READ_TIMEOUT": "none", "CACHE_COALESCE": "true", "CACHE_POOL_SIZE": "7", "CACHE_TTL": "5m", "CACHE_DIAL_TIMEOUT": ""})
	p := c.Profile
	if p.Name != "seed" || p.Budget != 75*time.Millisecond || p.Client.ReadTimeout >= 0 || !p.Coalesce || p.Client.PoolSize != 7 || c.CacheTTL != 5*time.Minute || p.Client.DialTimeout != 2*time.Second {
		t.Errorf("overridden seed: %+v, ttl %v", p, c.CacheTTL)
	}
}

func TestAllThatIsWrongIsReportedTogether(t *testing.T) {
	_, err := server.FromEnviron(environ{
		"DATABASE_URL": "postgres://u:hunter2@host:port/db", "REDIS_URL": "http://:hunter2@h", "PROFILE": "sed", "CACHE_TTL": "1500ms",
		"CACHE_BUDGET": "0s", "CACHE_POOL_SIZE": "-1", "CACHE_COALESCE": "maybe", "DATABASE_TIMEOUT": "none", "DATABASE_POOL_SIZE": "0",
	}.lookup)
	if err == nil {
		t.Fatal("FromEnviron = nil, want errors")
	}
	got := err.Error()
	for _, want := range []string{
		`PROFILE: there is no profile "sed", want resilient or seed`,
		`CACHE_TTL is "1500ms", want whole seconds`,
		`CACHE_BUDGET is "0s", want none, or a duration above zero`,
		`CACHE_POOL_SIZE is "-1", want a whole number from 0`,
		`CACHE_COALESCE is "maybe", want true or false`,
		`DATABASE_TIMEOUT is "none", want a duration above zero`,
		`DATABASE_POOL_SIZE is "0", want a whole number from 1`,
		`DATABASE_URL: `, `REDIS_URL: `,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the error does not contain %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "hunter2") {
		t.Errorf("the error shows a password:\n%s", got)
	}
	for _, row := range []struct {
		env  environ
		want string
	}{
		{environ{}, "DATABASE_URL is not set"},
		{environ{"DATABASE_URL": "postgres://h/db", "CACHE": "redis"}, "REDIS_URL is not set"},
		{environ{"DATABASE_URL": "postgres://h/db", "CACHE": "tiered"}, "REDIS_URL is not set"},
		{environ{"DATABASE_URL": "postgres://h/db", "CACHE": "disk"}, `CACHE is "disk", want none, memory, redis, tiered`},
		{environ{"DATABASE_URL": "postgres://h/db", "CACHE_WARM": "a,/b"}, `CACHE_WARM is "a,/b", want environments joined by commas`},
		{environ{"DATABASE_URL": "postgres://h/db", "CACHE_TTL_JITTER": "91"}, `CACHE_TTL_JITTER is "91", want a whole number from 0 to 90`},
		{environ{"DATABASE_URL": "postgres://h/db", "CACHE_RELOAD_EVERY": "1"}, `CACHE_RELOAD_EVERY is "1", want 0, or a duration`},
		{environ{"DATABASE_URL": "postgres://h/db", "REDIS_URL": "redis+sentinel://h:1"}, "REDIS_URL: making the redis cache: the URL names no primary"},
		{environ{"DATABASE_URL": "postgres://h/db", "REDIS_URL": "rediss://h:1", "REDIS_CA_FILE": "/nonesuch"}, "reading the CA file"},
		{environ{"DATABASE_URL": "postgres://h/db", "OFREP_ENVIRONMENT": "a b"}, `OFREP_ENVIRONMENT is "a b", want an environment`},
		{environ{"DATABASE_URL": "postgres://h/db", "LOG_LEVEL": "loud"}, `LOG_LEVEL is "loud", want debug, info, warn or error`},
		{environ{"DATABASE_URL": "postgres://h/db", "CACHE_BUDGET": "none"}, "CACHE_RETRY_INVALIDATION"},
	} {
		if _, err := server.FromEnviron(row.env.lookup); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("FromEnviron(%v) = %v, want %q", row.env, err, row.want)
		}
	}
}

// Every setting can be set to each of the defaults it shows.
func TestSettingsAreDocumentedWithDefaultsThatCanBeSet(t *testing.T) {
	for _, s := range server.Settings() {
		if s.Name == "" || s.Doc == "" {
			t.Errorf("setting %+v, want a name and a doc", s)
		}
		for _, d := range strings.Split(s.Default, ", ") {
			value, _, _ := strings.Cut(d, " in ")
			e := environ{"DATABASE_URL": "postgres://h/db", "CACHE_RETRY_INVALIDATION": "false"}
			if value != "" {
				e[s.Name] = value
			}
			if _, err := server.FromEnviron(e.lookup); err != nil {
				t.Errorf("%s=%s: %v", s.Name, value, err)
			}
		}
	}
}

// What the original client was set to, in numbers: a pool whose connects take 2 s at
// most, that connects at the start, comes back by itself after 100 ms, doubling to
// 2000 ms, and puts no limit on a command.
func TestSeedIsSetAsTheOriginalWas(t *testing.T) {
	p, err := server.FindProfile("seed")
	if err != nil {
		t.Fatal(err)
	}
	want := cache.Client{
		DialTimeout: 2 * time.Second, DialAttempts: 1,
		ReadTimeout: -1, WriteTimeout: -1, PoolTimeout: -1,
		PoolSize: 0, // go-redis' own: 10 for each CPU
		Retries:  20, MinBackoff: 100 * time.Millisecond, MaxBackoff: 2 * time.Second, Redirects: 16,
		ConnectAtStart: true, ProbeMin: 100 * time.Millisecond, ProbeMax: 2 * time.Second,
	}
	if diff := cmp.Diff(want, p.Client); diff != "" {
		t.Errorf("the client of seed (-want +got):\n%s", diff)
	}
	if p.Coalesce || p.CheckRevision || p.RetryInvalidation || p.Recheck != 0 || p.TTLJitter != 0 || p.StaleIfError != 0 || p.DatabaseQueue != 0 {
		t.Errorf("seed has what the original had not: %+v", p)
	}
	if ttl := server.DefaultConfig(p).CacheTTL; ttl != 300*time.Second {
		t.Errorf("CACHE_TTL is %v, want 300s", ttl)
	}
}

// The table of how the original's settings were mapped names what the profile has.
func TestTheTableOfProfilesNamesEverySettingOfSeed(t *testing.T) {
	data, err := os.ReadFile(filepath.FromSlash("PROFILES.md"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := server.FindProfile("seed")
	if err != nil {
		t.Fatal(err)
	}
	c := p.Client
	for _, want := range []string{
		fmt.Sprintf("| `DialTimeout` %v |", c.DialTimeout),
		fmt.Sprintf("| `MinRetryBackoff` %v, `MaxRetryBackoff` %v |", c.MinBackoff, c.MaxBackoff),
		fmt.Sprintf("| `MaxRetries` %d |", c.Retries),
		"| `ReadTimeout` -1, `WriteTimeout` -1, `ContextTimeoutEnabled` false |",
		fmt.Sprintf("`DialerRetries` %d", c.DialAttempts),
	} {
		if !strings.Contains(string(data), want) {
			t.Errorf("PROFILES.md does not contain %q", want)
		}
	}
	if c.ReadTimeout >= 0 || c.WriteTimeout >= 0 || c.ObeyContext || p.Budget >= 0 {
		t.Errorf("seed is bounded: %+v", p)
	}
}

func TestTheHandlerCanBeUsedAlone(t *testing.T) {
	p, err := server.FindProfile("resilient")
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.DefaultConfig(p)
	cfg.Store = servertest.NewStore()
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &http.Server{Handler: s.Handler(), ErrorLog: slog.NewLogLogger(slog.NewTextHandler(io.Discard, nil), 0)}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(l) }()
	if a := request(t, "PUT", "http://"+l.Addr().String()+"/v1/environments/e/flags/f", `{"enabled":true,"value":1}`); a.code != 201 {
		t.Errorf("PUT = %d, want 201", a.code)
	}
	h.Close()
	<-ended
}
