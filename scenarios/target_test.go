package scenarios

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goodTarget = `name: app
command: [node, "{dir}/app.js"]
address: http://127.0.0.1:{port}
env: {PORT: "{port}", REDIS_HOST: "{cache.host}", REDIS_PORT: "{cache.port}", PGURL: "{database.url}"}
settings: {mode: APP_MODE}
links: {cache: "127.0.0.1:6390"}
read:
  url: /flags/{key}
`

func TestTargetNeedsOneRequestOnly(t *testing.T) {
	target, err := ParseTarget("t.yaml", []byte("name: app\naddress: http://127.0.0.1:9\nread: {url: \"/{key}\"}\n"))
	if err != nil {
		t.Fatalf("ParseTarget: %v", err)
	}
	if target.Started() {
		t.Error("a target without a command is to be started")
	}
	if tells := target.Tells(); tells.Token || tells.Version || tells.Source || tells.Writes {
		t.Errorf("Tells() = %+v, want nothing told", tells)
	}
}

func TestTargetEnviron(t *testing.T) {
	target, err := ParseTarget("t.yaml", []byte(goodTarget))
	if err != nil {
		t.Fatalf("ParseTarget: %v", err)
	}
	values := map[string]string{"port": "9", "cache.host": "127.0.0.1", "cache.port": "6390"}
	got, err := target.Environ(map[string]string{"mode": "fast"}, values)
	if err != nil {
		t.Fatalf("Environ: %v", err)
	}
	// There is no database in this run: PGURL must not be there at all.
	want := map[string]string{"PORT": "9", "REDIS_HOST": "127.0.0.1", "REDIS_PORT": "6390", "APP_MODE": "fast"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Environ (-want +got):\n%s", diff)
	}
	if _, err := target.Environ(map[string]string{"profile": "seed"}, values); err == nil || !strings.Contains(err.Error(), "it has mode") {
		t.Errorf("Environ(unknown setting) = %v, want the settings that there are", err)
	}
}

func TestParseTargetNamesPlaceAndRemedy(t *testing.T) {
	tests := []struct {
		name, old, new string
		want           []string
	}{
		{"an unknown key", "settings:", "setings:", []string{"t.yaml:5:1", "unknown field", `did you mean "settings"`}},
		{"an unknown placeholder", "{cache.host}", "{cache.hots}", []string{"t.yaml:4:35", "there is no {cache.hots}", "{cache.host}"}},
		{"an address without a scheme", "http://127.0.0.1:{port}", "127.0.0.1:{port}", []string{"t.yaml:3:10", "is not an address"}},
		{"a request without a path", "/flags/{key}", "flags/{key}", []string{"t.yaml:8:8", "is not a path"}},
		{"no request at all", "read:\n  url: /flags/{key}\n", "", []string{"t.yaml:1:7", "read is missing"}},
		{"metrics without a path", "settings:", "metrics: prometheus\nsettings:", []string{"t.yaml:5:10", "is not a path"}},
		{"a link open to others", "127.0.0.1:6390", "0.0.0.0:6390", []string{"t.yaml:6:16", "loopback"}},
		{"an unknown placeholder in a request", "/flags/{key}", "/flags/{flag}", []string{"t.yaml:8:8", "flag"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !strings.Contains(goodTarget, test.old) {
				t.Fatalf("the good file has no %q", test.old)
			}
			_, err := ParseTarget("t.yaml", []byte(strings.Replace(goodTarget, test.old, test.new, 1)))
			if err == nil {
				t.Fatalf("ParseTarget gives no error, want %q", test.want)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("ParseTarget = %q, want it to contain %q", err, want)
				}
			}
		})
	}
}
