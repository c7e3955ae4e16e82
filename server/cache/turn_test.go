package cache

import (
	"context"
	"errors"
	"testing"
	"time"

	"brownout/server/feature"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/server"
)

// onMiniredis is a tiered cache that does not run, on a server whose commands a test
// can hold.
func onMiniredis(t *testing.T, before func(command string)) *Tiered {
	t.Helper()
	m := miniredis.RunT(t)
	m.Server().SetPreHook(func(_ *server.Peer, command string, _ ...string) bool {
		before(command)
		return false // go on
	})
	c, err := NewTiered(Settings{
		TTL: time.Minute, MemoryLimit: 1 << 20, RedisURL: "redis://" + m.Addr(), Staleness: time.Hour,
		Client: Client{DialTimeout: time.Minute, ReadTimeout: time.Minute, WriteTimeout: time.Minute, PoolTimeout: time.Minute, DialAttempts: 1, ShortHandshake: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A read that comes between the copy and Redis losing the entry makes a new copy.
func TestACopyMadeWhileItIsDeletedIsDropped(t *testing.T) {
	ctx, read := t.Context(), false
	var c *Tiered
	c = onMiniredis(t, func(command string) {
		if command != "DEL" {
			return
		}
		if data, err := c.Get(ctx, "e"); err != nil || string(data) != "x" {
			t.Errorf("Get() = %q, %v before the DEL, want x", data, err)
		}
		read = true
	})
	if err := c.Set(ctx, "e", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(ctx, "e"); err != nil {
		t.Fatal(err)
	}
	if data, err := c.Get(ctx, "e"); !errors.Is(err, feature.ErrMiss) || !read {
		t.Errorf("Get() = %q, %v after Delete, want ErrMiss", data, err)
	}
}

// What was read before an invalidation is not kept after it, whoever deleted.
func TestACopyOfWhatWasReadBeforeAnInvalidationIsNotMade(t *testing.T) {
	c := onMiniredis(t, func(string) {})
	turn := c.now()
	c.drop("e") // as when another instance has deleted it
	c.keep("e", []byte("x"), time.Now(), time.Minute, turn)
	if data, err := c.Get(context.Background(), "e"); !errors.Is(err, feature.ErrMiss) {
		t.Errorf("Get() = %q, %v, want ErrMiss", data, err)
	}
	c.keep("e", []byte("x"), time.Now(), time.Minute, c.now())
	if _, err := c.Get(context.Background(), "e"); err != nil {
		t.Errorf("Get() = %v for what was read after it, want a copy", err)
	}
}

func TestACopyDoesNotOutliveTheEntry(t *testing.T) {
	c := onMiniredis(t, func(string) {})
	for _, row := range []struct {
		name       string
		left, late time.Duration
		want       bool
	}{
		{"it lives on", time.Minute, 0, true},
		{"it is not ours, and has no end", noExpiry, 0, true},
		{"it has ended since it was read", time.Second, 2 * time.Second, false},
		{"it ended while it was read", -2, 0, false},
	} {
		c.drop("e")
		c.keep("e", []byte("x"), time.Now().Add(-row.late), row.left, c.now())
		if _, err := c.Get(context.Background(), "e"); (err == nil) != row.want {
			t.Errorf("%s: Get() = %v, want a copy: %t", row.name, err, row.want)
		}
	}
}

func TestWhatAChannelCovers(t *testing.T) {
	now := time.Now()
	const staleness = time.Minute
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for _, row := range []struct {
		name               string
		since, heard, made time.Time
		want               bool
	}{
		{"what is young, though nothing is heard", time.Time{}, time.Time{}, ago(staleness / 2), true},
		{"nothing that is old, when nothing is heard", time.Time{}, time.Time{}, ago(2 * staleness), false},
		{"what was made since it listens", ago(3 * staleness), ago(staleness / 2), ago(2 * staleness), true},
		{"nothing from before", ago(2 * staleness), ago(staleness / 2), ago(3 * staleness), false},
		{"nothing when the last heartbeat is old", ago(3 * staleness), ago(3 * staleness / 2), ago(2 * staleness), false},
		{"nothing before the first heartbeat", ago(3 * staleness), time.Time{}, ago(2 * staleness), false},
	} {
		c := &channel{staleness: staleness, since: row.since, heard: row.heard}
		if got := c.covers(row.made); got != row.want {
			t.Errorf("%s: covers() = %t, want %t", row.name, got, row.want)
		}
	}
}
