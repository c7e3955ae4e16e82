//go:build linux

package stack

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/results"

	"github.com/jackc/pgx/v5"
)

// hang guards against what never ends. No test passes or fails by its length.
const hang = 60 * time.Second

// helperVariable makes the test binary a harness of its own, with a stack of this
// cache, that waits to be killed.
const helperVariable = "BROWNOUT_STACK_HELPER"

// helperProvider says where its servers come from. Default: as ever.
const helperProvider = "BROWNOUT_PROVIDER"

// freezeVariable makes it freeze its stack.
const freezeVariable = "BROWNOUT_STACK_FREEZE"

func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		if err := beHarness(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	// Topologies wait more than they work: two cores can carry more than two.
	if err := flag.Set("test.parallel", "4"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A traceList is what a stack leaves on the machine while it lives.
type traceList struct {
	Folder   string
	Children []int // of the harness
	PIDs     []int // they and all below
	Segments []int // ids of System V shared memory
	CacheURL string
}

// beHarness starts a stack, prints its traces and ends when stdin does.
func beHarness() error {
	ctx := context.Background()
	s, err := Start(ctx, Config{Cache: os.Getenv(helperVariable), Database: Postgres})
	if err != nil {
		return err
	}
	if os.Getenv(freezeVariable) != "" {
		for _, n := range s.Nodes {
			if err := n.Pause(); err != nil {
				return err
			}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(tracesOf(s)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return s.Close(ctx)
}

// startHarness runs beHarness in a process of its own.
func startHarness(t *testing.T, cache string, env ...string) (*exec.Cmd, io.Closer, traceList) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), helperVariable+"="+cache), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	var traces traceList
	if err := json.NewDecoder(out).Decode(&traces); err != nil {
		t.Fatalf("reading what the helper started: %v", err)
	}
	return cmd, in, traces
}

func tracesOf(s *Stack) traceList {
	traces := traceList{Folder: s.folder.path}
	for _, n := range s.Nodes {
		traces.Children = append(traces.Children, n.Process().PID())
		traces.PIDs = append(traces.PIDs, family(n.Process().PID())...)
	}
	if s.Database != nil {
		name := filepath.Base(s.folder.path) + "-1"
		pidFile := filepath.Join(s.folder.path, results.LinkDatabase, name, "postmaster.pid")
		if seg, found, err := readSegment(pidFile); err == nil && found {
			traces.Segments = append(traces.Segments, seg.id)
		}
	}
	if s.Cache != nil {
		traces.CacheURL = s.Cache.URL
	}
	return traces
}

func family(pid int) []int {
	all := []int{pid}
	for _, child := range children(pid) {
		all = append(all, family(child)...)
	}
	return all
}

// left says what of the traces is still there.
func (l traceList) left() []string {
	var left []string
	for _, pid := range l.PIDs {
		if alive(pid) {
			left = append(left, fmt.Sprintf("process %d", pid))
		}
	}
	for _, id := range l.Segments {
		if segmentExists(id) {
			left = append(left, fmt.Sprintf("segment %d", id))
		}
	}
	if _, err := os.Stat(l.Folder); err == nil {
		left = append(left, l.Folder)
	}
	return left
}

// alive reports whether the process exists and is no zombie: who reaps orphans is
// not ours to test.
func alive(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

func segmentExists(id int) bool { return segmentKey(id) != "" }

// segmentKey asks the kernel's list, not the code under test. Empty: there is no
// such segment.
func segmentKey(id int) string {
	data, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == strconv.Itoa(id) {
			return f[0]
		}
	}
	return ""
}

// eventually polls until ok, and fails the test when that does not come.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(start) > hang {
			t.Fatalf("%s: not within %v", what, hang)
		}
	}
}

// place makes a folder for run folders of this test alone, which PostgreSQL's user
// may enter; t.TempDir is not one.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "brownout-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	return dir
}

// startStack starts a stack that is closed at the end of the test at the latest.
func startStack(t *testing.T, c Config) *Stack {
	t.Helper()
	s, err := Start(t.Context(), c)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	t.Cleanup(func() { closeStack(t, s) })
	return s
}

func closeStack(t *testing.T, s *Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// ping sends PING over a plain socket.
func ping(t *testing.T, addr string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatalf("dialing the cache: %v", err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(hang))
	fmt.Fprint(conn, "PING\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatalf("reading the answer to PING: %v", err)
	}
	return strings.TrimSpace(line)
}

// queryOne runs a query that gives one number.
func queryOne(t *testing.T, url, query string) int {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connecting to the database: %v", err)
	}
	defer conn.Close(context.Background())
	var n int
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func hostOf(t *testing.T, text string) string {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// A journal collects events.
type journal struct {
	mu     sync.Mutex
	events []results.Event
}

func (j *journal) record(e results.Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
}

// kinds lists what happened on one process, in order.
func (j *journal) kinds(on string) []results.EventKind {
	j.mu.Lock()
	defer j.mu.Unlock()
	var kinds []results.EventKind
	for _, e := range j.events {
		if e.On == on {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}
