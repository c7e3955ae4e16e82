//go:build linux

package stack

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
)

func TestAStackAnswersAndLeavesNothing(t *testing.T) {
	place(t)
	var j journal
	begin := time.Now()
	s := startStack(t, Config{Cache: Redis, Database: Postgres, Base: begin, Record: j.record})
	t.Logf("both ready after %v", time.Since(begin))
	if got := ping(t, s.Cache.Addr); got != "+PONG" {
		t.Errorf("PING = %q, want +PONG", got)
	}
	if got := queryOne(t, s.Database.URL, "select 1"); got != 1 {
		t.Errorf("select 1 = %d, want 1", got)
	}
	want := []results.Dependency{
		{Name: "cache", Kind: s.Cache.Kind, Provider: Local, Version: s.Cache.Version},
		{Name: "database", Kind: Postgres, Provider: Local, Version: s.Database.Version},
	}
	if diff := cmp.Diff(want, s.Dependencies()); diff != "" {
		t.Errorf("Dependencies() differs (-want +got):\n%s", diff)
	}

	traces := tracesOf(s)
	// The check must be able to fail: redis, a postmaster with children, a segment
	// and the folder are there now.
	if left := traces.left(); len(left) < 5 || len(traces.Segments) != 1 {
		t.Fatalf("before Close there are %v of %+v, want nearly all", left, traces)
	}
	begin = time.Now()
	closeStack(t, s)
	t.Logf("closed after %v", time.Since(begin))
	if left := traces.left(); len(left) > 0 {
		t.Errorf("after Close there are %v, want nothing", left)
	}
	for _, on := range []string{"cache", "database"} {
		want := []results.EventKind{results.EventStart, results.EventReady, results.EventExit}
		if got := j.kinds(on); !slices.Equal(got, want) {
			t.Errorf("events of %s = %v, want %v", on, got, want)
		}
	}
}

func TestCloseKillsWhatDoesNotEnd(t *testing.T) {
	place(t)
	s := startStack(t, Config{Database: Postgres})
	traces := tracesOf(s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Close(ctx); err == nil {
		t.Error("Close with a context that is done = nil, want an error")
	}
	// The segment of a killed postmaster may be attached for a moment yet, and ctx
	// leaves no time to wait. The owner's lock is free now: the next Sweep's task.
	if _, err := Sweep(t.Context()); err != nil {
		t.Errorf("Sweep: %v", err)
	}
	eventually(t, "nothing is left", func() bool { return len(traces.left()) == 0 })
}

func TestTwoStacksAtOnceDoNotDisturbEachOther(t *testing.T) {
	place(t)
	stacks := make([]*Stack, 2)
	var group sync.WaitGroup
	for i := range stacks {
		group.Go(func() { stacks[i] = startStack(t, Config{Cache: Redis, Database: Postgres}) })
	}
	group.Wait()
	if removed, err := Sweep(t.Context()); err != nil || len(removed) > 0 {
		t.Errorf("Sweep = %v, %v beside living stacks, want nothing", removed, err)
	}
	closeStack(t, stacks[0])
	if got := ping(t, stacks[1].Cache.Addr); got != "+PONG" {
		t.Errorf("PING = %q after the other stack's end, want +PONG", got)
	}
	if got := queryOne(t, stacks[1].Database.URL, "select 1"); got != 1 {
		t.Errorf("select 1 = %d after the other stack's end, want 1", got)
	}
}

func TestExternalServersAreAskedAndLeftAlone(t *testing.T) {
	place(t)
	own := startStack(t, Config{Cache: Redis, Database: Postgres})
	s := startStack(t, Config{
		Cache: Redis, CacheURL: own.Cache.URL,
		Database: Postgres, DatabaseURL: own.Database.URL,
	})
	want := own.Dependencies()
	for i := range want {
		want[i].Provider = External
	}
	if diff := cmp.Diff(want, s.Dependencies()); diff != "" {
		t.Errorf("Dependencies() differs (-want +got):\n%s", diff)
	}
	if s.Cache.Process() != nil || s.Database.Process() != nil || s.folder != nil {
		t.Error("an external stack has processes or a folder")
	}
	if s.Cache.Addr != own.Cache.Addr || s.Database.Addr != own.Database.Addr {
		t.Errorf("addresses = %s, %s, want %s, %s", s.Cache.Addr, s.Database.Addr, own.Cache.Addr, own.Database.Addr)
	}
	closeStack(t, s)
	if got := ping(t, own.Cache.Addr); got != "+PONG" {
		t.Errorf("PING = %q after closing the external stack, want +PONG", got)
	}
}

func TestExternalErrorsAreTold(t *testing.T) {
	t.Parallel()
	own := startStack(t, Config{Cache: Redis, Database: Postgres, Dir: ownPlace(t)})
	cacheURL, databaseURL := "redis://:wrong@"+own.Cache.Addr, "postgres://nobody:secret@"+own.Database.Addr+"/nonesuch"
	for _, row := range []struct {
		name string
		c    Config
		want string
	}{
		{"a wrong password", Config{Cache: Redis, CacheURL: cacheURL}, "AUTH answered"},
		{"a wrong role or database", Config{Database: Postgres, DatabaseURL: databaseURL}, "it answered"},
		{"a wrong scheme", Config{Cache: Redis, CacheURL: "http://localhost"}, `the URL begins with "http"`},
		{"no host", Config{Database: Postgres, DatabaseURL: "postgres:///brownout"}, "names no host"},
		{"no URL at all", Config{Database: Postgres, DatabaseURL: "://pass:word"}, "the URL cannot be read"},
		{"another protocol", Config{Cache: Redis, CacheURL: "redis://" + own.Database.Addr}, "cache: asking"},
		{"an unknown cache", Config{Cache: "memcached"}, `unknown "memcached"`},
		{"an unknown database", Config{Database: "mysql"}, `unknown "mysql"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // a foreign protocol is asked until then
			defer cancel()
			s, err := Start(ctx, row.c)
			if err == nil {
				closeStack(t, s)
				t.Fatal("Start = nil error")
			}
			if !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Start: %v, want one line with %q", err, row.want)
			}
			if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "pass:word") {
				t.Errorf("Start: %v shows a password", err)
			}
		})
	}
}

func TestURLAtKeepsAllButTheAddress(t *testing.T) {
	for _, row := range []struct{ name, url, want string }{
		{"a plain cache", "redis://127.0.0.1:6379", "redis://127.0.0.1:9"},
		{"a password and a database", "rediss://u:p%40@host/3", "rediss://u:p%40@127.0.0.1:9/3"},
		{"parameters", "postgres://u@[::1]:5432/d?sslmode=disable", "postgres://u@127.0.0.1:9/d?sslmode=disable"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := (&Node{URL: row.url}).URLAt("127.0.0.1:9"); got != row.want {
				t.Errorf("URLAt = %q, want %q", got, row.want)
			}
		})
	}
}

func TestAFailedStartLeavesNothing(t *testing.T) {
	dir := place(t)
	broken := filepath.Join(dir, "bin")
	script(t, broken, "redis-server", `[ "$1" = --version ] && { echo "Redis server v=1.2.3 sha=0"; exit; }
echo "*** FATAL CONFIG FILE ERROR ***"; exit 1`)
	t.Setenv("BROWNOUT_SERVERS", broken)
	goroutines := runtime.NumGoroutine()
	s, err := Start(t.Context(), Config{Cache: Redis, Database: Postgres})
	if err == nil {
		closeStack(t, s)
		t.Fatal("Start = nil error")
	}
	var exit *ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "FATAL CONFIG FILE ERROR") {
		t.Errorf("Start: %v, want an ExitError with the end of the log", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "brownout-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v, want nothing", left, err)
	}
	eventually(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= goroutines })
}

func TestABrokenTemplateIsMadeAgain(t *testing.T) {
	dir := place(t)
	ownCache(t, dir)
	s := startStack(t, Config{Database: Postgres})
	closeStack(t, s)
	templates, err := filepath.Glob(filepath.Join(dir, "cache", "postgres-template-*-v1"))
	if err != nil || len(templates) != 1 {
		t.Fatalf("templates = %v, %v, want one", templates, err)
	}
	if err := os.Truncate(filepath.Join(templates[0], "global/pg_control"), 0); err != nil {
		t.Fatal(err)
	}
	s = startStack(t, Config{Database: Postgres})
	if got := queryOne(t, s.Database.URL, "select 1"); got != 1 {
		t.Errorf("select 1 = %d, want 1", got)
	}
}

// ownCache gives the test a cache of its own in dir, with the servers of the
// machine's.
func ownCache(t *testing.T, dir string) {
	t.Helper()
	machines, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "cache")
	if err := os.Mkdir(own, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(machines, "servers"), filepath.Join(own, "servers")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BROWNOUT_CACHE", own)
}

func TestStartEndsWhenItsContextDoes(t *testing.T) {
	dir := place(t)
	ctx, cancel := context.WithCancel(t.Context())
	record := func(e results.Event) {
		if e.Kind == results.EventStart {
			cancel()
		}
	}
	s, err := Start(ctx, Config{Cache: Redis, Database: Postgres, Record: record})
	if err == nil { // it was ready before it could notice
		closeStack(t, s)
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("Start: %v, want context.Canceled", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "brownout-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v, want nothing", left, err)
	}
}

// script writes a program.
func script(t *testing.T, dir, name, text string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAStartCancelledWithinInitdbLeavesNothing(t *testing.T) {
	dir := place(t)
	ownCache(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var id int
	group.Go(func() {
		defer cancel()
		for ctx.Err() == nil {
			pidFiles, _ := filepath.Glob(filepath.Join(dir, "brownout-run-*/template/*/postmaster.pid"))
			for _, pidFile := range pidFiles {
				if seg, found, _ := readSegment(pidFile); found && segmentExists(seg.id) {
					id = seg.id
					return
				}
			}
		}
	})
	s, err := Start(ctx, Config{Database: Postgres})
	cancel()
	group.Wait()
	if err == nil {
		closeStack(t, s)
		t.Fatal("Start = nil error, want that it was cancelled")
	}
	if id == 0 {
		t.Fatalf("Start: %v before there was a segment", err)
	}
	if segmentExists(id) {
		t.Errorf("segment %d is left behind", id)
	}
	left, err := filepath.Glob(filepath.Join(dir, "brownout-run-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v, want nothing", left, err)
	}
}

// A port that is kept can only be taken by somebody who insists. He answers to every
// question but the one who he is.
func TestAStrangerOnTheNodesPortIsNotTakenForTheNode(t *testing.T) {
	place(t)
	other := startStack(t, Config{Cache: Redis, Database: Postgres})
	for _, row := range []struct {
		name  string
		c     Config
		taken *Node
	}{
		{"a cache", Config{Cache: Redis}, other.Cache},
		{"a database", Config{Database: Postgres}, other.Database},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := row.c
			c.Link = func(_ context.Context, n *Node) (string, error) {
				n.Addr = row.taken.Addr
				return n.Addr, nil
			}
			s, err := Start(t.Context(), c)
			if err == nil {
				closeStack(t, s)
				t.Fatal("Start = nil error")
			}
			var exit *ExitError
			if !errors.As(err, &exit) && !errors.Is(err, errStranger) {
				t.Errorf("Start: %v, want that the server ended, or that another one answered", err)
			}
			if row.taken.Process().Exited() {
				t.Error("the other server was stopped")
			}
		})
	}
}
