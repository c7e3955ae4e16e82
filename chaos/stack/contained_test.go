//go:build linux

package stack

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"brownout/chaos/stack/admin"
	"brownout/chaos/stack/docker"
	"brownout/results"
)

// engine finds the Docker engine, or skips the test. The images must be there: pulling
// is not tested, and would take minutes.
func engine(t *testing.T) *docker.Engine {
	t.Helper()
	e, err := docker.Open(t.Context())
	if err != nil {
		t.Skipf("needs a Docker engine: %v", err)
	}
	t.Cleanup(func() { e.Close() })
	for _, kind := range []string{Redis, Postgres} {
		here, err := e.Has(t.Context(), Image(kind))
		if err != nil {
			t.Fatal(err)
		}
		if !here {
			t.Skipf("needs the image %s: docker pull %[1]s", Image(kind))
		}
	}
	return e
}

// left lists the containers of the run of a stack.
func leftOf(t *testing.T, e *docker.Engine, s *Stack) []string {
	t.Helper()
	ids, err := e.OfRun(t.Context(), filepath.Base(s.folder.path))
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestAStackInContainersAnswersAndLeavesNothing(t *testing.T) {
	t.Parallel()
	e := engine(t)
	var j journal
	s := startStack(t, Config{Provider: Docker, Cache: Redis, Database: Postgres, Dir: ownPlace(t), Record: j.record})
	if got := ping(t, s.Cache.Addr); got != "+PONG" {
		t.Errorf("PING = %q, want +PONG", got)
	}
	if got := queryOne(t, s.Database.URL, "select 41 + 1"); got != 42 {
		t.Errorf("the database answers %d, want 42", got)
	}
	for i, want := range []results.Dependency{
		{Name: "cache", Kind: Redis, Provider: Docker}, {Name: "database", Kind: Postgres, Provider: Docker},
	} {
		got := s.Dependencies()[i]
		want.Version = got.Version
		if got != want || got.Version == "" {
			t.Errorf("Dependencies()[%d] = %+v, want %+v with the version that it says", i, got, want)
		}
	}
	if got := len(leftOf(t, e, s)); got != 2 {
		t.Errorf("the engine knows %d containers of the run, want 2", got)
	}
	addrs := []string{s.Cache.Addr, s.Database.Addr}
	for range 2 {
		closeStack(t, s)
	}
	if ids := leftOf(t, e, s); len(ids) > 0 {
		t.Errorf("Close leaves the containers %v", ids)
	}
	for _, addr := range addrs {
		if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("dialing %s after Close: %v, want it refused", addr, err)
		}
	}
	if _, err := os.Stat(s.folder.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the run folder after Close: %v, want it gone", err)
	}
	want := []results.EventKind{results.EventStart, results.EventReady, results.EventExit}
	for _, name := range []string{"cache", "database"} {
		if got := j.kinds(name); !slices.Equal(got, want) {
			t.Errorf("events on %s = %v, want %v", name, got, want)
		}
	}
	for _, e := range j.events {
		if e.Kind == results.EventExit && !e.Asked {
			t.Errorf("%s ended unasked: %s", e.On, e.Text)
		}
	}
}

func TestACacheInAContainerComesBackWithWhatItsDiskHolds(t *testing.T) {
	t.Parallel()
	engine(t)
	s := startStack(t, Config{Provider: Docker, Cache: Redis, Dir: ownPlace(t)})
	n := s.Cache
	for _, row := range []struct {
		name        string
		kill, empty bool
		keys        string // afterwards, of one
	}{
		{"one that lived has everything", false, false, "1"},
		{"one that was killed has what was saved", true, false, "1"},
		{"one that is restarted empty has nothing", false, true, "0"},
		{"one that was killed and is restarted empty has nothing", true, true, "0"},
	} {
		if _, err := n.Do(t.Context(), "SET", "key", "value"); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		before := n.Process()
		if row.kill {
			if err := n.Kill(t.Context()); err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			if _, err := net.Dial("tcp", n.Addr); !errors.Is(err, syscall.ECONNREFUSED) || !before.Exited() {
				t.Errorf("%s: dialing a killed server: %v, want it refused", row.name, err)
			}
		}
		if err := n.Restart(t.Context(), row.empty); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if n.Process() == before || n.Process().PID() == before.PID() {
			t.Errorf("%s: it is still process %d", row.name, before.PID())
		}
		size, err := n.Do(t.Context(), "DBSIZE")
		if err != nil || size.Text != row.keys {
			t.Errorf("%s: DBSIZE = %q, %v; want %s", row.name, size.Text, err, row.keys)
		}
	}
}

func TestADatabaseInAContainerIsRestartedAndKilled(t *testing.T) {
	t.Parallel()
	engine(t)
	s := startStack(t, Config{Provider: Docker, Database: Postgres, Dir: ownPlace(t)})
	n := s.Database
	queryOne(t, n.URL, "with made as (select 1) select 1 from made")
	for _, end := range []func() error{
		func() error { return n.Kill(t.Context()) },
		func() error { return nil }, // Restart stops it
	} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := n.Restart(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if got := queryOne(t, n.URL, "select 42"); got != 42 {
			t.Errorf("after Restart it answers %d, want 42", got)
		}
	}
	if err := n.Restart(t.Context(), true); err == nil || !strings.Contains(err.Error(), "cannot be restarted empty") {
		t.Errorf("Restart(empty) = %v, want an error", err)
	}
}

func TestAPausedStackInContainersIsSilentAndCloses(t *testing.T) {
	t.Parallel()
	e := engine(t)
	s := startStack(t, Config{Provider: Docker, Cache: Redis, Database: Postgres, Dir: ownPlace(t)})
	for _, n := range s.Nodes {
		if n.Process().Frozen() {
			t.Errorf("%s is frozen before Pause", n.Name)
		}
		if err := n.Pause(); err != nil {
			t.Fatal(err)
		}
		if !n.Process().Frozen() {
			t.Errorf("%s is not frozen after Pause", n.Name)
		}
	}
	if err := s.Cache.Continue(); err != nil {
		t.Fatal(err)
	}
	if got := ping(t, s.Cache.Addr); got != "+PONG" {
		t.Errorf("PING after Continue = %q, want +PONG", got)
	}
	if err := s.Cache.Pause(); err != nil {
		t.Fatal(err)
	}
	closeStack(t, s)
	if ids := leftOf(t, e, s); len(ids) > 0 {
		t.Errorf("Close leaves the containers %v", ids)
	}
}

func TestTheClientsOfAContainerAreCounted(t *testing.T) {
	t.Parallel()
	engine(t)
	s := startStack(t, Config{Provider: Docker, Cache: Redis, Database: Postgres, Dir: ownPlace(t)})
	for _, n := range s.Nodes {
		eventually(t, "no client of "+n.Name, func() bool { c, err := n.Clients(); return err == nil && c == 0 })
	}
	conn, err := net.Dial("tcp", s.Cache.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	eventually(t, "a client of the cache", func() bool { c, err := s.Cache.Clients(); return err == nil && c == 1 })
	if _, err := s.Cache.Process().Usage(); err == nil {
		t.Error("Usage of a container = nil, want an error")
	}
}

func TestACacheInAContainerTakesSettingsPasswordAndTLS(t *testing.T) {
	t.Parallel()
	engine(t)
	s := startStack(t, Config{
		Provider: Docker, Cache: Redis, Dir: ownPlace(t), TLS: newAuthority(t), Password: testPassword, ACL: true,
		Settings: map[string]string{"maxclients": "77"},
	})
	client := through(s.Cache)
	if r, err := client.Do(t.Context(), "PING"); err != nil || r.Text != "PONG" {
		t.Errorf("PING by TLS with the password = %q, %v; want PONG", r.Text, err)
	}
	var answer *admin.Error
	if _, err := client.Do(t.Context(), "CONFIG", "GET", "maxclients"); !errors.As(err, &answer) {
		t.Errorf("CONFIG of a client = %v, want NOPERM", err)
	}
	r, err := s.Cache.Do(t.Context(), "CONFIG", "GET", "maxclients")
	if err != nil || len(r.List) != 2 || r.List[1].Text != "77" {
		t.Errorf("maxclients = %+v, %v; want 77", r.List, err)
	}
	plain := admin.Server{Addr: s.Cache.Addr}
	if _, err := plain.Do(t.Context(), "PING"); err == nil {
		t.Error("PING without TLS is answered, want an error")
	}
}

func TestAServerThatEndsInItsContainerShowsItsLog(t *testing.T) {
	t.Parallel()
	engine(t)
	_, err := Start(t.Context(), Config{
		Provider: Docker, Cache: Redis, Dir: ownPlace(t), Settings: map[string]string{"no-such-setting": "7"},
	})
	var exit *ExitError
	if !errors.As(err, &exit) || !strings.Contains(exit.Tail, "no-such-setting") || strings.Count(err.Error(), "ended unasked") != 1 {
		t.Errorf("Start = %v, want the end of the server's log, once", err)
	}
}

func TestSweepRemovesTheContainersOfAKilledHarness(t *testing.T) {
	e := engine(t)
	dir := place(t)
	harness, _, traces := startHarness(t, Redis, helperProvider+"="+Docker, "TESTCONTAINERS_RYUK_DISABLED=true", "TMPDIR="+dir)
	run := filepath.Base(traces.Folder)
	t.Cleanup(func() { e.RemoveRun(t.Context(), run) })
	if removed, err := Sweep(t.Context(), dir); err != nil || len(removed) > 0 {
		t.Errorf("Sweep of a run that lives = %v, %v; want nothing", removed, err)
	}
	if ids, err := e.OfRun(t.Context(), run); err != nil || len(ids) != 2 {
		t.Fatalf("OfRun = %v, %v; want 2 containers that live", ids, err)
	}
	if err := harness.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	harness.Wait()
	if removed, err := Sweep(t.Context(), dir); err != nil || !slices.Equal(removed, []string{traces.Folder}) {
		t.Errorf("Sweep = %v, %v; want %s", removed, err, traces.Folder)
	}
	if ids, err := e.OfRun(t.Context(), run); err != nil || len(ids) > 0 {
		t.Errorf("OfRun after Sweep = %v, %v; want none", ids, err)
	}
	eventually(t, "nothing is left", func() bool { return len(traces.left()) == 0 })
}

func TestWhatCannotRunInContainersIsTold(t *testing.T) {
	engine(t)
	for _, row := range []struct {
		name   string
		config Config
		want   string
	}{
		{"a replica finds its primary on 127.0.0.1", Config{Cache: Replicated}, "topology replicated cannot run in containers"},
		{"so do Sentinels", Config{Cache: Sentinel}, "topology sentinel cannot run in containers"},
		{"and the nodes of a cluster", Config{Cache: Cluster}, "topology cluster cannot run in containers"},
		{"a key of PostgreSQL must be its user's", Config{Database: Postgres, TLS: newAuthority(t)}, "cannot speak TLS"},
	} {
		row.config.Provider, row.config.Dir = Docker, place(t)
		if _, err := Start(t.Context(), row.config); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: Start = %v, want %q", row.name, err, row.want)
		}
	}
}

func TestAContainerTakesThePlaceOfAServerThatIsMissing(t *testing.T) {
	engine(t)
	var missing *MissingError
	if _, err := Find(t.Context(), Valkey); !errors.As(err, &missing) {
		t.Skip("this machine has a Valkey of its own")
	}
	for _, row := range []struct {
		name, provider, kind string
		want                 string // provider; empty: it is missing
	}{
		{"a binary comes before a container", "", Redis, Local},
		{"a container before nothing", "", Valkey, Docker},
		{"a container is insisted on", Docker, Redis, Docker},
		{"a binary is insisted on", Local, Redis, Local},
		{"in vain", Local, Valkey, ""},
	} {
		var s Stack
		server, err := s.find(t.Context(), Config{Provider: row.provider}, row.kind)
		if row.want == "" {
			if !errors.As(err, &missing) {
				t.Errorf("%s: find = %+v, %v; want a *MissingError", row.name, server, err)
			}
			continue
		}
		if err != nil || server.provider() != row.want {
			t.Errorf("%s: find = %+v, %v; want provider %s", row.name, server, err, row.want)
		}
	}
}
