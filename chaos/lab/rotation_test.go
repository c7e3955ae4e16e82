package lab

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"brownout/chaos/failover"
	"brownout/chaos/stack"
)

// clientOf is a client with go-redis' defaults that finds the cache by the lab's
// URL.
func clientOf(t *testing.T, l *Lab) redis.UniversalClient {
	t.Helper()
	text := l.CacheURL()
	var c redis.UniversalClient
	switch l.cfg.Stack.Cache {
	case stack.Sentinel:
		o, err := redis.ParseFailoverURL(strings.Replace(text, "+sentinel", "", 1))
		if err != nil {
			t.Fatal(err)
		}
		c = redis.NewFailoverClient(o)
	case stack.Cluster:
		o, err := redis.ParseClusterURL(strings.Replace(text, "+cluster", "", 1))
		if err != nil {
			t.Fatal(err)
		}
		c = redis.NewClusterClient(o)
	default:
		o, err := redis.ParseURL(text)
		if err != nil {
			t.Fatal(err)
		}
		c = redis.NewClient(o)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestWhatClientsMeetInAnAuthRotation: a client that is connected meets nothing; of
// those that come, the one with the old password is refused when the new one is set,
// and the one that asked the lab before it was handed over is that one.
func TestWhatClientsMeetInAnAuthRotation(t *testing.T) {
	for name, c := range map[string]stack.Config{
		"redis":                        {Cache: stack.Redis},
		"replicated with users":        {Cache: stack.Replicated, ACL: true},
		"sentinel":                     {Cache: stack.Sentinel},
		"a cluster with users of each": {Cache: stack.Cluster, ACL: true},
	} {
		t.Run(name, func(t *testing.T) {
			c.Password = "the-first-password"
			l := openLab(t, Config{Stack: c})
			stays := clientOf(t, l)
			met := map[string]string{}
			meet := func(step string) {
				met[step] = strings.Join([]string{
					word(stays.Set(t.Context(), "key", "value", 0).Err()),
					word(clientOf(t, l).Set(t.Context(), "key", "value", 0).Err()),
				}, " ")
			}
			meet("before")
			old := clientOf(t, l)
			told := map[string]string{}
			p, _ := failover.Find("auth-rotation")
			site := siteOf[failover.Passwords](t, l)
			err := failover.Run(t.Context(), p.Steps(failover.Times{"handed-over": 0, "set": 0}, 1), site, func(d failover.Done) {
				meet(d.Step)
				told[d.Step] = passwordOf(t, l)
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range []string{"before", "rotate", "hand-over", "set"} {
				if met[step] != "ok ok" {
					t.Errorf("%s: the client that stays and the one that comes met %q, want ok ok", step, met[step])
				}
			}
			if err := old.Set(t.Context(), "key", "value", 0).Err(); word(err) != "WRONGPASS" {
				t.Errorf("with the old password = %v, want WRONGPASS", err)
			}
			if told["rotate"] != c.Password || told["hand-over"] == c.Password || told["set"] != told["hand-over"] {
				t.Errorf("passwords in the file = %v, want another one from hand-over on", told)
			}
			if err := l.Stack.Await(t.Context()); err != nil {
				t.Errorf("after the plan the topology is not whole: %v", err)
			}
		})
	}
}

// word is what a client met: the first word of an answer of Redis, or all of
// another error.
func word(err error) string {
	var answer redis.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &answer):
		return strings.Fields(answer.Error())[0]
	}
	return err.Error()
}

// passwordOf is the password that the lab's file has.
func passwordOf(t *testing.T, l *Lab) string {
	t.Helper()
	for _, a := range l.Addresses() {
		if a.Name != "REDIS_PASSWORD_FILE" {
			continue
		}
		data, err := os.ReadFile(a.Value)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(data))
	}
	t.Fatal("Addresses() has no REDIS_PASSWORD_FILE")
	return ""
}
