package server

import (
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brownout/server/cache"

	"github.com/google/go-cmp/cmp"
)

// INTERFACES.md names the paths, the methods and the metrics that there are.
func TestTheInterfacesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("INTERFACES.md")
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultConfig(Profiles()[0])
	cfg.DatabaseURL, cfg.Backend, cfg.RedisURL = "postgres://h/db", cache.BackendRedis, "redis://h"
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.flags.cache.Close()
	for _, r := range s.routes() {
		methods := slices.DeleteFunc(r.names(), func(name string) bool { return name == "HEAD" })
		row := ""
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "| `/") && strings.Contains(line, "`"+r.pattern+"`") {
				row = line
			}
		}
		for _, method := range methods {
			if !strings.Contains(row, method) {
				t.Errorf("%s %s stands in no row: %q", method, r.pattern, row)
			}
		}
	}
	h := s.Handler()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/livez", nil))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	page, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Metrics")
	documented := matches(`(?m)\x60([a-z_]+)\x60`, matches(`(?m)^\| (\x60[a-z_\x60, ]+) \|`, []string{table}))
	if diff := cmp.Diff(matches(`(?m)^# TYPE brownout_([a-z_]+)`, []string{string(page)}), documented); diff != "" {
		t.Errorf("metrics (-shown +documented):\n%s", diff)
	}
}

// matches is what the group of pattern matches in texts, sorted and once each.
func matches(pattern string, texts []string) []string {
	var all []string
	for _, text := range texts {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
