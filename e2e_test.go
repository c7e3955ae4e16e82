package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"brownout/results"
	"brownout/results/judge"
)

// The tests of this file run the whole command: real Redis, real PostgreSQL, real
// processes. They take seconds each and are left out with -short.

// outcome is what one `brownout run` left behind.
type outcome struct {
	code   int
	output string
	folder string
	rec    *results.Recording
	judged judge.Judgment
}

// patient repeats a run that says nothing of the target, for a machine that is
// busy with something else.
var patient = []string{"--again", "2"}

// brownoutRun runs `brownout run args` and reads the last run folder it leaves.
func brownoutRun(t *testing.T, args ...string) outcome {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the whole command")
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "brownout", append([]string{"run", "--results", dir}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("brownout run %s: %v", strings.Join(args, " "), err)
	}
	t.Logf("brownout run %s\n%s", strings.Join(args, " "), out.String())
	o := outcome{code: cmd.ProcessState.ExitCode(), output: out.String()}
	o.read(t, dir)
	return o
}

func (o *outcome) read(t *testing.T, dir string) {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(folders) == 0 {
		t.Fatalf("run folders in %s: %v, %v; want one", dir, folders, err)
	}
	o.folder = folders[len(folders)-1] // they begin with their time
	if o.rec, err = results.Open(o.folder); err != nil {
		t.Fatalf("opening the recording: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(o.folder, "verdict.json"))
	if err != nil {
		t.Fatalf("reading the verdict: %v", err)
	}
	if err := json.Unmarshal(data, &o.judged); err != nil {
		t.Fatalf("reading the verdict: %v", err)
	}
}

// want holds the verdict and the exit code that belongs to it.
func (o *outcome) want(t *testing.T, v judge.Verdict) {
	t.Helper()
	if o.judged.Verdict != v {
		t.Errorf("verdict = %v (%s), want %v", o.judged.Verdict, o.judged.Why, v)
	}
	if want := judge.ExitCode(v); o.code != want {
		t.Errorf("exit code = %d, want %d", o.code, want)
	}
}

// short makes the catalogue's blackhole as short as its quantiles allow.
var short = []string{"cache-blackhole", "--set", "phases.steady.for=3500ms", "--set", "phases.outage.for=4600ms", "--set", "phases.recovery.for=3500ms"}

func TestBlackholeIsSurvivedByResilient(t *testing.T) {
	o := brownoutRun(t, slices.Concat(short, patient)...)
	o.want(t, judge.Pass)
	for _, h := range o.rec.Hits {
		if !h.OK() {
			t.Errorf("hit %d: %s %s", h.Seq, h.Error, h.Detail)
		}
	}
}

func TestBlackholeTakesDownSeed(t *testing.T) {
	o := brownoutRun(t, slices.Concat(short, patient, []string{"--set", "server.profile=seed"})...)
	o.want(t, judge.Fail)
	var longest time.Duration // that a request hung
	for _, h := range o.rec.Hits {
		longest = max(longest, h.ServiceTime())
	}
	if longest < 2*time.Second {
		t.Errorf("longest request = %v, want it to hang for most of the 4s outage", longest)
	}
	// It hung on a connection that was open and silent, not on refused dials.
	var blackhole *results.Injection
	for _, e := range o.rec.Events {
		if e.Injection != nil {
			blackhole = e.Injection
		}
	}
	if blackhole == nil {
		t.Fatal("no injection was recorded")
	}
	if got := blackhole.Evidence; got.SilentAtEnd == 0 || got.Silence < longest/2 {
		t.Errorf("evidence = %+v, want connections silent at the end, for about as long as requests hung (%v)", got, longest)
	}
}

func TestFaultOnAnIdleLinkIsInvalid(t *testing.T) {
	o := brownoutRun(t, slices.Concat(short, []string{"--set", "server.cache=memory"})...)
	o.want(t, judge.Invalid)
	touched := slices.ContainsFunc(o.judged.Checks, func(f judge.Finding) bool {
		return f.Verdict == judge.Invalid && f.Phase == "outage" && strings.Contains(f.Why, "touched nothing")
	})
	if !touched {
		t.Errorf("checks = %+v, want one to say that the fault touched nothing", o.judged.Checks)
	}
}

func TestRateBeyondTheMachineIsInvalid(t *testing.T) {
	o := brownoutRun(t, "steady", "--set", "load.rate=90000/s", "--set", "phases.warm-up.for=100ms", "--set", "phases.steady.for=1s")
	o.want(t, judge.Invalid)
}

func TestTooFewHitsForAQuantileAreInconclusive(t *testing.T) {
	o := brownoutRun(t, "steady", "--again", "2", "--set", "load.rate=100/s", "--set", "phases.warm-up.for=100ms", "--set", "phases.steady.for=1s")
	o.want(t, judge.Inconclusive)
}

func TestForeignTarget(t *testing.T) {
	o := brownoutRun(t, "testdata/plain-scenario.yaml", "--target", "testdata/plain-target.yaml", "--again", "2")
	o.want(t, judge.Pass)
	if tells := o.rec.Manifest.Tells; tells != (results.Tells{}) {
		t.Errorf("the target tells %+v, want nothing", tells)
	}
	if len(o.rec.Manifest.Dependencies) != 1 {
		t.Errorf("dependencies = %+v, want the cache alone", o.rec.Manifest.Dependencies)
	}
}

func TestTwoRunsAtOnceDoNotDisturbEachOther(t *testing.T) {
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := brownoutRun(t, "steady", "--again", "2", "--set", "phases.warm-up.for=500ms", "--set", "phases.steady.for=4s",
				"--set", "phases.steady.expect.p99=1s", "--set", "phases.steady.expect.p50=500ms")
			o.want(t, judge.Pass)
		})
	}
}

// started starts `brownout run`, with temp for temporary files, and waits until its
// load goes on.
func started(t *testing.T, dir, temp string) *exec.Cmd {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the whole command")
	}
	cmd := exec.Command("brownout", "run", "cache-blackhole", "--results", dir)
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting: %v", err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	await(t, "load", func() bool {
		data, _ := filepath.Glob(filepath.Join(dir, "*", "hits.jsonl"))
		if len(data) == 0 {
			return false
		}
		text, _ := os.ReadFile(data[0])
		return bytes.Contains(text, []byte(`"op":"read"`))
	})
	return cmd
}

// openTempDir is a temporary folder that an unprivileged PostgreSQL may enter.
func openTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "brownout-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited 30s for %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// descendants lists the living processes below pid, with their names.
func descendants(t *testing.T, pid int) map[int]string {
	t.Helper()
	parents, names := map[int]int{}, map[int]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var p, parent int
		open, shut := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
		fields := strings.Fields(string(text[shut+1:]))
		if p = atoi(strings.TrimSpace(string(text[:open]))); fields[0] != "Z" {
			parent = atoi(fields[1])
			parents[p], names[p] = parent, string(text[open+1:shut])
		}
	}
	found := map[int]string{}
	for grew := true; grew; {
		grew = false
		for p, parent := range parents {
			_, below := found[parent]
			if _, have := found[p]; !have && (parent == pid || below) {
				found[p], grew = names[p], true
			}
		}
	}
	return found
}

func atoi(s string) int {
	n := 0
	for _, r := range s {
		n = n*10 + int(r-'0')
	}
	return n
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestKillLeavesNothing(t *testing.T) {
	dir, temp := t.TempDir(), openTempDir(t)
	cmd := started(t, dir, temp)
	children := descendants(t, cmd.Process.Pid)
	if len(children) < 3 {
		t.Fatalf("children = %v, want redis, postgres and the target at least", children)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatalf("killing: %v", err)
	}
	cmd.Wait()
	await(t, "the children's end", func() bool {
		for pid := range children {
			if alive(pid) {
				return false
			}
		}
		return true
	})
	folders, _ := filepath.Glob(filepath.Join(dir, "*"))
	rec, err := results.Open(folders[0])
	if err != nil {
		t.Fatalf("a killed run cannot be read: %v", err)
	}
	if rec.Manifest.State != results.StateRunning || len(rec.Hits) == 0 {
		t.Errorf("state = %s with %d hits, want running with some", rec.Manifest.State, len(rec.Hits))
	}
	if j := judge.Judge(rec, judge.Standard()); j.Verdict == judge.Pass {
		t.Errorf("a killed run passes: %s", j.Why)
	}
	sweptByTheNext(t, temp)
}

// sweptByTheNext holds that a run removes what a killed one has left in temp, and
// its shared memory.
func sweptByTheNext(t *testing.T, temp string) {
	t.Helper()
	pids, _ := filepath.Glob(filepath.Join(temp, "brownout-*", "*", "*", "postmaster.pid"))
	if len(pids) != 1 {
		t.Fatalf("postmaster.pid below %s: %v, want one", temp, pids)
	}
	text, err := os.ReadFile(pids[0])
	if err != nil {
		t.Fatal(err)
	}
	// The seventh line has key and id of the segment (PostgreSQL, miscinit.h).
	segment := strings.Fields(strings.Split(string(text), "\n")[6])[1]
	if !hasSegment(t, segment) {
		t.Fatalf("the killed PostgreSQL has left no shared memory %s: the test would prove nothing", segment)
	}
	next := exec.CommandContext(t.Context(), "brownout", "run", "steady", "--results", t.TempDir(),
		"--set", "phases.warm-up.for=100ms", "--set", "phases.steady.for=100ms")
	next.Env = append(os.Environ(), "TMPDIR="+temp)
	if out, err := next.CombinedOutput(); next.ProcessState == nil {
		t.Fatalf("the next run: %v\n%s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(temp, "*")); len(left) > 0 {
		t.Errorf("after the next run %v is left", left)
	}
	if hasSegment(t, segment) {
		t.Errorf("after the next run shared memory %s is left", segment)
	}
}

// hasSegment reports whether a System V shared memory segment exists.
func hasSegment(t *testing.T, id string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] == id {
			return true
		}
	}
	return false
}

func TestInterruptKeepsThePartialRun(t *testing.T) {
	dir := t.TempDir()
	cmd := started(t, dir, openTempDir(t))
	children := descendants(t, cmd.Process.Pid)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatalf("interrupting: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	defer context.AfterFunc(ctx, func() { cmd.Process.Kill() })()
	cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != exitInterrupted {
		t.Errorf("exit code = %d, want %d", got, exitInterrupted)
	}
	for pid, name := range children {
		if alive(pid) {
			t.Errorf("%s (%d) is left running", name, pid)
		}
	}
	var o outcome
	o.read(t, dir)
	if got := o.rec.Manifest.State; got != results.StateInterrupted {
		t.Errorf("state = %s, want interrupted", got)
	}
	if o.judged.Verdict == judge.Pass {
		t.Error("an interrupted run passes")
	}
}
