//go:build linux

package stack

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAKilledHarnessTakesItsProcessesAlongAndTheNextSweepsTheRest(t *testing.T) {
	dir := place(t)
	living := startStack(t, Config{Cache: Redis, Database: Postgres})
	harness, _, traces := startHarness(t, Redis)
	if !strings.HasPrefix(traces.Folder, dir) || len(traces.Segments) != 1 || len(traces.PIDs) < 3 {
		t.Fatalf("traces = %+v, want a whole stack in %s", traces, dir)
	}
	if removed, err := Sweep(t.Context()); err != nil || len(removed) > 0 {
		t.Errorf("Sweep beside a living harness = %v, %v, want nothing", removed, err)
	}
	begin := time.Now()
	if err := harness.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	harness.Wait()
	eventually(t, "the processes end with the harness", func() bool {
		return !slices.ContainsFunc(traces.PIDs, alive)
	})
	t.Logf("%d processes ended %v after the kill", len(traces.PIDs), time.Since(begin))
	if left := traces.left(); len(left) != 2 {
		t.Fatalf("before Sweep there are %v, want folder and segment: there must be something to sweep", left)
	}
	removed, err := Sweep(t.Context())
	if err != nil || !slices.Equal(removed, []string{traces.Folder}) {
		t.Errorf("Sweep = %v, %v, want %s", removed, err, traces.Folder)
	}
	if left := traces.left(); len(left) > 0 {
		t.Errorf("after Sweep there are %v, want nothing", left)
	}
	if got := ping(t, living.Cache.Addr); got != "+PONG" {
		t.Errorf("PING of a stack beside = %q, want +PONG", got)
	}
}

func TestATopologyEndsWithAKilledHarness(t *testing.T) {
	for name := range topologies() {
		for _, frozen := range []string{"", "1"} {
			if testing.Short() && (name != Sentinel || frozen == "") {
				continue // the one with the most processes, in the worst state
			}
			t.Run(name+" frozen "+frozen, func(t *testing.T) {
				t.Parallel()
				dir := ownPlace(t)
				harness, _, traces := startHarness(t, name, freezeVariable+"="+frozen, "TMPDIR="+dir)
				if len(traces.PIDs) < 5 {
					t.Fatalf("traces = %+v, want a topology and a database", traces)
				}
				if err := harness.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				harness.Wait()
				eventually(t, "its children end with the harness", func() bool {
					return !slices.ContainsFunc(traces.Children, alive)
				})
				if removed, err := Sweep(t.Context(), dir); err != nil || !slices.Equal(removed, []string{traces.Folder}) {
					t.Errorf("Sweep = %v, %v, want %s", removed, err, traces.Folder)
				}
				eventually(t, "nothing is left", func() bool { return len(traces.left()) == 0 })
			})
		}
	}
}

func TestAHarnessThatEndsWellLeavesNothing(t *testing.T) {
	place(t)
	harness, in, traces := startHarness(t, Redis)
	if got := ping(t, hostOf(t, traces.CacheURL)); got != "+PONG" {
		t.Errorf("PING = %q, want +PONG", got)
	}
	in.Close()
	if err := harness.Wait(); err != nil {
		t.Errorf("the harness: %v", err)
	}
	if left := traces.left(); len(left) > 0 {
		t.Errorf("there are %v, want nothing", left)
	}
}

func TestSweepTouchesDeadRunsOnly(t *testing.T) {
	dir := place(t)
	old := time.Now().Add(-time.Hour)
	make := func(name string, lock bool, at time.Time) string {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if lock {
			if err := os.WriteFile(filepath.Join(path, lockName), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		return path
	}
	living, err := makeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { living.remove(t.Context()) })
	kept := []string{
		living.path,
		make(unlockedPrefix+"young", false, time.Now()),
		make("brownout-other", true, old),
	}
	want := []string{
		make(unlockedPrefix+"old", false, old),
		make(folderPrefix+"dead", true, time.Now()),
		make(folderPrefix+"half-removed", false, time.Now()),
	}
	if err := os.WriteFile(filepath.Join(dir, folderPrefix+"file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	removed, err := Sweep(t.Context(), dir)
	slices.Sort(removed)
	slices.Sort(want)
	if err != nil || !slices.Equal(removed, want) {
		t.Errorf("Sweep = %v, %v, want %v", removed, err, want)
	}
	for _, path := range kept {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s is gone: %v", path, err)
		}
	}
	for _, path := range want {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s is still there", path)
		}
	}
}

func TestASegmentOfAnotherKeyIsNotRemoved(t *testing.T) {
	dir := place(t)
	s := startStack(t, Config{Database: Postgres})
	id := tracesOf(s).Segments[0]
	for _, row := range []struct{ name, line string }{
		{"another key", "1 " + strconv.Itoa(id)},
		{"no segment", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			pidFile := filepath.Join(dir, "postmaster.pid")
			if err := os.WriteFile(pidFile, []byte("1\n/d\n0\n1\n\n\n"+row.line+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := removeSegment(t.Context(), pidFile); err != nil {
				t.Errorf("removeSegment = %v, want nil", err)
			}
			if !segmentExists(id) {
				t.Fatal("the segment is gone")
			}
		})
	}
}

func TestASegmentInUseIsNotRemoved(t *testing.T) {
	place(t)
	s := startStack(t, Config{Database: Postgres})
	id := tracesOf(s).Segments[0]
	pidFiles, err := filepath.Glob(filepath.Join(s.folder.path, "*/*/postmaster.pid"))
	if err != nil || len(pidFiles) != 1 {
		t.Fatalf("postmaster.pid: %v, %v, want one", pidFiles, err)
	}
	before := segmentKey(id)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := removeSegment(ctx, pidFiles[0]); !errors.Is(err, context.Canceled) {
		t.Errorf("removeSegment = %v, want that it waits until its context is done", err)
	}
	// A segment that is removed while in use loses its key and goes with its last user.
	if after := segmentKey(id); before == "" || before == "0" || after != before {
		t.Errorf("key of the segment = %q, was %q, want the same", after, before)
	}
}

func TestTheRunFolderGoesWhereTheServersUserMayEnter(t *testing.T) {
	if serverUser() == nil {
		t.Skip("needs root") // else it is the harness's own user
	}
	dir := place(t)
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	if f, err := makeFolder(closed); err == nil || !strings.Contains(err.Error(), "may not enter") {
		t.Errorf("makeFolder(%s) = %v, %v, want that it may not be entered", closed, f, err)
	}
	t.Setenv("TMPDIR", closed)
	f, err := makeFolder("")
	if err != nil {
		t.Fatalf("makeFolder: %v", err)
	}
	if err := f.remove(t.Context()); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(f.path, "/tmp/") || strings.HasPrefix(f.path, closed) {
		t.Errorf("the run folder is %s, want one in /tmp", f.path)
	}
}

func TestAnOddTemporaryFolderWorks(t *testing.T) {
	odd := filepath.Join(place(t), "a [b] 'c'* ü")
	if err := os.Mkdir(odd, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", odd)
	s := startStack(t, Config{Cache: Redis, Database: Postgres})
	traces := tracesOf(s)
	if !strings.HasPrefix(traces.Folder, odd) {
		t.Errorf("the run folder is %s, want one in %s", traces.Folder, odd)
	}
	closeStack(t, s)
	if left := traces.left(); len(left) > 0 {
		t.Errorf("after Close there are %v, want nothing", left)
	}
}
