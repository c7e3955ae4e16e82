package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/ofrep"
	"brownout/server/servertest"
)

const (
	evaluations = "/ofrep/v1/evaluate/flags"
	asUser      = `{"context":{"targetingKey":"u"}}`
)

// evaluate asks with a header: names and values in turn.
func evaluate(t testing.TB, url, body string, header ...string) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("POST %s: %v", url, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the answer of POST %s: %v", url, err)
	}
	return answer{resp.StatusCode, resp.Header, string(data)}
}

func on(value string) feature.Draft {
	return feature.Draft{Enabled: true, Value: json.RawMessage(value)}
}

func TestAFlagIsEvaluated(t *testing.T) {
	s := servertest.Start(t, "resilient", func(c *server.Config) { c.OFREPEnvironment = "home" })
	s.MustPut(t, "home", "on", on(`"x"`))
	s.MustPut(t, "home", "off", feature.Draft{Value: json.RawMessage(`true`)})
	s.MustPut(t, "other", "on", on(`2`))
	for _, row := range []struct {
		name, key, environment string
		code                   int
		want                   string
	}{
		{"in the environment of the setting", "on", "", 200, `{"key":"on","value":"x","reason":"STATIC","metadata":{"version":1}}`},
		{"in the one that it names", "on", "other", 200, `{"key":"on","value":2,"reason":"STATIC","metadata":{"version":1}}`},
		{"off", "off", "", 200, `{"key":"off","reason":"DISABLED","metadata":{"version":1}}`},
		{"one that nobody wrote", "nonesuch", "", 404, `{"key":"nonesuch","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no such flag"}`},
		{"in an environment that nobody wrote", "on", "nonesuch", 404, `{"key":"on","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no such flag"}`},
		{"one that nobody can write", "a%22b%20c", "", 404, `{"key":"a\"b c","errorCode":"FLAG_NOT_FOUND","errorDetails":"there is no such flag"}`},
		{"in an environment that nobody can write", "on", "a b", 400, `{"key":"on","errorCode":"GENERAL","errorDetails":"Flag-Environment contains ' ', want only letters, digits, '.', '_' and '-'"}`},
	} {
		var header []string
		if row.environment != "" {
			header = []string{"Flag-Environment", row.environment}
		}
		a := evaluate(t, s.URL+evaluations+"/"+row.key, asUser, header...)
		if a.code != row.code || strings.TrimSpace(a.body) != row.want {
			t.Errorf("%s: %d %s, want %d %s", row.name, a.code, a.body, row.code, row.want)
		}
		if got := a.header.Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: Content-Type %q, want application/json", row.name, got)
		}
		if row.code == 200 && a.header.Get("Flag-Version") != "1" {
			t.Errorf("%s: Flag-Version %q, want 1", row.name, a.header.Get("Flag-Version"))
		}
		if (a.source() == "") != (row.code == 400) {
			t.Errorf("%s: Cache-Status %q with %d", row.name, a.source(), a.code)
		}
	}
}

func TestWhatIsWrongWithAnEvaluationHasItsCode(t *testing.T) {
	s := servertest.Start(t, "resilient")
	one := evaluations + "/f"
	for _, row := range []struct {
		name, method, path, body string
		status                   int
		key, code                string
	}{
		{"no JSON, of one flag", "POST", one, "hello", 400, "f", ofrep.ParseError},
		{"no JSON, of all", "POST", evaluations, "hello", 400, "", ofrep.ParseError},
		{"no body", "POST", one, "", 400, "f", ofrep.ParseError},
		{"no context, of one flag", "POST", one, "{}", 400, "f", ofrep.InvalidContext},
		{"no context, of all", "POST", evaluations, "{}", 400, "", ofrep.InvalidContext},
		{"no targeting key, of one flag", "POST", one, `{"context":{}}`, 400, "f", ofrep.TargetingKeyMissing},
		{"no targeting key, of all", "POST", evaluations, `{"context":{}}`, 400, "", ofrep.TargetingKeyMissing},
		{"a body that is too large, of one flag", "POST", one, asUser + strings.Repeat(" ", 64<<10), 413, "f", ofrep.General},
		{"a body that is too large, of all", "POST", evaluations, asUser + strings.Repeat(" ", 64<<10), 413, "", ofrep.General},
		{"another method, of one flag", "GET", one, "", 405, "f", ofrep.General},
		{"another method, of all", "PUT", evaluations, asUser, 405, "", ofrep.General},
	} {
		a := request(t, row.method, s.URL+row.path, row.body)
		var got ofrep.Failure
		d := json.NewDecoder(strings.NewReader(a.body))
		d.DisallowUnknownFields()
		if err := d.Decode(&got); err != nil || a.code != row.status || got.Key != row.key || got.Code != row.code || got.Details == "" {
			t.Errorf("%s: %d %s (%v), want %d with key %q, code %s and details", row.name, a.code, a.body, err, row.status, row.key, row.code)
		}
		if a.header.Get("Content-Type") != "application/json" || (a.code == 405) != (a.header.Get("Allow") == "POST") {
			t.Errorf("%s: header %v", row.name, a.header)
		}
	}
}

// The protocol has 500 for this, without codes; 503 says that it passes.
func TestAnEvaluationThatNobodyCanAnswerSaysSo(t *testing.T) {
	s := servertest.Start(t, "resilient")
	var fail atomic.Value
	s.Store.Before = func(context.Context, string) error { return fail.Load().(error) }
	for _, row := range []struct {
		err  error
		code int
		want string
	}{
		{feature.ErrUnavailable, 503, `{"errorDetails":"the database is not available"}`},
		{errors.Join(errors.New("secret host")), 500, `{"errorDetails":"the server failed"}`},
	} {
		fail.Store(errors.Join(row.err))
		for _, path := range []string{evaluations, evaluations + "/f"} {
			a := evaluate(t, s.URL+path, asUser)
			if a.code != row.code || strings.TrimSpace(a.body) != row.want || (a.code == 503) != (a.header.Get("Retry-After") != "") {
				t.Errorf("POST %s = %d %s %v, want %d %s", path, a.code, a.body, a.header, row.code, row.want)
			}
		}
	}
}

func TestAllFlagsAreEvaluatedOnceForEachState(t *testing.T) {
	s := servertest.Start(t, "resilient")
	s.MustPut(t, "production", "b", on(`2`))
	s.MustPut(t, "production", "a", on(`1`))
	url := s.URL + evaluations
	first := evaluate(t, url, asUser)
	const want = `{"flags":[{"key":"a","value":1,"reason":"STATIC","metadata":{"version":1}},{"key":"b","value":2,"reason":"STATIC","metadata":{"version":1}}],"metadata":{"environment":"production","revision":2}}`
	tag := first.header.Get("ETag")
	if first.code != 200 || first.body != want || tag == "" {
		t.Fatalf("POST = %d %s with tag %q, want 200 %s and a tag", first.code, first.body, tag, want)
	}
	again := func(body string, tags ...string) answer {
		var header []string
		for _, tag := range tags {
			header = append(header, "If-None-Match", tag)
		}
		return evaluate(t, url, body, header...)
	}
	for name, a := range map[string]answer{
		"the same":                    again(asUser, tag),
		"the same, among others":      again(asUser, `"x"`, `W/"y", `+tag),
		"the same, written otherwise": again(`{ "context": {"targetingKey": "\u0075"} }`, tag),
	} {
		if a.code != 304 || a.body != "" || a.header.Get("ETag") != tag || a.source() == "" {
			t.Errorf("%s: %d %q %v, want 304, no body and the tag", name, a.code, a.body, a.header)
		}
	}
	for name, a := range map[string]answer{
		"another user":        again(`{"context":{"targetingKey":"v"}}`, tag),
		"another environment": evaluate(t, url, asUser, "If-None-Match", tag, "Flag-Environment", "other"),
		"another tag":         again(asUser, `"x"`),
	} {
		if a.code != 200 || a.body == "" {
			t.Errorf("%s: %d %q, want 200 and the flags", name, a.code, a.body)
		}
	}
	if a := request(t, "PUT", s.URL+"/v1/environments/production/flags/a", `{"enabled":true,"value":3}`); a.code != 200 {
		t.Fatalf("PUT = %d", a.code)
	}
	if a := again(asUser, tag); a.code != 200 || !strings.Contains(a.body, `"value":3`) || a.header.Get("ETag") == tag {
		t.Errorf("after a write: %d %s with tag %s, want the new value and another tag than %s", a.code, a.body, a.header.Get("ETag"), tag)
	}
}

// A client with the tag of the fresh answer is told once that it may be old, and then
// has the answer that says so.
func TestOldEvaluationsSaySo(t *testing.T) {
	var down atomic.Bool
	s := servertest.Start(t, "resilient", func(c *server.Config) { c.Backend = server.BackendNone })
	s.Store.Before = func(context.Context, string) error {
		if down.Load() {
			return feature.ErrUnavailable
		}
		return nil
	}
	s.MustPut(t, "production", "f", on(`1`))
	fresh := evaluate(t, s.URL+evaluations, asUser)
	down.Store(true)
	old := evaluate(t, s.URL+evaluations, asUser, "If-None-Match", fresh.header.Get("ETag"))
	if old.code != 200 || !strings.Contains(old.body, `"value":1`) || strings.Count(old.body, `"stale":true`) != 2 || !strings.Contains(old.source(), "snapshot;hit;ttl=-") {
		t.Errorf("with the database down: %d %s from %s, want the flag and that it may be old", old.code, old.body, old.source())
	}
	if a := evaluate(t, s.URL+evaluations, asUser, "If-None-Match", old.header.Get("ETag")); a.code != 304 {
		t.Errorf("with the tag of that = %d, want 304", a.code)
	}
	if a := evaluate(t, s.URL+evaluations+"/f", asUser); a.code != 200 || !strings.Contains(a.body, `"stale":true`) {
		t.Errorf("one flag: %d %s, want that it may be old", a.code, a.body)
	}
	down.Store(false)
	if a := evaluate(t, s.URL+evaluations, asUser, "If-None-Match", fresh.header.Get("ETag")); a.code != 304 {
		t.Errorf("with the database back and the first tag = %d, want 304", a.code)
	}
}
