package server_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"brownout/server"
	"brownout/server/servertest"
)

// logged returns a log at the level debug, and what is written to it.
func logged() (*slog.Logger, *lockedBuffer) {
	var text lockedBuffer
	return slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug})), &text
}

func TestEveryAnswerHasTheIDOfItsRequest(t *testing.T) {
	s := servertest.Start(t, "resilient")
	made := regexp.MustCompile(`^[A-Z2-7]{12}-[0-9a-z]+$`)
	for _, row := range []struct {
		name, brought string
		taken         bool
	}{
		{"a UUID", "0f8fad5b-d9cb-469f-a165-70867728950e", true},
		{"one of a load balancer", "Root=1-67891233-abcdef012345678912345678", true},
		{"base64", "aGVsbG8+/w==", true},
		{"at its longest", strings.Repeat("x", 128), true},
		{"none", "", false},
		{"one that is too long", strings.Repeat("x", 129), false},
		{"one with a quote", `a"b`, false},
		{"one with a space", "a b", false},
		{"one with a comma", "a,b", false},
		{"one outside ASCII", "ü", false},
	} {
		var header []string
		if row.brought != "" {
			header = []string{"X-Request-Id", row.brought}
		}
		for _, path := range []string{evaluations, "/livez", "/nonesuch"} {
			got := evaluate(t, s.URL+path, asUser, header...).header.Values("X-Request-Id")
			if len(got) != 1 || row.taken && got[0] != row.brought || !row.taken && !made.MatchString(got[0]) {
				t.Errorf("%s: POST %s has the ids %q, want what was brought: %t", row.name, path, got, row.taken)
			}
		}
	}
	if a := evaluate(t, s.URL+evaluations, asUser, "X-Request-Id", "a", "X-Request-Id", "b"); !made.MatchString(a.header.Get("X-Request-Id")) {
		t.Errorf("with two ids the answer has %q, want a new one", a.header.Get("X-Request-Id"))
	}
	one, two := request(t, "GET", s.URL+"/livez", ""), request(t, "GET", s.URL+"/livez", "")
	if one.header.Get("X-Request-Id") == two.header.Get("X-Request-Id") {
		t.Errorf("two requests have the id %q", one.header.Get("X-Request-Id"))
	}
}

// A fault that hits every request is told once a second, with the id of one of them.
func TestAFaultOfEveryRequestDoesNotFillTheLog(t *testing.T) {
	log, text := logged()
	s := servertest.Start(t, "resilient", func(c *server.Config) {
		c.Log = log
		c.Store.(*servertest.Store).Before = func(context.Context, string) error { return errors.New("a fault") }
	})
	const requests = 300
	for range requests {
		if a := evaluate(t, flagURL(s), asUser, "X-Request-Id", "x"); a.code != 405 { // never reaches the store
			t.Fatalf("POST = %d, want 405", a.code)
		}
	}
	for range requests {
		if a := evaluate(t, s.URL+evaluations+"/f", asUser, "X-Request-Id", "mine"); a.code != 500 {
			t.Fatalf("POST = %d, want 500", a.code)
		}
	}
	lines := strings.Count(text.String(), `"msg":"request failed"`)
	if lines < 1 || lines > requests/10 {
		t.Errorf("%d lines say that a request failed, want a few", lines)
	}
	if want := `"msg":"request failed","request":"mine","method":"POST","path":"/ofrep/v1/evaluate/flags/f","error":"`; !strings.Contains(text.String(), want) {
		t.Errorf("the log does not contain %s", want)
	}
	if !strings.Contains(text.String(), `"msg":"request","request":"mine","method":"POST","path":"/ofrep/v1/evaluate/flags/f","status":500,`) {
		t.Error("there is no line for the request at the level debug")
	}
}

// A handler that panics answers, and the server goes on.
func TestAPanicIsAnAnswer(t *testing.T) {
	log, text := logged()
	s := servertest.Start(t, "seed", func(c *server.Config) {
		c.Log, c.Backend = log, server.BackendNone
		c.Store.(*servertest.Store).Before = func(context.Context, string) error { panic("hunter2") }
	})
	a := request(t, "GET", flagURL(s), "")
	if a.code != 500 || strings.Contains(a.body, "hunter2") {
		t.Errorf("GET = %d %s, want 500 without the words of the panic", a.code, a.body)
	}
	wantProblem(t, a)
	if a := evaluate(t, s.URL+evaluations, asUser); a.code != 500 || strings.TrimSpace(a.body) != `{"errorDetails":"the server failed"}` {
		t.Errorf("POST = %d %s, want 500 in the protocol's words", a.code, a.body)
	}
	if !strings.Contains(text.String(), "panic: hunter2") || !strings.Contains(text.String(), "guarded") {
		t.Errorf("the log does not tell of the panic and where it was:\n%s", text)
	}
}

// Whatever goes wrong: passwords, tokens and what callers send stay out of the log.
func TestTheLogHasNoSecrets(t *testing.T) {
	log, text := logged()
	p, err := server.FindProfile("resilient")
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.DefaultConfig(p)
	cfg.Log, cfg.AdminToken = log, "hunter2-token"
	cfg.DatabaseURL = "postgres://u:hunter2-database@127.0.0.1:1/db"
	cfg.Backend, cfg.RedisURL = server.BackendTiered, "redis://u:hunter2-cache@127.0.0.1:1/0"
	url := servertest.Serve(t, cfg)
	flag := "http://" + url + "/v1/environments/e/flags/f"
	request(t, "GET", flag+"?token=hunter2-query", "")
	request(t, "PUT", flag, `{"enabled":true,"value":"hunter2-value"}`)
	evaluate(t, "http://"+url+evaluations, `{"context":{"targetingKey":"hunter2-user"}}`, "Authorization", "Bearer hunter2-sent", "X-API-Key", "hunter2-key")
	request(t, "GET", "http://"+url+"/readyz", "")
	if !strings.Contains(text.String(), `"msg":"request"`) || !strings.Contains(text.String(), "fails") {
		t.Fatalf("the log tells nothing of the requests and the failures:\n%s", text)
	}
	if at := bytes.Index([]byte(text.String()), []byte("hunter2")); at >= 0 {
		t.Errorf("the log has a secret: %s", text.String()[max(0, at-200):])
	}
}
