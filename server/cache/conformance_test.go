package cache_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brownout/chaos/ca"
	"brownout/chaos/stack"
	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// A site is where a backend is tried.
type site struct {
	name     string
	topology string // of Redis; "": there is none
	secure   bool   // with TLS, a password in a file and an ACL user with no more than what is needed
}

func sites() []site {
	return []site{
		{"alone", stack.Redis, false},
		{"Sentinel", stack.Sentinel, false},
		{"a cluster", stack.Cluster, false},
		{"alone, secured", stack.Redis, true},
		{"Sentinel, secured", stack.Sentinel, true},
		{"a cluster, secured", stack.Cluster, true},
	}
}

// client is bounded, generously: a test must end, and a loaded machine is slow. All
// measures are on, so that they stand in nobody's way.
func client() cache.Client {
	return cache.Client{
		DialTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		PoolTimeout: 10 * time.Second, DialAttempts: 1, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond,
		ObeyContext: true, ShortHandshake: true, Redirects: 2, ConnLifetime: time.Minute, ConnectAtStart: true,
		ReloadEvery: 250 * time.Millisecond, CheckConns: true, RenewConns: true,
		BreakAfter: 5, ProbeMin: time.Millisecond, ProbeMax: 20 * time.Millisecond,
	}
}

// settings are those of a cache at url, "" for none.
func settings(url string) cache.Settings {
	return cache.Settings{
		TTL: time.Minute, MemoryLimit: 1 << 20, RedisURL: url, Client: client(),
		Staleness: time.Second, WatchEmpty: true,
	}
}

// start starts the site and returns the settings of its clients.
func (s site) start(t *testing.T) cache.Settings {
	t.Helper()
	c := stack.Config{Cache: s.topology}
	if !s.secure {
		return settings(servertest.RedisURL(t, servertest.Caches(t, c), s.topology))
	}
	authority, err := ca.New()
	if err != nil {
		t.Fatal(err)
	}
	c.TLS, c.Password = authority, "a-password-of-the-default-user"
	servers := servertest.Caches(t, c)
	grant(t, servers, "of-the-service")
	all := settings(servertest.RedisURL(t, servers, s.topology))
	all.Security = cache.Security{
		CAFile: servers.CAFile, ServerName: "localhost",
		User: "brownout", PasswordFile: passwordFile(t, "of-the-service"),
	}
	return all
}

func passwordFile(t *testing.T, password string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	writePassword(t, path, password)
	return path
}

func writePassword(t *testing.T, path, password string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// open makes a backend and runs it until the test ends.
func open(t *testing.T, name string, s cache.Settings) feature.Cache {
	t.Helper()
	c, err := cache.Open(name, s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	if r, runs := c.(feature.Runner); runs {
		running.Go(func() { r.Run(ctx, func(feature.CacheEvent) {}) })
	}
	t.Cleanup(func() {
		stop()
		if err := c.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
		running.Wait()
	})
	return c
}

// Every backend keeps the promises of the package, wherever Redis stands.
func TestEveryBackendKeepsThePromises(t *testing.T) {
	for _, name := range []string{cache.BackendNone, cache.BackendMemory} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conform(t, name, settings(""))
		})
	}
	for _, s := range sites() {
		t.Run(s.name, func(t *testing.T) {
			if s.secure && testing.Short() {
				t.Skip("short")
			}
			t.Parallel()
			all := s.start(t)
			for _, name := range []string{cache.BackendRedis, cache.BackendTiered} {
				t.Run(name, func(t *testing.T) { conform(t, name, all) })
			}
		})
	}
}

func TestNoBackendIsForgotten(t *testing.T) {
	want := []string{cache.BackendNone, cache.BackendMemory, cache.BackendRedis, cache.BackendTiered}
	if got := cache.Backends(); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("Backends() = %v, want %v: a new one must conform too", got, want)
	}
}

func conform(t *testing.T, name string, s cache.Settings) {
	c := open(t, name, s)
	if c.Name() != name {
		t.Errorf("Name() = %q, want %q", c.Name(), name)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Errorf("Ping() = %v, want nil", err)
	}
	if name == cache.BackendNone {
		testKeepsNothing(t, c)
		return
	}
	t.Run("what was set is got, to the byte", func(t *testing.T) { testKeeps(t, c) })
	t.Run("entries are independent", func(t *testing.T) { testIndependence(t, c) })
	t.Run("an entry does not outlive its time", func(t *testing.T) { testTTL(t, name, s) })
	t.Run("jitter only shortens", func(t *testing.T) { testJitter(t, name, s) })
	t.Run("what was deleted is gone, whatever was being read", func(t *testing.T) { testDelete(t, c) })
	if name != cache.BackendMemory {
		t.Run("what was deleted is gone for other instances", func(t *testing.T) { testDeleteElsewhere(t, name, s) })
	}
	t.Run("a closed cache with a server ends in errors", func(t *testing.T) { testClosed(t, name, s) })
}

var environments atomic.Int64

// environment is a name that no test used before: the Redis may be shared.
func environment() string { return fmt.Sprintf("e%d-%d", time.Now().UnixNano(), environments.Add(1)) }

func get(t *testing.T, c feature.Cache, environment, want string) {
	t.Helper()
	data, err := c.Get(t.Context(), environment)
	switch {
	case want == "" && !errors.Is(err, feature.ErrMiss):
		t.Errorf("Get(%s) = %q, %v, want ErrMiss", environment, data, err)
	case want != "" && (err != nil || string(data) != want):
		t.Errorf("Get(%s) = %q, %v, want %q", environment, data, err, want)
	}
}

func set(t *testing.T, c feature.Cache, environment, value string) {
	t.Helper()
	if err := c.Set(t.Context(), environment, []byte(value)); err != nil {
		t.Fatalf("Set(%s): %v", environment, err)
	}
}

func remove(t *testing.T, c feature.Cache, environment string) {
	t.Helper()
	if err := c.Delete(t.Context(), environment); err != nil {
		t.Fatalf("Delete(%s) = %v, want nil", environment, err)
	}
}

func testKeepsNothing(t *testing.T, c feature.Cache) {
	if err := c.Set(t.Context(), "e", []byte("x")); !errors.Is(err, feature.ErrNoCache) {
		t.Errorf("Set() = %v, want ErrNoCache", err)
	}
	if data, err := c.Get(t.Context(), "e"); !errors.Is(err, feature.ErrNoCache) {
		t.Errorf("Get() = %q, %v, want ErrNoCache", data, err)
	}
	remove(t, c, "e")
}

func testKeeps(t *testing.T, c feature.Cache) {
	e := environment()
	get(t, c, e, "")
	large := strings.Repeat("ü\x00\r\n", 10_000)
	for _, value := range []string{"first", "second", large} {
		set(t, c, e, value)
		get(t, c, e, value)
		get(t, c, e, value)
	}
	for range 2 { // what is not there can be deleted too
		remove(t, c, e)
		get(t, c, e, "")
	}
}

func testIndependence(t *testing.T, c feature.Cache) {
	a, b := environment(), environment()
	value := []byte("a") // the cache's from now on, who shares it with us: neither may change it
	if err := c.Set(t.Context(), a, value); err != nil {
		t.Fatal(err)
	}
	set(t, c, b, "b")
	get(t, c, a, "a")
	remove(t, c, a)
	get(t, c, a, "")
	get(t, c, b, "b")
	if string(value) != "a" {
		t.Errorf("what Set was given became %q, want %q", value, "a")
	}
}
