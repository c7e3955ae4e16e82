//go:build linux

package stack

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestImagesArePinned(t *testing.T) {
	for _, kind := range []string{Redis, Valkey, Postgres} {
		_, tag, _ := strings.Cut(Image(kind), ":")
		if strings.Count(tag, ".") == 0 {
			t.Errorf("Image(%s) = %s, want a tag with a full version", kind, Image(kind))
		}
	}
	if got := Image(None); got != "" {
		t.Errorf("Image(%s) = %s, want none", None, got)
	}
}

func TestTheOrderOfProviders(t *testing.T) {
	missing := &MissingError{Kind: Redis}
	nowhere := errors.New("no Docker engine answers: none")
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"both are told", &NoEngineError{missing, nowhere}, "no server for redis is found (redis-server or valkey-server); looked in ; 'make servers' fetches it, BROWNOUT_SERVERS names folders of your own; nor in a container: no Docker engine answers: none"},
		{"docker alone, when it was insisted on", &NoEngineError{nil, nowhere}, "no Docker engine answers: none"},
	} {
		if got := row.err.Error(); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
		if !errors.Is(row.err, nowhere) {
			t.Errorf("%s: it does not hold the engine's reason", row.name)
		}
	}
	if !isMissing(&NoEngineError{missing, nowhere}) {
		t.Error("a server that is not there is a *MissingError, also when there is no engine")
	}
	if !isMissing(errNeedsLinux) || isMissing(errors.New("it is broken")) {
		t.Error("a container takes the place of a server that is missing, or cannot be here, and of no other")
	}
}

func TestAnUnknownProviderIsTold(t *testing.T) {
	t.Setenv("BROWNOUT_PROVIDER", "dcoker")
	_, err := Start(t.Context(), Config{Cache: Redis})
	if want := `provider: unknown "dcoker"; there are local, docker (and URLs of running servers)`; err == nil || err.Error() != want {
		t.Errorf("Start = %v, want %q", err, want)
	}
	for _, d := range Doctor(t.Context()) {
		if d.Err == nil {
			t.Errorf("Doctor finds %s, want the error", d.Kind)
		}
	}
	c := Config{Provider: Local}
	if err := c.complete(); err != nil || c.Provider != Local {
		t.Errorf("complete = %v with provider %q, want that the field wins over the variable", err, c.Provider)
	}
}

// last is the last value of a setting, which wins.
func last(lines []string, name string) string {
	value := "none"
	for _, line := range lines {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			value = text
		}
	}
	return value
}

func TestSettingsBehindTheWallWin(t *testing.T) {
	n := &Node{Name: "cache", Addr: "127.0.0.1:40001", Link: "127.0.0.1:40002"}
	lines := boxedLines(Config{Cache: Redis, Password: "word", Settings: map[string]string{"appendonly": "yes", "dir": "/elsewhere"}}, n)
	for name, want := range map[string]string{"port": "6379", "bind": "0.0.0.0", "dir": "/data", "appendonly": "yes", "requirepass": "word"} {
		if got := last(lines, name); got != want {
			t.Errorf("%s = %q, want %q, in\n%s", name, got, want, strings.Join(lines, "\n"))
		}
	}
	lines = boxedLines(Config{Cache: Redis, TLS: newAuthority(t)}, n)
	for name, want := range map[string]string{"port": "0", "tls-port": "6379", "tls-key-file": "/etc/brownout/key.pem"} {
		if got := last(lines, name); got != want {
			t.Errorf("with TLS: %s = %q, want %q", name, got, want)
		}
	}
}

func TestAPostgresBehindTheWallIsAsFastAndForgetful(t *testing.T) {
	args := boxedPostgresSettings()
	for _, setting := range postgresSettings() {
		own := strings.HasPrefix(setting, "unix_socket_directories=")
		if slices.Contains(args, setting) == own {
			t.Errorf("%s is there: %v, want %v", setting, !own, own)
		}
	}
	if got, want := args[len(args)-1], "listen_addresses=*"; got != want {
		t.Errorf("the last setting is %s, want %s", got, want)
	}
}
