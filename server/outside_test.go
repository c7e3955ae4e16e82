package server

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"brownout/server/feature"
)

// Whatever stands in a path: it is answered by a handler of ours, and reaches the store
// only as a name.
func FuzzNames(f *testing.F) {
	for _, row := range [][2]string{
		{"production", "flag"}, {"a/b", ".."}, {"", "x"}, {".", "%2e"}, {strings.Repeat("x", feature.MaxName+1), "\xff"}, {"a\x00", "ü"}, {"e", ""},
	} {
		f.Add(row[0], row[1])
	}
	f.Fuzz(func(t *testing.T, environment, key string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetPathValue("env", environment)
		r.SetPathValue("key", key)
		e, k, err := names(r)
		if err != nil {
			if p := problemOf(err); p.Status != http.StatusBadRequest {
				t.Fatalf("names(%q, %q) = %v with status %d, want 400", environment, key, err, p.Status)
			}
			return
		}
		if e != environment || k != key || url.PathEscape(e) != e || url.PathEscape(k) != k {
			t.Errorf("names(%q, %q) = %q, %q, want what was sent, with nothing to escape", environment, key, e, k)
		}
		if strings.ContainsAny(e+k, ":! \"\\/\r\n") || e == "" || len(e) > feature.MaxName || len(k) > feature.MaxName || e == ".." || k == ".." {
			t.Errorf("names(%q, %q) lets through what means something else in a key, a channel, a path or JSON", environment, key)
		}
	})
}

// Whatever stands in the fields of a request: an id of it is fit for a header and a log,
// and only the token is the token.
func FuzzFields(f *testing.F) {
	for _, row := range [][2]string{{"a-b_c.1", "Bearer s3cret"}, {"", "bearer  s3cret "}, {"a\r\nb", "Basic x"}, {"ü", "Bearer"}, {strings.Repeat("x", 200), ""}} {
		f.Add(row[0], row[1])
	}
	ids := newIDSource()
	f.Fuzz(func(t *testing.T, id, authorization string) {
		r := &http.Request{Header: http.Header{requestIDField: {id}, "Authorization": {authorization}}}
		got := ids.of(r)
		if got == "" || len(got) > longestID || strings.ContainsFunc(got, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' || c == ',' || c == ';' }) {
			t.Errorf("the id of a request with %q is %q", id, got)
		}
		if token := bearer(r); token != "" && (!strings.HasSuffix(strings.TrimSpace(authorization), token) || !strings.EqualFold(authorization[:len("Bearer ")], "Bearer ")) {
			t.Errorf("the token of %q is %q", authorization, token)
		}
	})
}

// Whatever stands in the environment: it is a setting or one error, and no panic.
func FuzzSettings(f *testing.F) {
	for i, s := range Settings() {
		value, _, _ := strings.Cut(s.Default, " in ")
		f.Add(uint8(i), value)
	}
	f.Add(uint8(0), "hunter2")
	f.Fuzz(func(t *testing.T, n uint8, value string) {
		all := Settings()
		name := all[int(n)%len(all)].Name
		if strings.HasSuffix(name, "_FILE") {
			return // reads files
		}
		c, err := FromEnviron(func(asked string) (string, bool) {
			switch asked {
			case name:
				return value, true
			case "DATABASE_URL":
				return "postgres://h/db", true
			}
			return "", false
		})
		if err == nil && c.ListenAddr == "" {
			t.Errorf("%s=%q gives no configuration and no error", name, value)
		}
	})
}
