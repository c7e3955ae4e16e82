package cache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/servertest"

	"github.com/alicebob/miniredis/v2"
)

// client is bounded, generously: a test must end, and a loaded machine is slow.
var client = cache.Client{
	DialTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
	PoolTimeout: 10 * time.Second, DialAttempts: 1, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond,
	ObeyContext: true, ShortHandshake: true,
}

// backends are all that keep something, made with a time to live.
var backends = map[string]func(*testing.T, time.Duration) feature.Cache{
	"memory": func(t *testing.T, ttl time.Duration) feature.Cache {
		m, err := cache.NewMemory(ttl, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return m
	},
	"redis": func(t *testing.T, ttl time.Duration) feature.Cache {
		return newRedis(t, servertest.Redis(t), client, ttl)
	},
}

func newRedis(t *testing.T, url string, c cache.Client, ttl time.Duration) *cache.Redis {
	t.Helper()
	r, err := cache.NewRedis(url, c, ttl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

var environments atomic.Int64

// environment is a name that no test used before: the Redis may be shared.
func environment() string { return fmt.Sprintf("e%d-%d", time.Now().UnixNano(), environments.Add(1)) }

func TestEveryBackendIsACache(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			c := open(t, time.Minute)
			if c.Name() != name {
				t.Errorf("Name() = %q, want %q", c.Name(), name)
			}
			if err := c.Ping(t.Context()); err != nil {
				t.Errorf("Ping() = %v, want nil", err)
			}
			testKeeps(t, c)
			testIndependence(t, c)
		})
	}
}

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

func testKeeps(t *testing.T, c feature.Cache) {
	e := environment()
	get(t, c, e, "")
	large := strings.Repeat("ü\x00\r\n", 10_000)
	for _, value := range []string{"first", "second", large} {
		set(t, c, e, value)
		get(t, c, e, value)
	}
	for range 2 { // what is not there can be deleted too
		if err := c.Delete(t.Context(), e); err != nil {
			t.Errorf("Delete(%s) = %v, want nil", e, err)
		}
		get(t, c, e, "")
	}
}

func testIndependence(t *testing.T, c feature.Cache) {
	a, b := environment(), environment()
	value := []byte("a")
	if err := c.Set(t.Context(), a, value); err != nil {
		t.Fatal(err)
	}
	value[0] = 'x' // the cache has a copy
	set(t, c, b, "b")
	get(t, c, a, "a")
	if err := c.Delete(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	get(t, c, a, "")
	get(t, c, b, "b")
}

func TestAnEntryDiesAfterItsTimeToLive(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, e := open(t, time.Second), environment()
			set(t, c, e, "x")
			for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				if _, err := c.Get(t.Context(), e); errors.Is(err, feature.ErrMiss) {
					return
				}
				if time.Now().After(deadline) {
					t.Fatal("the entry is still there")
				}
			}
		})
	}
}

func TestNoneKeepsNothingAndSaysSo(t *testing.T) {
	var c feature.Cache = cache.None{}
	if err := c.Set(t.Context(), "e", []byte("x")); !errors.Is(err, feature.ErrNoCache) {
		t.Errorf("Set() = %v, want ErrNoCache", err)
	}
	if data, err := c.Get(t.Context(), "e"); !errors.Is(err, feature.ErrNoCache) {
		t.Errorf("Get() = %q, %v, want ErrNoCache", data, err)
	}
	if err := errors.Join(c.Delete(t.Context(), "e"), c.Ping(t.Context()), c.Close()); err != nil {
		t.Errorf("Delete, Ping, Close = %v, want nil", err)
	}
}

func TestMemoryHoldsNoMoreThanItsLimit(t *testing.T) {
	const limit, size = 100_000, 1000
	m, err := cache.NewMemory(time.Minute, limit)
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for i := range 1000 {
		set(t, m, fmt.Sprint("e", i), string(bytes.Repeat([]byte("x"), size)))
	}
	for i := range 1000 {
		if _, err := m.Get(t.Context(), fmt.Sprint("e", i)); err == nil {
			kept++
		}
	}
	if kept == 0 || kept*size > limit {
		t.Errorf("%d entries of %d bytes are kept, want some, and at most %d bytes", kept, size, limit)
	}
}

func TestNewRedisRefusesWhatItCannotKeepOrRead(t *testing.T) {
	for _, ttl := range []time.Duration{0, 999 * time.Millisecond, 1500 * time.Millisecond, -time.Second} {
		if _, err := cache.NewRedis("redis://127.0.0.1:1", client, ttl); err == nil {
			t.Errorf("NewRedis(ttl %v) = nil, want an error", ttl)
		}
	}
	for _, url := range []string{"hunter2", "http://u:hunter2@h", "redis://u:hunter2@h:port", "redis://h/hunter2"} {
		if _, err := cache.NewRedis(url, client, time.Second); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("NewRedis(%q) = %v, want an error without the password", url, err)
		}
	}
}

// The key and the expiry are what other programs may rely on.
func TestRedisKeepsUnderTheKeyOfTheServiceWithItsTimeToLive(t *testing.T) {
	m := miniredis.RunT(t)
	c := newRedis(t, "redis://"+m.Addr(), client, 300*time.Second)
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
		c := client
		c.ShortHandshake = short
		r := newRedis(t, "redis://"+m.Addr(), c, time.Second)
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
