package cache

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Whatever stands in REDIS_URL is an address, or an error that does not tell a password.
func FuzzParseURL(f *testing.F) {
	for _, text := range []string{
		"redis://127.0.0.1:6379/0", "rediss://user:hunter2@host", "redis+sentinel://u:hunter2@h:1/2?master_name=m&addr=i:2&username=x&password=hunter2",
		"redis+cluster://:hunter2@h:1?addr=i:2", "redis+cluster://h/1", "redis://h:99999", "redis://[::1]:1", "redis://u:hunter2@/0", "http://h",
		"redis://h/x", "redis://h?read_timeout=hunter2", "redis+sentinel://h", "redis://%zz:hunter2@h", "rediss+sentinel://h?master_name=", "redis://h:1/0?%zz=hunter2",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseURL(text)
		if err != nil {
			// The word is too long to stand in the error by accident.
			if secret := "hunter2"; strings.Contains(text, secret) && strings.Contains(err.Error(), secret) {
				t.Errorf("parseURL(%q) = %v, which tells the password", text, err)
			}
			return
		}
		u, err := url.Parse(text)
		if err != nil {
			t.Fatalf("parseURL(%q) takes what is no URL: %v", text, err)
		}
		if (a.tls != nil) != strings.HasPrefix(u.Scheme, "rediss") {
			t.Errorf("parseURL(%q) has TLS: %t, want what the scheme says", text, a.tls != nil)
		}
		if !slices.Contains([]string{single, sentinel, cluster}, a.kind) || len(a.options.Addrs) == 0 || a.kind == sentinel && a.options.MasterName == "" {
			t.Errorf("parseURL(%q) = %+v, want a kind, an address and, of Sentinels, the name of a primary", text, a)
		}
	})
}

// Anybody who may publish can say anything: it drops one environment at most, never an
// own one, and moves the heartbeat never into the future.
func FuzzTakeMessage(f *testing.F) {
	for _, row := range [][2]string{
		{invalidated, "ID production"}, {invalidated, "other production"}, {invalidated, ""}, {invalidated, " "}, {invalidated, "other "}, {invalidated, "other a b"},
		{heartbeat + "ID", "1"}, {heartbeat + "ID", "-1"}, {heartbeat + "ID", "9223372036854775807"}, {heartbeat + "ID", "x"}, {"", ""},
	} {
		f.Add(row[0], row[1])
	}
	f.Fuzz(func(t *testing.T, name, payload string) {
		var dropped []string
		c := &channel{id: "ID", start: time.Now(), since: time.Now(), drop: func(environment string) { dropped = append(dropped, environment) }}
		c.take(&redis.Message{Channel: name, Payload: payload})
		id, environment, ok := strings.Cut(payload, " ")
		var want []string
		if name == invalidated && ok && id != "ID" {
			want = []string{environment}
		}
		if fmt.Sprint(dropped) != fmt.Sprint(want) {
			t.Errorf("take(%q, %q) drops %q, want %q", name, payload, dropped, want)
		}
		if name == invalidated && !c.heard.IsZero() {
			t.Errorf("take(%q, %q) is a heartbeat", name, payload)
		}
		if c.heard.After(time.Now()) {
			t.Errorf("take(%q, %q) was sent at %v, which is not yet", name, payload, c.heard)
		}
	})
}
