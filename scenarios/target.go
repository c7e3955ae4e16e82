package scenarios

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"brownout/loadtest"
	"brownout/results"
)

// A Target is the system under test: how to start it, when it is ready, how to
// read and write a flag, and where an answer says its version and source.
type Target struct {
	Name     string
	Command  []string          // how to start it; empty: it runs already, at Address
	Address  string            // base URL; for a started target it may use {listen}
	Ready    string            // path that answers 2xx when the target can be used; "": a TCP connection will do
	Startup  time.Duration     // how long it may take until then
	Metrics  string            // path of its metrics in Prometheus' text format; "": it has none
	Env      map[string]string // its environment, with placeholders; see Placeholders
	Settings map[string]string // name of a setting in a scenario's server: → variable of the environment
	Links    map[string]string // link → fixed host:port to listen on; others get a free port
	Requests loadtest.Requests // with URLs relative to Address
	File     string
}

// Started reports whether the harness starts the target itself.
func (t *Target) Started() bool { return len(t.Command) > 0 }

// Tells says what an answer of the target tells.
func (t *Target) Tells() results.Tells {
	a := t.Requests.ReadAnswer
	nowhere := loadtest.Locator{}
	return results.Tells{
		Token: a.Token != nowhere, Version: a.Version != nowhere, Source: a.Source.Header != "",
		Writes: t.Requests.Write != nil,
	}
}

// Placeholders lists what may stand in braces in env, command and address of a
// target file, with what it stands for.
func Placeholders() [][2]string {
	return [][2]string{
		{"self", "path of the brownout binary"},
		{"dir", "folder of the target file"},
		{"listen", "free host:port for the target"},
		{"host", "its host"},
		{"port", "its port"},
		{"cache.url", "URL of the cache, through its link"},
		{"cache.host", "its host"},
		{"cache.port", "its port"},
		{"cache.user", "its user, with a password"},
		{"cache.password", "its password"},
		{"cache.password_file", "file that has the password of now"},
		{"cache.reader_url", "URL of a replicated cache's reader endpoint"},
		{"cache.sentinels", "host:port of each Sentinel, with commas"},
		{"cache.sentinel_primary", "name under which Sentinels know the primary"},
		{"cache.nodes", "host:port of each node of a cluster, with commas"},
		{"ca_file", "certificate (PEM) that signs those of the cache, with TLS"},
		{"database.url", "URL of the database, through its link"},
		{"database.host", "its host"},
		{"database.port", "its port"},
		{"database.user", "its user"},
		{"database.password", "its password"},
		{"database.name", "name of the database"},
	}
}

var placeholder = regexp.MustCompile(`\{([a-z._]+)\}`)

// Expand replaces the placeholders in text. It reports false when the text uses a
// dependency that the run does not have (its value is missing in values).
func Expand(text string, values map[string]string) (string, bool) {
	whole := true
	out := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		value, ok := values[found[1:len(found)-1]]
		whole = whole && ok
		return value
	})
	return out, whole
}

// Environ is the target's environment: its env with placeholders replaced, and
// the scenario's settings under the variables that the target file names. A
// variable whose dependency the run does not have is left out.
func (t *Target) Environ(settings, values map[string]string) (map[string]string, error) {
	env := map[string]string{}
	for name, text := range t.Env {
		if value, whole := Expand(text, values); whole {
			env[name] = value
		}
	}
	for setting, value := range settings {
		variable, ok := t.Settings[setting]
		if !ok {
			return nil, t.unknownSetting(setting)
		}
		env[variable] = value
	}
	return env, nil
}

func (t *Target) unknownSetting(setting string) error {
	names := slices.Sorted(maps.Keys(t.Settings))
	if len(names) == 0 {
		return fmt.Errorf("server.%s: target %s has no settings", setting, t.Name)
	}
	return fmt.Errorf("server.%s: target %s has no such setting; it has %s", setting, t.Name, strings.Join(names, ", "))
}

// Check returns an error when the scenario asks the target for something that
// cannot be: a setting that its file does not name.
func (t *Target) Check(s *Scenario) error {
	if s.Instances > 1 && !t.Started() {
		return &Problem{Place{File: s.File}, fmt.Sprintf("instances: target %s runs already, at one address; only one that brownout starts can have %d", t.Name, s.Instances)}
	}
	if s.Cold && !t.Started() {
		return &Problem{Place{File: s.File}, fmt.Sprintf("cold: target %s runs already; only one that brownout starts can start cold", t.Name)}
	}
	if s.Stack.DNS && !t.Started() {
		return &Problem{Place{File: s.File}, fmt.Sprintf("stack.dns: target %s runs already; only one that brownout starts gets the lab's resolver", t.Name)}
	}
	for setting := range s.Server {
		if _, ok := t.Settings[setting]; !ok {
			return &Problem{Place{File: s.File}, t.unknownSetting(setting).Error()}
		}
	}
	return nil
}

// RequestsAt is Requests with its URLs made absolute.
func (t *Target) RequestsAt(base string) loadtest.Requests {
	r := t.Requests
	r.Read.URL = base + r.Read.URL
	if r.Write != nil {
		w := *r.Write
		w.URL = base + w.URL
		r.Write = &w
	}
	return r
}

// FindTarget returns the target that name means: one of the embedded ones, or
// the file of that path.
func FindTarget(name string) (*Target, error) {
	if data, err := embedded.ReadFile(path.Join("targets", name+".yaml")); err == nil {
		return ParseTarget("targets/"+name+".yaml", data)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("target %s: neither a file nor one of %s", name, strings.Join(TargetNames(), ", "))
	}
	return ParseTarget(name, data)
}

// checkAddress accepts an absolute http URL without a path.
func checkAddress(address string) error {
	u, err := url.Parse(strings.NewReplacer("{listen}", "127.0.0.1:1", "{host}", "127.0.0.1", "{port}", "1").Replace(address))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("%q is not an address; write for example http://{listen} or http://127.0.0.1:8080", address)
	}
	return nil
}
