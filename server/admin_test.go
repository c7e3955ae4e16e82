package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"brownout/server"
	"brownout/server/servertest"
)

func TestWhoMayWrite(t *testing.T) {
	const here, there = "127.0.0.1:5000", "192.0.2.1:5000"
	for _, row := range []struct {
		name, token, from, authorization string
		want                             int
	}{
		{"without a token, from this machine", "", here, "", 201},
		{"without a token, from this machine over IPv6", "", "[::1]:5000", "", 201},
		{"without a token, from this machine as IPv6 sees IPv4", "", "[::ffff:127.0.0.1]:5000", "", 201},
		{"without a token, from elsewhere", "", there, "", 403},
		{"without a token, from elsewhere with an empty one", "", there, "Bearer ", 403},
		{"without a token, from nowhere", "", "", "", 403},
		{"with the token", "s3cret", there, "Bearer s3cret", 201},
		{"the scheme has no case", "s3cret", there, "bearer s3cret", 201},
		{"another token", "s3cret", here, "Bearer s3cre", 401},
		{"no token, also from this machine", "s3cret", here, "", 401},
		{"another scheme", "s3cret", here, "Basic s3cret", 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := server.FindProfile("resilient")
			if err != nil {
				t.Fatal(err)
			}
			cfg := server.DefaultConfig(p)
			cfg.Store, cfg.AdminToken = servertest.NewStore(), row.token
			s, err := server.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			h := s.Handler()
			serve := func(method, path string) *httptest.ResponseRecorder {
				r := httptest.NewRequest(method, path, strings.NewReader(`{"enabled":true,"value":1}`))
				r.RemoteAddr = row.from
				r.Header.Set("Authorization", row.authorization)
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				return w
			}
			w := serve("PUT", "/v1/environments/e/flags/f")
			if w.Code != row.want || strings.Contains(w.Body.String(), "s3cret") {
				t.Errorf("PUT = %d %s, want %d", w.Code, w.Body, row.want)
			}
			if (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("status %d with WWW-Authenticate %q, want it with 401 and only there", w.Code, w.Header().Get("WWW-Authenticate"))
			}
			if w.Code >= 400 {
				wantProblem(t, answer{w.Code, w.Header(), w.Body.String()})
			}
			wantDeleted := map[int]int{201: http.StatusNoContent}[row.want]
			if wantDeleted == 0 {
				wantDeleted = row.want
			}
			if w := serve("DELETE", "/v1/environments/e/flags/f"); w.Code != wantDeleted {
				t.Errorf("DELETE = %d, want %d", w.Code, wantDeleted)
			}
			if w := serve("GET", "/v1/environments/e/flags"); w.Code != 200 {
				t.Errorf("GET = %d, want 200: reading is free", w.Code)
			}
		})
	}
}
