package main

import (
	"encoding/json"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brownout/chaos/stack"
	"brownout/results"
	"brownout/server"

	"github.com/goccy/go-yaml"
)

// A composeFile is what these tests read of docker-compose.yml.
type composeFile struct {
	Services map[string]composeService
	Configs  map[string]struct{ Content string }
}

type composeService struct {
	Image       string
	Command     []string
	Environment map[string]string
	Ports       []string
	Healthcheck struct{ Test []string }
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Build       struct {
		Dockerfile string `yaml:"dockerfile_inline"`
	}
}

func readCompose(t *testing.T) composeFile {
	t.Helper()
	text, err := os.ReadFile("docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file composeFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatalf("docker-compose.yml: %v", err)
	}
	return file
}

// required is the version of a module in go.mod.
func required(t *testing.T, pattern string) string {
	t.Helper()
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\s*` + pattern + ` v?(\S+)`).FindStringSubmatch(string(text))
	if found == nil {
		t.Fatalf("go.mod says nothing of %s", pattern)
	}
	return found[1]
}

func TestComposeStartsWhatTheHarnessStarts(t *testing.T) {
	file := readCompose(t)
	for service, want := range map[string]string{
		"redis":     stack.Image(stack.Redis),
		"postgres":  stack.Image(stack.Postgres),
		"toxiproxy": "ghcr.io/shopify/toxiproxy:" + required(t, "github.com/Shopify/toxiproxy/v2"),
		"server":    "brownout-server", // built here
	} {
		if got := file.Services[service].Image; got != want {
			t.Errorf("the image of %s is %q, want %q", service, got, want)
		}
	}
	if len(file.Services) != 4 {
		t.Errorf("there are %d services, want 4", len(file.Services))
	}
	if want := "FROM golang:" + required(t, "go") + " AS build\n"; !strings.HasPrefix(file.Services["server"].Build.Dockerfile, want) {
		t.Errorf("the server is built by\n%s\nwant %q, the version of go.mod", file.Services["server"].Build.Dockerfile, want)
	}
}

func TestComposePublishesOnLoopbackOnly(t *testing.T) {
	for name, service := range readCompose(t).Services {
		if len(service.Ports) == 0 {
			t.Errorf("%s publishes nothing", name)
		}
		for _, port := range service.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s publishes %s, want it on 127.0.0.1", name, port)
			}
		}
		if len(service.Healthcheck.Test) < 2 {
			t.Errorf("%s has no health check", name)
		}
		for on, how := range service.DependsOn {
			if how.Condition != "service_healthy" {
				t.Errorf("%s waits for %s until %q, want until it is healthy", name, on, how.Condition)
			}
		}
	}
}

// proxies are the Toxiproxy's, by name.
func (f composeFile) proxies(t *testing.T) map[string]composeProxy {
	t.Helper()
	var list []composeProxy
	if err := json.Unmarshal([]byte(f.Configs["proxies"].Content), &list); err != nil {
		t.Fatalf("the proxies: %v", err)
	}
	all := map[string]composeProxy{}
	for _, p := range list {
		all[p.Name] = p
	}
	return all
}

type composeProxy struct {
	Name, Listen, Upstream string
	Enabled                bool
}

func TestComposePutsTheServerBehindTheProxies(t *testing.T) {
	file := readCompose(t)
	env := file.Services["server"].Environment
	var known []string
	for _, s := range server.Settings() {
		known = append(known, s.Name)
	}
	for name := range env {
		if !slices.Contains(known, name) {
			t.Errorf("the server knows no setting %s", name)
		}
	}
	proxies := file.proxies(t)
	for _, row := range []struct{ link, setting, upstream string }{
		{results.LinkCache, "REDIS_URL", "redis:6379"},
		{results.LinkDatabase, "DATABASE_URL", "postgres:5432"},
	} {
		proxy := proxies[row.link]
		if proxy.Upstream != row.upstream || !proxy.Enabled {
			t.Errorf("the proxy %s is %+v, want it in front of %s", row.link, proxy, row.upstream)
		}
		_, port, err := net.SplitHostPort(proxy.Listen)
		if err != nil {
			t.Errorf("the proxy %s: %v", row.link, err)
		}
		u, err := url.Parse(env[row.setting])
		if err != nil || u.Host != "toxiproxy:"+port {
			t.Errorf("%s leads to %s, %v; want toxiproxy:%s", row.setting, u.Host, err, port)
		}
		if want := "127.0.0.1:" + port + ":" + port; !slices.Contains(file.Services["toxiproxy"].Ports, want) {
			t.Errorf("the proxy %s is not published as %s", row.link, want)
		}
	}
}

func TestComposeGivesTheServerItsDatabase(t *testing.T) {
	file := readCompose(t)
	made := file.Services["postgres"].Environment
	u, err := url.Parse(file.Services["server"].Environment["DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	want := []string{made["POSTGRES_USER"], made["POSTGRES_PASSWORD"], "/" + made["POSTGRES_DB"]}
	if got := []string{u.User.Username(), password, u.Path}; !slices.Equal(got, want) {
		t.Errorf("DATABASE_URL has %v, postgres is made with %v", got, want)
	}
}

// A write through a published port does not come from the server's own machine.
func TestComposeLetsPeopleWrite(t *testing.T) {
	token := readCompose(t).Services["server"].Environment["ADMIN_TOKEN"]
	fallback, found := strings.CutPrefix(token, "${ADMIN_TOKEN:-")
	if fallback = strings.TrimSuffix(fallback, "}"); !found || fallback == "" {
		t.Fatalf("ADMIN_TOKEN is %q, want a variable with a default", token)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "Authorization: Bearer " + fallback; !strings.Contains(string(readme), want) {
		t.Errorf("README.md does not contain %q", want)
	}
}
