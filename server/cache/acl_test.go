package cache_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/chaos/stack"
	"brownout/chaos/stack/admin"
	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/servertest"

	"github.com/redis/go-redis/v9"
)

// rules are those of the user in the file, as ACL SETUSER takes them.
func rules(t *testing.T) (user string, words []string) {
	t.Helper()
	data, err := os.ReadFile("least-privilege.acl")
	if err != nil {
		t.Fatal(err)
	}
	words = strings.Fields(string(data))
	if len(words) < 3 || words[0] != "user" || strings.Count(string(data), "\n") != 1 {
		t.Fatalf("least-privilege.acl is %q, want one user", data)
	}
	return words[1], words[2:]
}

// grant makes the user of the file on every server, with a password.
func grant(t *testing.T, servers *stack.Stack, password string) {
	t.Helper()
	user, words := rules(t)
	command := append([]string{"ACL", "SETUSER", user}, words...)
	do(t, servers, append(command, "on", ">"+password)...)
}

// do sends a command to every server that holds data.
func do(t testing.TB, servers *stack.Stack, words ...string) {
	t.Helper()
	for _, n := range servers.Servers() {
		if _, err := n.Do(t.Context(), words...); err != nil {
			t.Fatalf("%s: %v", words[0], err)
		}
	}
}

// That the user is enough stands in the test of all backends, which is it at the
// secured sites. Here: it is not more than enough.
func TestTheUserOfTheFileMayDoNothingElse(t *testing.T) {
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis})
	grant(t, servers, "secret")
	user, _ := rules(t)
	c := redis.NewClient(&redis.Options{Addr: servers.Cache.Addr, Username: user, Password: "secret", DisableIdentity: true})
	defer c.Close()
	if err := c.Get(t.Context(), "feature_flags:e").Err(); err != redis.Nil {
		t.Errorf("GET = %v, want nothing there, and no more than that", err)
	}
	for _, words := range [][]any{
		{"GET", "session:1"}, {"SETEX", "session:1", "9", "x"}, {"DEL", "session:1"}, {"PUBLISH", "orders", "x"}, {"SUBSCRIBE", "orders"},
		{"KEYS", "feature_flags:*"}, {"FLUSHALL"}, {"FLUSHDB"}, {"CONFIG", "GET", "*"}, {"ACL", "LIST"}, {"EVAL", "return 1", "0"},
		{"INFO"}, {"SCAN", "0"}, {"CLUSTER", "NODES"}, {"CLIENT", "LIST"}, {"EXPIRE", "feature_flags:e", "9"},
	} {
		if err := c.Do(t.Context(), words...).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v = %v, want NOPERM", words, err)
		}
	}
}

// Each word of the file is needed: without it a command of the backend tiered, which
// sends all that redis sends, is refused.
func TestTheUserOfTheFileMayDoNothingSuperfluous(t *testing.T) {
	servers := servertest.Caches(t, stack.Config{Cache: stack.Redis})
	_, words := rules(t)
	var working sync.WaitGroup
	for i, word := range words {
		if word[0] != '+' || word == "+cluster|slots" {
			continue // of a cluster
		}
		user := strings.ReplaceAll(strings.TrimPrefix(word, "+"), "|", "-")
		command := append([]string{"ACL", "SETUSER", user}, slices.Delete(slices.Clone(words), i, i+1)...)
		do(t, servers, append(command, "on", ">secret")...)
		working.Go(func() { workOut(t, servers, user) })
	}
	working.Wait()
}

// workOut uses everything of the backend tiered until the user has been refused
// something, which it must be.
func workOut(t *testing.T, servers *stack.Stack, user string) {
	s := settings(servers.Cache.URL)
	s.Security = cache.Security{User: user, PasswordFile: passwordFile(t, "secret")}
	c, err := cache.NewTiered(s)
	if err != nil {
		t.Error(err)
		return
	}
	ctx, stop := context.WithTimeout(t.Context(), guard)
	defer stop()
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx, func(feature.CacheEvent) {}) })
	defer running.Wait()
	defer c.Close()
	defer stop()
	for e := environment(); ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		_, _ = c.Get(ctx, environment()) // no copy of it
		_ = c.Set(ctx, e, []byte("x"))
		_ = errors.Join(c.Delete(ctx, e), c.Ping(ctx))
		if log, err := servers.Cache.Do(ctx, "ACL", "LOG"); err == nil && mentions(log, user) {
			return
		}
	}
	t.Errorf("without +%s everything works, want the file without it", user)
}

// mentions reports whether a reply holds the text somewhere.
func mentions(r admin.Reply, text string) bool {
	return r.Text == text || slices.ContainsFunc(r.List, func(r admin.Reply) bool { return mentions(r, text) })
}
