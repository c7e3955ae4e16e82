package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// guard is far longer than anything here takes.
const guard = 30 * time.Second

// An answer is what a request brought back.
type answer struct {
	code   int
	header http.Header
	body   string
}

// source is the answer's Cache-Status.
func (a answer) source() string { return a.header.Get("Cache-Status") }

func (a answer) flag(t *testing.T) feature.Flag {
	t.Helper()
	var f feature.Flag
	if err := json.Unmarshal([]byte(a.body), &f); err != nil {
		t.Fatalf("decoding the flag %q: %v", a.body, err)
	}
	return f
}

func request(t testing.TB, method, url, body string) answer {
	t.Helper()
	a, err := try(method, url, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return a
}

// try may be called from any goroutine.
func try(method, url, body string) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(data)}, err
}

// flagURL is the address of flag f in environment e.
func flagURL(s *servertest.Server) string { return s.URL + "/v1/environments/e/flags/f" }

// put writes flag f and checks that it worked.
func put(t testing.TB, s *servertest.Server, value int) answer {
	t.Helper()
	a := request(t, "PUT", flagURL(s), fmt.Sprintf(`{"enabled":true,"value":%d}`, value))
	if a.code != 200 && a.code != 201 {
		t.Fatalf("PUT = %d %s, want 200 or 201", a.code, a.body)
	}
	return a
}

// wantValue reads flag f.
func wantValue(t testing.TB, s *servertest.Server, value int, source string) {
	t.Helper()
	a := request(t, "GET", flagURL(s), "")
	if got, want := fmt.Sprint(a.code, " ", a.source()), "200 "+source; got != want || !strings.Contains(a.body, fmt.Sprintf(`"value":%d,`, value)) {
		t.Errorf("GET = %s %s, want %s and value %d", got, a.body, want, value)
	}
}

func withCache(c feature.Cache) func(*server.Config) {
	return func(cfg *server.Config) { cfg.Cache = c }
}

func TestAFlagLivesOverHTTP(t *testing.T) {
	s := servertest.Start(t, "resilient")
	url := flagURL(s)

	a := request(t, "PUT", url, `{"enabled":true,"value":{"a":[1, 2]},"variants":{"on":true},"description":"d"}`)
	f := a.flag(t)
	if a.code != 201 || f.Version != 1 || a.header.Get("Flag-Version") != "1" || f.UpdatedAt.IsZero() {
		t.Errorf("first PUT = %d, version %d, header %q, updated %v; want 201, 1, 1 and a time", a.code, f.Version, a.header.Get("Flag-Version"), f.UpdatedAt)
	}
	if a := request(t, "GET", url, ""); a.code != 200 || a.header.Get("Flag-Version") != "1" || a.header.Get("Content-Type") != "application/json" ||
		!strings.HasPrefix(a.body, `{"key":"f","enabled":true,"value":{"a":[1,2]},"variants":{"on":true},"description":"d","version":1,"updated_at":"`) {
		t.Errorf("GET = %d %v %s, want the flag", a.code, a.header, a.body)
	}
	if a := request(t, "PUT", url, `{"enabled":false,"value":null}`); a.code != 200 || a.header.Get("Flag-Version") != "2" || strings.Contains(a.body, "variants") {
		t.Errorf("second PUT = %d %s, want 200, version 2 and no variants", a.code, a.body)
	}
	if a := request(t, "DELETE", url, ""); a.code != 204 || a.body != "" {
		t.Errorf("DELETE = %d %q, want 204 and no body", a.code, a.body)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if a := request(t, method, url, ""); a.code != 404 {
			t.Errorf("%s after DELETE = %d, want 404", method, a.code)
		}
	}
	if a := request(t, "PUT", url, `{"enabled":true,"value":1}`); a.code != 201 || a.header.Get("Flag-Version") != "4" {
		t.Errorf("PUT after DELETE = %d, version %s; want 201 and 4: the deletion was 3", a.code, a.header.Get("Flag-Version"))
	}
}

func TestAnEnvironmentIsListedByKey(t *testing.T) {
	s := servertest.Start(t, "resilient")
	for _, key := range []string{"b", "c", "a"} {
		s.MustPut(t, "e", key, feature.Draft{Value: json.RawMessage("1")})
	}
	var list struct {
		Environment string
		Flags       []feature.Flag
	}
	a := request(t, "GET", s.URL+"/v1/environments/e/flags", "")
	if err := json.Unmarshal([]byte(a.body), &list); err != nil {
		t.Fatal(err)
	}
	keys := ""
	for _, f := range list.Flags {
		keys += f.Key
	}
	if list.Environment != "e" || keys != "abc" {
		t.Errorf("list = %q of %q, want abc of e", keys, list.Environment)
	}
	if a := request(t, "GET", s.URL+"/v1/environments/empty/flags", ""); a.code != 200 || a.body != `{"environment":"empty","flags":[]}`+"\n" {
		t.Errorf("an environment nobody wrote = %d %s, want an empty list", a.code, a.body)
	}
}

func TestWhatIsWrongIsAProblemWithItsStatus(t *testing.T) {
	s := servertest.Start(t, "resilient")
	const flags = "/v1/environments/e/flags"
	good := `{"enabled":true,"value":1}`
	long := strings.Repeat("x", feature.MaxName)
	for _, row := range []struct {
		name, method, path, body string
		want                     int
	}{
		{"a flag that nobody wrote", "GET", flags + "/nonesuch", "", 404},
		{"a path that is none", "GET", "/v2", "", 404},
		{"a path with nothing behind the slash", "GET", flags + "/", "", 404},
		{"a method that a list does not have", "POST", flags, good, 405},
		{"a method that a flag does not have", "PATCH", flags + "/f", good, 405},
		{"a method that probes do not have", "PUT", "/readyz", "", 405},
		{"a name at its longest", "PUT", flags + "/" + long, good, 201},
		{"a key that is too long", "PUT", flags + "/" + long + "x", good, 400},
		{"an environment that is too long", "GET", "/v1/environments/" + long + "x/flags", "", 400},
		{"a key with a space", "PUT", flags + "/a%20b", good, 400},
		{"a key with a slash", "GET", flags + "/a%2Fb", "", 400},
		{"a key that is not UTF-8", "GET", flags + "/%ff", "", 400},
		{"an environment with a line break", "GET", "/v1/environments/a%0Ab/flags", "", 400},
		{"no body", "PUT", flags + "/f", "", 400},
		{"a body that is no JSON", "PUT", flags + "/f", "hello", 400},
		{"a body that ends in the middle", "PUT", flags + "/f", `{"enabled":true,"val`, 400},
		{"a body that is a list", "PUT", flags + "/f", `[]`, 400},
		{"a body that is null", "PUT", flags + "/f", `null`, 400},
		{"a body without enabled", "PUT", flags + "/f", `{"value":1}`, 400},
		{"a body without a value", "PUT", flags + "/f", `{"enabled":true}`, 400},
		{"enabled that is no boolean", "PUT", flags + "/f", `{"enabled":"yes","value":1}`, 400},
		{"variants that are a list", "PUT", flags + "/f", `{"enabled":true,"value":1,"variants":[]}`, 400},
		{"a description that is a number", "PUT", flags + "/f", `{"enabled":true,"value":1,"description":1}`, 400},
		{"a description that PostgreSQL cannot keep", "PUT", flags + "/f", `{"enabled":true,"value":1,"description":"\u0000"}`, 400},
		{"a field that nobody knows", "PUT", flags + "/f", `{"enabled":true,"value":1,"version":7}`, 400},
		{"two bodies", "PUT", flags + "/f", good + good, 400},
		{"a body that is not UTF-8", "PUT", flags + "/f", "{\"enabled\":true,\"value\":\"\xff\"}", 400},
		{"a body at its largest", "PUT", flags + "/f", good + strings.Repeat(" ", 64<<10-len(good)), 201},
		{"a body that is too large", "PUT", flags + "/f", good + strings.Repeat(" ", 64<<10-len(good)+1), 413},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := request(t, row.method, s.URL+row.path, row.body)
			if a.code != row.want {
				t.Fatalf("%s %s = %d %s, want %d", row.method, row.path, a.code, a.body, row.want)
			}
			if row.want >= 400 {
				wantProblem(t, a)
			}
		})
	}
}

func wantProblem(t *testing.T, a answer) {
	t.Helper()
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	d := json.NewDecoder(strings.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || p.Status != a.code || p.Title != http.StatusText(a.code) || p.Detail == "" || p.Type != "about:blank" {
		t.Errorf("the problem is %s (%v), want status %d and a detail", a.body, err, a.code)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type is %q, want application/problem+json", got)
	}
	if a.code == 405 && a.header.Get("Allow") == "" {
		t.Error("405 without Allow")
	}
	if (a.code == 503) != (a.header.Get("Retry-After") != "") {
		t.Errorf("status %d with Retry-After %q, want it with 503 and only there", a.code, a.header.Get("Retry-After"))
	}
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	s := servertest.Start(t, "resilient")
	put(t, s, 1)
	if a := request(t, "HEAD", flagURL(s), ""); a.code != 200 || a.body != "" || a.header.Get("Flag-Version") != "1" {
		t.Errorf("HEAD = %d %q %v, want 200, no body and the version", a.code, a.body, a.header)
	}
}

func TestStoreErrorsHaveOneStatusEach(t *testing.T) {
	var mu sync.Mutex
	var fail error
	s := servertest.Start(t, "resilient")
	s.Store.Before = func(context.Context, string) error {
		mu.Lock()
		defer mu.Unlock()
		return fail
	}
	for _, row := range []struct {
		name string
		err  error
		want int
	}{
		{"a database that is gone", fmt.Errorf("secret host: %w", feature.ErrUnavailable), 503},
		{"a write whose outcome is unknown", fmt.Errorf("secret host: %w: %w", feature.ErrUnknownOutcome, feature.ErrUnavailable), 503},
		{"anything else", errors.New("secret host"), 500},
	} {
		mu.Lock()
		fail = row.err
		mu.Unlock()
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			a := request(t, method, flagURL(s), `{"enabled":true,"value":1}`)
			if a.code != row.want || strings.Contains(a.body, "secret") {
				t.Errorf("%s: %s = %d %s, want %d without the words of the error", row.name, method, a.code, a.body, row.want)
			}
			wantProblem(t, a)
			if method == "GET" && a.source() == "" {
				t.Errorf("%s: GET without Cache-Status", row.name)
			}
		}
	}
}

func TestReadyNamesWhatIsMissing(t *testing.T) {
	const (
		ok        = `{"name":"database","required":true,"ok":true}`
		cacheOK   = `{"name":"cache","backend":"memory","required":false,"ok":true}`
		cacheGone = `{"name":"cache","backend":"redis","required":false,"ok":false,"error":"timeout"}`
	)
	silent := servertest.Silent(t)
	gone := func(*servertest.Store) func(context.Context, string) error {
		return func(context.Context, string) error { return feature.ErrUnavailable }
	}
	for _, row := range []struct {
		name   string
		change func(*server.Config)
		before func(*servertest.Store) func(context.Context, string) error
		code   int
		want   string
	}{
		{"all is well", nil, nil, 200, `{"ready":true,"dependencies":[` + ok + `,` + cacheOK + `]}`},
		{"a cache that is silent", func(c *server.Config) { c.Backend, c.RedisURL = "redis", silent.URL() }, nil,
			200, `{"ready":true,"dependencies":[` + ok + `,` + cacheGone + `]}`},
		{"a database that is gone", nil, gone,
			503, `{"ready":false,"dependencies":[{"name":"database","required":true,"ok":false,"error":"error"},` + cacheOK + `]}`},
	} {
		for _, profile := range []string{"seed", "resilient"} {
			t.Run(row.name+" in "+profile, func(t *testing.T) {
				s := servertest.Start(t, profile, func(c *server.Config) {
					if row.change != nil {
						row.change(c)
					}
					if row.before != nil {
						store := c.Store.(*servertest.Store)
						store.Before = row.before(store)
					}
				})
				if a := request(t, "GET", s.URL+"/readyz", ""); a.code != row.code || strings.TrimSpace(a.body) != row.want {
					t.Errorf("GET /readyz = %d %s, want %d %s", a.code, a.body, row.code, row.want)
				}
				if a := request(t, "GET", s.URL+"/livez", ""); a.code != 200 {
					t.Errorf("GET /livez = %d, want 200", a.code)
				}
			})
		}
	}
}

// lockedBuffer takes the log of a server.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// get gives up when ctx ends.
func get(ctx context.Context, url string) {
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return
	}
	if resp, err := http.DefaultClient.Do(r); err == nil {
		resp.Body.Close()
	}
}
