//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brownout/chaos"
	"brownout/chaos/stack"
	"brownout/results"
)

// hang guards against what never ends. No test passes or fails by its length.
const hang = 60 * time.Second

func start(t *testing.T, c stack.Config) *stack.Stack {
	t.Helper()
	s, err := stack.Start(t.Context(), c)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), hang)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// startRedis starts one that logs its writes.
func startRedis(t *testing.T) *stack.Node {
	return start(t, stack.Config{Cache: stack.Redis, Settings: map[string]string{"appendonly": "yes", "appendfsync": "no"}}).Cache
}

// client is a connection that lives as long as the test, or the server.
func client(t *testing.T, n *stack.Node) {
	t.Helper()
	c, err := net.Dial("tcp", n.Addr)
	if err != nil {
		t.Fatalf("dialing the %s: %v", n.Name, err)
	}
	t.Cleanup(func() { c.Close() })
}

// do sends commands and returns the last answer.
func do(t *testing.T, n *stack.Node, commands ...string) (answer string) {
	t.Helper()
	for _, command := range commands {
		var err error
		if answer, _, err = ask(t.Context(), n, strings.Fields(command)...); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
	}
	return answer
}

func inject(t *testing.T, in *Injector, f chaos.Fault) chaos.Reverter {
	t.Helper()
	r, err := in.Inject(t.Context(), f)
	if err != nil {
		t.Fatalf("Inject(%s): %v", f, err)
	}
	return r
}

func revert(t *testing.T, r chaos.Reverter) results.Evidence {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	ev, err := r.Revert(ctx)
	if err != nil {
		t.Fatalf("Revert: %v", err)
	}
	t.Logf("%+v", ev)
	return ev
}

// bitten holds that a fault bit on all of its chances.
func bitten(t *testing.T, ev results.Evidence, words string) {
	t.Helper()
	if ev.Chances < 1 || ev.Bites != ev.Chances || !strings.Contains(ev.Seen, words) {
		t.Errorf("evidence = %+v, want bites on all of some chances, and %q seen", ev, words)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(start) > hang {
			t.Fatalf("%s: not within %v", what, hang)
		}
	}
}

func TestKillIsADeadServerAndComesBackWithItsData(t *testing.T) {
	n := startRedis(t)
	do(t, n, "MSET a 1 b 2 c 3")
	client(t, n)
	first := n.Process()
	r := inject(t, New(n), chaos.Fault{On: "cache", Kind: chaos.Kill})
	eventually(t, "the server is gone", first.Exited)
	eventually(t, "its port refuses", func() bool { return refused(n.Addr) })
	ev := revert(t, r)
	bitten(t, ev, "3 keys before, 3 after")
	if ev.Refused != ev.Bites {
		t.Errorf("evidence = %+v, want as many refused", ev)
	}
	if got := do(t, n, "DBSIZE"); got != "3" {
		t.Errorf("DBSIZE after revert = %v, want 3", got)
	}
	if first.Err() != nil {
		t.Errorf("Err of the killed process = %v, want nil: we asked for its end", first.Err())
	}
}

func TestAKilledServerThatLosesItsDataIsAnError(t *testing.T) {
	n := startRedis(t)
	client(t, n)
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", n.Process().PID()))
	if err != nil {
		t.Fatal(err)
	}
	r := inject(t, New(n), chaos.Fault{On: "cache", Kind: chaos.Kill})
	<-n.Process().Done()
	if err := os.RemoveAll(filepath.Join(dir, "appendonlydir")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Revert(t.Context()); err == nil || !strings.Contains(err.Error(), "without the data") {
		t.Errorf("Revert = %v, want it to miss the data", err)
	}
}

func TestAKilledServerWithoutALogMayLoseItsData(t *testing.T) {
	n := start(t, stack.Config{Cache: stack.Redis}).Cache
	do(t, n, "SET a 1")
	client(t, n)
	bitten(t, revert(t, inject(t, New(n), chaos.Fault{On: "cache", Kind: chaos.Kill})), "1 keys before, 0 after")
}

func TestStopIsAServerThatHangs(t *testing.T) {
	n := startRedis(t)
	client(t, n)
	r := inject(t, New(n), chaos.Fault{On: "cache", Kind: chaos.Stop})
	if !n.Process().Frozen() || !hangs(n) {
		t.Errorf("Paused = %v, hangs = %v with stop in force, want true, true", n.Process().Frozen(), hangs(n))
	}
	bitten(t, revert(t, r), "stood still")
	if got := do(t, n, "PING"); got != "PONG" {
		t.Errorf("PING after revert = %v, want PONG", got)
	}
}

func TestRestartPassesByItself(t *testing.T) {
	for _, row := range []struct {
		name  string
		empty bool
		want  string
	}{{"with its data", false, "2"}, {"without its data", true, "0"}} {
		t.Run(row.name, func(t *testing.T) {
			n := startRedis(t)
			do(t, n, "MSET a 1 b 2")
			client(t, n)
			r := inject(t, New(n), chaos.Fault{On: "cache", Kind: chaos.Restart, Empty: row.empty})
			select {
			case <-r.(chaos.Passer).Passed():
			case <-time.After(hang):
				t.Fatal("the restart does not pass")
			}
			if got := do(t, n, "DBSIZE"); got != row.want {
				t.Errorf("DBSIZE = %v, want %s", got, row.want)
			}
			bitten(t, revert(t, r), fmt.Sprintf("2 keys before, %s after", row.want))
		})
	}
}

func TestRevertWaitsForARestart(t *testing.T) {
	n := startRedis(t)
	client(t, n)
	first := n.Process()
	bitten(t, revert(t, inject(t, New(n), chaos.Fault{On: "cache", Kind: chaos.Restart})), "0 keys before, 0 after")
	if n.Process() == first || do(t, n, "PING") != "PONG" {
		t.Error("after Revert the old server is there, or none answers")
	}
}

func TestFlushEmptiesAtOnce(t *testing.T) {
	n := startRedis(t)
	do(t, n, "MSET a 1 b 2 c 3 d 4")
	r := inject(t, New(n), chaos.Fault{On: "cache", Kind: chaos.Flush})
	if got := do(t, n, "DBSIZE"); got != "0" {
		t.Errorf("DBSIZE after flush = %v, want 0", got)
	}
	<-r.(chaos.Passer).Passed()
	do(t, n, "SET e 5")
	ev := revert(t, r)
	bitten(t, ev, "4 keys before, 0 after")
	if ev.Chances != 4 {
		t.Errorf("evidence = %+v, want 4 chances", ev)
	}
	if got := do(t, n, "DBSIZE"); got != "1" {
		t.Errorf("DBSIZE after revert = %v, want 1: what came later stays", got)
	}
}

func TestFillRefusesWritesAndNothingElse(t *testing.T) {
	n := startRedis(t)
	do(t, n, "MSET a 1 b 2", "CONFIG SET maxmemory 200mb", "CONFIG SET maxmemory-policy allkeys-lru")
	client(t, n)
	r := inject(t, New(n), chaos.Fault{On: "cache", Kind: chaos.Fill})
	err := tell(t.Context(), n, "SET", "c", "3")
	if err == nil || !strings.Contains(err.Error(), "OOM command not allowed") {
		t.Errorf("SET to a full server = %v, want OOM", err)
	}
	if got := do(t, n, "DEL b", "GET a"); got != "1" {
		t.Errorf("GET from a full server = %v, want 1", got)
	}
	bitten(t, revert(t, r), "limit")
	do(t, n, "SET c 3")
	if got := do(t, n, "DBSIZE"); got != "2" {
		t.Errorf("DBSIZE after revert = %v, want 2: what filled it is gone", got)
	}
	for name, want := range map[string]string{"maxmemory": "209715200", "maxmemory-policy": "allkeys-lru"} {
		if got := mustSetting(t, n, name); got != want {
			t.Errorf("%s after revert = %v, want %s", name, got, want)
		}
	}
}

func mustSetting(t *testing.T, n *stack.Node, name string) string {
	t.Helper()
	value, err := setting(t.Context(), n, name)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestAServerThatDiesByItselfComesBackAndIsAnError(t *testing.T) {
	for _, kind := range []chaos.Kind{chaos.Stop, chaos.Fill} {
		t.Run(string(kind), func(t *testing.T) {
			n := startRedis(t)
			client(t, n)
			r := inject(t, New(n), chaos.Fault{On: "cache", Kind: kind})
			first := n.Process()
			if err := syscall.Kill(first.PID(), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-first.Done()
			_, err := r.Revert(t.Context())
			var exit *stack.ExitError
			if !errors.As(err, &exit) {
				t.Errorf("Revert = %v, want an ExitError", err)
			}
			do(t, n, "SET a 1")
			if got := do(t, n, "DBSIZE"); got != "1" {
				t.Errorf("DBSIZE after revert = %v, want 1", got)
			}
		})
	}
}

func TestAFaultNeedsAServerThatLives(t *testing.T) {
	n := startRedis(t)
	if err := syscall.Kill(n.Process().PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-n.Process().Done()
	in := New(n)
	for _, k := range []chaos.Kind{chaos.Kill, chaos.Stop, chaos.Restart, chaos.Flush, chaos.Fill} {
		if _, err := in.Inject(t.Context(), chaos.Fault{On: "cache", Kind: k}); err == nil || strings.Contains(err.Error(), "is in force") {
			t.Errorf("Inject(%s) into a dead server = %v, want an error of its own", k, err)
		}
	}
}

func TestAFaultOnAServerWithoutClientsHasNoChances(t *testing.T) {
	n := startRedis(t)
	for _, k := range []chaos.Kind{chaos.Kill, chaos.Stop, chaos.Restart, chaos.Flush, chaos.Fill} {
		eventually(t, "our own connections are gone", func() bool { c, err := n.Clients(); return err == nil && c == 0 })
		if ev := revert(t, inject(t, New(n), chaos.Fault{On: "cache", Kind: k})); ev.Chances != 0 || ev.Occasion == "" {
			t.Errorf("evidence of %s = %+v, want no chances of something", k, ev)
		}
	}
}

func TestHoldRevertsAlsoWhenTheRunIsCancelled(t *testing.T) {
	s := start(t, stack.Config{Cache: stack.Redis, Database: stack.Postgres})
	for _, n := range []*stack.Node{s.Cache, s.Database} {
		client(t, n)
		in := New(n)
		for _, k := range []chaos.Kind{chaos.Stop, chaos.Kill, chaos.Restart} {
			client(t, n)
			ctx, cancel := context.WithCancel(t.Context())
			base := time.Now()
			_, err := chaos.Hold(ctx, in, chaos.Fault{On: n.Name, Kind: k}, func() time.Duration { return time.Since(base) },
				func(e results.Event) {
					if e.Kind == results.EventInject {
						cancel()
					}
				})
			cancel()
			if err != nil {
				t.Errorf("Hold(%s on %s) = %v, want nil", k, n.Name, err)
			}
			if err := greet(t.Context(), n); err != nil {
				t.Errorf("after %s the %s answers: %v", k, n.Name, err)
			}
		}
	}
}

func TestFaultsOnAPostgres(t *testing.T) {
	n := start(t, stack.Config{Database: stack.Postgres}).Database
	in := New(n)
	for _, row := range []struct {
		kind chaos.Kind
		seen string
	}{{chaos.Kill, "was killed"}, {chaos.Stop, "stood still"}, {chaos.Restart, "ended"}} {
		client(t, n)
		r := inject(t, in, chaos.Fault{On: "database", Kind: row.kind})
		if row.kind == chaos.Kill {
			eventually(t, "its port refuses", func() bool { return refused(n.Addr) })
		}
		bitten(t, revert(t, r), row.seen)
		if err := greet(t.Context(), n); err != nil {
			t.Errorf("after %s the database answers: %v", row.kind, err)
		}
	}
	for _, f := range []chaos.Fault{{Kind: chaos.Flush}, {Kind: chaos.Fill}, {Kind: chaos.Restart, Empty: true}} {
		f.On = "database"
		if _, err := in.Inject(t.Context(), f); err == nil || !strings.Contains(err.Error(), "cannot be put on a PostgreSQL") {
			t.Errorf("Inject(%s) = %v, want it refused", f, err)
		}
	}
}

func TestInjectRefuses(t *testing.T) {
	own := startRedis(t)
	lent := start(t, stack.Config{Cache: stack.Redis, CacheURL: own.URL}).Cache
	busy := New(own)
	client(t, own)
	r := inject(t, busy, chaos.Fault{On: "cache", Kind: chaos.Stop})
	for _, row := range []struct {
		name  string
		in    *Injector
		fault chaos.Fault
		want  string
	}{
		{"a fault of links", New(own), chaos.Fault{On: "cache", Kind: chaos.Refuse}, "refuse is a fault of links"},
		{"a fault for another server", New(own), chaos.Fault{On: "database", Kind: chaos.Kill}, `meant for "database"`},
		{"a fault that is none", New(own), chaos.Fault{On: "cache", Kind: "blow"}, "unknown fault"},
		{"a lent server", New(lent), chaos.Fault{On: "cache", Kind: chaos.Flush}, "not ours"},
		{"a second fault", busy, chaos.Fault{On: "cache", Kind: chaos.Kill}, "stop is in force on the server of cache"},
	} {
		if _, err := row.in.Inject(t.Context(), row.fault); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: Inject = %v, want %q", row.name, err, row.want)
		}
	}
	revert(t, r)
	if _, err := r.Revert(t.Context()); err == nil {
		t.Error("a second Revert = nil, want an error")
	}
	revert(t, inject(t, busy, chaos.Fault{On: "cache", Kind: chaos.Stop})) // free again
}

func TestAMarkTellsDataFromNone(t *testing.T) {
	n := startRedis(t)
	for _, row := range []struct {
		name     string
		commands []string // between set and check
		want     fate
		problem  string // "": none
	}{
		{"data that was to stay, and is there", nil, kept, ""},
		{"data that was to stay, and is not", []string{"FLUSHALL"}, kept, "without the data that it had (1 keys before, 0 after)"},
		{"data that may go, and is not there", []string{"FLUSHALL"}, anyhow, ""},
		{"data that was to go, and is there", nil, gone, "with data"},
		{"data that was to go, and is not", []string{"FLUSHALL"}, gone, ""},
	} {
		do(t, n, "FLUSHALL", "SET a 1")
		m := mark{node: n}
		if err := m.set(t.Context()); err != nil {
			t.Fatalf("%s: set: %v", row.name, err)
		}
		if row.commands != nil {
			do(t, n, row.commands...)
		}
		err := m.check(t.Context(), row.want)
		if (err == nil) != (row.problem == "") || err != nil && !strings.Contains(err.Error(), row.problem) {
			t.Errorf("%s: check = %v, want %q", row.name, err, row.problem)
		}
		if got := do(t, n, "EXISTS "+markKey); got != "0" {
			t.Errorf("%s: the mark is still there", row.name)
		}
	}
}

func TestAReplicaBeginsAnew(t *testing.T) {
	s := start(t, stack.Config{Cache: stack.Replicated})
	primary, replica := s.Servers()[0], s.Servers()[1]
	do(t, primary, "SET key value")
	before, err := primary.Do(t.Context(), "INFO", "stats")
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(replica).Inject(t.Context(), chaos.Fault{On: replica.Name, Kind: chaos.FullResync})
	if err != nil {
		t.Fatalf("Inject: %v", err)
	}
	select {
	case <-r.(chaos.Passer).Passed():
	case <-time.After(hang):
		t.Fatal("the replica has not come into sync again")
	}
	ev, err := r.Revert(t.Context())
	if err != nil || ev.Chances != 1 || ev.Bites != 1 {
		t.Errorf("Revert = %+v, %v, want one bite", ev, err)
	}
	after, err := primary.Do(t.Context(), "INFO", "stats")
	if err != nil {
		t.Fatal(err)
	}
	if was, is := fullSyncs(before.Text), fullSyncs(after.Text); is != was+1 {
		t.Errorf("the primary has sent all its data %d times, and %d before, want one more", is, was)
	}
	if got := do(t, replica, "GET key"); got != "value" {
		t.Errorf("GET of the replica = %q, want value", got)
	}
	if _, err := New(primary).Inject(t.Context(), chaos.Fault{On: primary.Name, Kind: chaos.FullResync}); err == nil || !strings.Contains(err.Error(), "it is no replica") {
		t.Errorf("Inject on a primary: %v, want an error", err)
	}
}

// fullSyncs is how often a primary says to have sent all its data.
func fullSyncs(info string) (n int) {
	for line := range strings.Lines(info) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "sync_full:"); ok {
			n, _ = strconv.Atoi(text)
		}
	}
	return n
}
