//go:build linux

package stack

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestParseVersionReadsWhatServersSay(t *testing.T) {
	for _, row := range []struct{ name, text, kind, version string }{
		{"redis", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1\n", Redis, "7.0.15"},
		{"valkey", "Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64\n", Valkey, "8.0.1"},
		{"postgres of Debian", "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Postgres, "15.18"},
		{"postgres before its release", "postgres (PostgreSQL) 19beta1\n", Postgres, "19beta1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := parseVersion(row.text)
			if err != nil || got.Kind != row.kind || got.Version != row.version {
				t.Errorf("parseVersion = %+v, %v, want %s %s", got, err, row.kind, row.version)
			}
		})
	}
	if got, err := parseVersion("something else"); err == nil {
		t.Errorf("parseVersion of something else = %+v, want an error", got)
	}
}

func TestAValkeyIsToldFromARedis(t *testing.T) {
	valkey := map[string]string{"redis_version": "7.2.4", "server_name": "valkey", "valkey_version": "8.0.1", "process_id": "12"}
	if got, want := identify(valkey), (identity{Valkey, "8.0.1", 12}); got != want {
		t.Errorf("identify = %+v, want %+v", got, want)
	}
	if got, want := identify(map[string]string{"redis_version": "7.0.15"}), (identity{Redis, "7.0.15", 0}); got != want {
		t.Errorf("identify = %+v, want %+v", got, want)
	}
}

func TestFindPrefersTheUsersFolders(t *testing.T) {
	dir := t.TempDir()
	path := script(t, dir, "redis-server", `echo "Redis server v=9.9.9 sha=0"`)
	t.Setenv("BROWNOUT_SERVERS", filepath.Join(dir, "none")+":"+dir)
	got, err := Find(t.Context(), Redis)
	if err != nil || got.Path != path || got.Version != "9.9.9" || got.Kind != Redis {
		t.Errorf("Find = %+v, %v, want %s 9.9.9", got, err, path)
	}
}

func TestFindTakesWhatTheProgramSaysItIs(t *testing.T) {
	dirs := func(t *testing.T, name, output string) []searchDir {
		dir := t.TempDir()
		script(t, dir, name, "echo "+output)
		return []searchDir{{path: dir}}
	}
	for _, row := range []struct{ name, kind, program, output, want string }{
		{"a valkey serves for redis", Redis, "valkey-server", "Valkey server v=8.0.1", Valkey},
		{"a redis-server that is a valkey is one", Redis, "redis-server", "Valkey server v=8.0.1", Valkey},
		{"a valkey behind the name redis-server serves for valkey", Valkey, "redis-server", "Valkey server v=8.0.1", Valkey},
		{"a redis does not serve for valkey", Valkey, "redis-server", "Redis server v=7.0.15", ""},
		{"what is something else does not serve", Redis, "redis-server", "hello", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := find(t.Context(), row.kind, dirs(t, row.program, row.output))
			if got.Kind != row.want || (err == nil) != (row.want != "") {
				t.Errorf("find = %+v, %v, want kind %q", got, err, row.want)
			}
		})
	}
}

func TestAMissingServerSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	broken := script(t, dir, "redis-server", "echo 'libfoo.so: cannot open' >&2; exit 127")
	_, err := find(t.Context(), Redis, []searchDir{{path: "/nonesuch"}, {path: dir}})
	var missing *MissingError
	if !errors.As(err, &missing) {
		t.Fatalf("find = %v, want a MissingError", err)
	}
	want := "no server for redis is found (redis-server or valkey-server); does not run: " + broken +
		" (libfoo.so: cannot open); looked in /nonesuch, " + dir +
		"; 'make servers' fetches it, BROWNOUT_SERVERS names folders of your own"
	if err.Error() != want {
		t.Errorf("error = %q\nwant    %q", err, want)
	}
}

func TestAPostgresWithoutInitdbDoesNotServe(t *testing.T) {
	dir := place(t)
	script(t, dir, "postgres", `echo "postgres (PostgreSQL) 15.18"`)
	if got, err := find(t.Context(), Postgres, []searchDir{{path: dir}}); err == nil {
		t.Errorf("find = %+v, want an error", got)
	}
	script(t, dir, "initdb", "exit 0")
	got, err := find(t.Context(), Postgres, []searchDir{{path: dir}})
	if err != nil || got.Version != "15.18" {
		t.Errorf("find = %+v, %v, want 15.18", got, err)
	}
}

func TestFindEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir := t.TempDir()
	mark := filepath.Join(dir, "runs")
	script(t, dir, "redis-server", "touch '"+mark+"'; sleep 1000")
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(mark); err == nil {
				cancel()
			}
		}
	})
	_, err := find(ctx, Redis, []searchDir{{path: dir}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("find = %v, want context.Canceled", err)
	}
	if _, err := Find(t.Context(), "mysql"); err == nil || !strings.Contains(err.Error(), "unknown kind") {
		t.Errorf("Find(mysql) = %v, want that it is unknown", err)
	}
}

func TestTheNewestVersionComesFirst(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"9.6", "15", "17", "8"} {
		if err := os.MkdirAll(filepath.Join(dir, v, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, path := range newestFirst(filepath.Join(dir, "*/bin")) {
		got = append(got, filepath.Base(filepath.Dir(path)))
	}
	if want := []string{"17", "15", "9.6", "8"}; !slices.Equal(got, want) {
		t.Errorf("newestFirst = %v, want %v", got, want)
	}
}

func TestCacheDirFollowsItsRule(t *testing.T) {
	t.Setenv("BROWNOUT_CACHE", "/some/where")
	if got, err := CacheDir(); err != nil || got != "/some/where" {
		t.Errorf("CacheDir = %q, %v, want /some/where", got, err)
	}
	t.Setenv("BROWNOUT_CACHE", "some/where")
	if got, err := CacheDir(); err == nil {
		t.Errorf("CacheDir with a relative path = %q, want an error", got)
	}
}

// The machine is expected to have the servers: 'make test' fetches them.
func TestDoctorFindsTheServers(t *testing.T) {
	for _, d := range Doctor(t.Context()) {
		if d.Err != nil {
			t.Errorf("%s: %v", d.Kind, d.Err)
		}
		if d.Server.Path == "" || d.Server.Version == "" {
			t.Errorf("%s: %+v, want path and version", d.Kind, d.Server)
		}
	}
	t.Setenv("BROWNOUT_CACHE", "relative")
	for _, d := range Doctor(t.Context(), Valkey) {
		if d.Err == nil {
			t.Errorf("%s with a wrong cache: %+v, want an error", d.Kind, d.Server)
		}
	}
}

// runFetch runs fetch-servers.sh, which must not fetch anything here.
func runFetch(t *testing.T, env []string, kinds ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"fetch-servers.sh"}, kinds...)...)
	cmd.Env = append(append(os.Environ(), "BROWNOUT_FETCH=no"), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestTheScriptAndFindLookInTheSamePlaces(t *testing.T) {
	dir, cache := place(t), place(t)
	for _, row := range []struct {
		name string
		env  []string
		make func()
	}{
		{"as the machine is", nil, func() {}},
		{"an empty cache", []string{"BROWNOUT_CACHE=" + cache}, func() {}},
		{"a server in the cache", []string{"BROWNOUT_CACHE=" + cache}, func() {
			script(t, filepath.Join(cache, "servers/valkey/usr/bin"), "valkey-server", `echo "Valkey server v=8.0.1"`)
			script(t, filepath.Join(cache, "servers/redis/usr/bin"), "redis-server", `echo "Redis server v=7.0.15"`)
		}},
		{"a folder of the user", []string{"BROWNOUT_SERVERS=/none:" + dir}, func() {
			script(t, dir, "valkey-server", `echo "Valkey server v=8.0.1"`)
		}},
		{"a server that does not run", []string{"BROWNOUT_CACHE=" + cache}, func() {
			script(t, filepath.Join(cache, "servers/valkey/usr/bin"), "valkey-server", "exit 1")
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			row.make()
			for _, variable := range row.env {
				name, value, _ := strings.Cut(variable, "=")
				t.Setenv(name, value)
			}
			for _, kind := range []string{Redis, Valkey, Postgres} {
				_, findErr := Find(t.Context(), kind)
				out, fetchErr := runFetch(t, row.env, kind)
				if (findErr == nil) != (fetchErr == nil) {
					t.Errorf("%s: Find says %v, the script %v %s", kind, findErr, fetchErr, out)
				}
			}
		})
	}
}

func TestTheScriptNamesWhatIsMissing(t *testing.T) {
	// Postgres may be anywhere on this machine, a valkey of this version nowhere.
	env := []string{"BROWNOUT_CACHE=" + t.TempDir(), "PATH=/usr/bin:/bin"}
	if _, err := exec.LookPath("valkey-server"); err == nil {
		t.Skip("this machine has a Valkey of its own")
	}
	out, err := runFetch(t, env, Valkey)
	if want := "servers: missing: valkey; fetching is off (BROWNOUT_FETCH=no)\n"; err == nil || out != want {
		t.Errorf("the script says %q, %v, want %q and a failure", out, err, want)
	}
	out, err = runFetch(t, append(env, "BROWNOUT_PROVIDER=docker"), Valkey)
	if want := "servers: none are needed: they run in containers (BROWNOUT_PROVIDER=docker)\n"; err != nil || out != want {
		t.Errorf("the script says %q, %v, want %q", out, err, want)
	}
	if out, err := runFetch(t, nil, "mysql"); err == nil || !strings.Contains(out, "unknown server 'mysql'") {
		t.Errorf("the script says %q, %v, want that mysql is unknown", out, err)
	}
	if out, err := runFetch(t, []string{"BROWNOUT_CACHE=relative"}); err == nil || !strings.Contains(out, "want an absolute path") {
		t.Errorf("the script says %q, %v, want an absolute path", out, err)
	}
}
