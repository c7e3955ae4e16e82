//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A labProcess is a `brownout lab` of its own, with a folder of its own for what it
// leaves there.
type labProcess struct {
	cmd   *exec.Cmd
	place string   // its TMPDIR
	in    *os.File // what it reads
}

// startLabProcess runs `brownout lab args` until t ends, and returns when it has told its
// addresses.
func startLabProcess(t *testing.T, place string, args ...string) *labProcess {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the whole command")
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &labProcess{cmd: exec.Command("brownout", append([]string{"lab"}, args...)...), place: place, in: write}
	p.cmd.Stdin, p.cmd.Stderr, p.cmd.Env = read, os.Stderr, append(os.Environ(), "TMPDIR="+place)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read.Close()
	t.Cleanup(func() { write.Close(); p.cmd.Process.Kill(); p.cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "REDIS") {
		t.Fatalf("the lab says %q, %v; want addresses", line, err)
	}
	return p
}

// left lists what is of labs in a place, but for the lock of the sockets' folder.
func left(t *testing.T, place string) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"brownout-run-*", "brownout-new-*", "brownout-lab-*/*.sock"} {
		some, err := filepath.Glob(filepath.Join(place, pattern))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, some...)
	}
	return all
}

// servers lists the processes below a lab.
func servers(t *testing.T, pid int) []int {
	t.Helper()
	return slices.Collect(maps.Keys(descendants(t, pid)))
}

// segments lists the shared memory that pids have made, by id.
func segments(t *testing.T, pids []int) []string {
	t.Helper()
	table, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line) // key shmid perms size cpid …
		if pid, err := strconv.Atoi(fields[4]); err == nil && slices.Contains(pids, pid) {
			all = append(all, fields[1])
		}
	}
	return all
}

// TestALabThatIsKilledLeavesNothingToTheNext: its processes die with it, the rest
// goes with the next start, of whatever name.
func TestALabThatIsKilledLeavesNothingToTheNext(t *testing.T) {
	place := openTempDir(t)
	first := startLabProcess(t, place, "elasticache", "--database", "--name", "killed")
	pids := servers(t, first.cmd.Process.Pid)
	shared := segments(t, pids)
	if len(pids) < 3 || len(shared) != 1 || len(left(t, place)) != 2 {
		t.Fatalf("it has processes %v, shared memory %v and %v; want some, one, a folder and a socket", pids, shared, left(t, place))
	}
	killed := time.Now()
	first.cmd.Process.Kill()
	first.cmd.Wait()
	await(t, "the end of the servers", func() bool { return !slices.ContainsFunc(pids, alive) })
	t.Logf("%d servers ended %v after the kill", len(pids), time.Since(killed))
	old := left(t, place)
	if len(old) != 2 || len(segments(t, pids)) != 1 {
		t.Errorf("after the kill there are %v and shared memory %v; want something to sweep", old, segments(t, pids))
	}
	startLabProcess(t, place, "redis", "--name", "next")
	now := left(t, place)
	if len(now) != 2 || slices.Contains(now, old[0]) || slices.Contains(now, old[1]) {
		t.Errorf("beside the next lab there are %v, want its folder and its socket alone", now)
	}
	if got := segments(t, pids); len(got) > 0 {
		t.Errorf("the shared memory %v is still there", got)
	}
}

// TestCtrlCEndsALab: at any moment, and leaves nothing.
func TestCtrlCEndsALab(t *testing.T) {
	for _, row := range []struct {
		name  string
		args  []string
		typed string
	}{
		{"a failover goes on", []string{"elasticache", "--database"}, "failover unplanned\n"},
		{"DNS mode", []string{"elasticache", "--dns"}, ""},
		{"Sentinels", []string{"sentinel"}, "stop cache-1\n"},
		{"a cluster", []string{"cluster"}, "fault cache-1 drop\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			place := openTempDir(t)
			journal := filepath.Join(place, "journal")
			p := startLabProcess(t, place, append(row.args, "--journal", journal)...)
			pids := servers(t, p.cmd.Process.Pid)
			io.WriteString(p.in, row.typed)
			if row.typed != "" {
				await(t, "the command", func() bool {
					text, err := os.ReadFile(journal)
					return err == nil && len(text) > 0
				})
			}
			begun := time.Now()
			p.cmd.Process.Signal(os.Interrupt)
			err := p.cmd.Wait()
			t.Logf("%d servers ended, and all was cleaned up, %v after Ctrl-C", len(pids), time.Since(begun))
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
				t.Errorf("the lab ended with %v, want exit status %d", err, exitInterrupted)
			}
			if slices.ContainsFunc(pids, alive) || len(left(t, place)) > 0 {
				t.Errorf("processes %v live: %v; there are %v", pids, slices.ContainsFunc(pids, alive), left(t, place))
			}
		})
	}
}

func TestCtrlCEndsALabThatStarts(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole command")
	}
	place := openTempDir(t)
	cmd := exec.Command("brownout", "lab", "cluster")
	cmd.Env = append(os.Environ(), "TMPDIR="+place)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "a server", func() bool { return len(servers(t, cmd.Process.Pid)) > 0 })
	pids := servers(t, cmd.Process.Pid)
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || out.Len() > 0 {
		t.Errorf("the lab ended with %d and said %q; want %d and nothing", code, out.String(), exitInterrupted)
	}
	if slices.ContainsFunc(pids, alive) || len(left(t, place)) > 0 {
		t.Errorf("processes %v live: %v; there are %v", pids, slices.ContainsFunc(pids, alive), left(t, place))
	}
}

// A terminal is the far end of a pseudo-terminal that a command runs on.
type terminal struct {
	keys *os.File
	mu   sync.Mutex
	said bytes.Buffer
}

// onTerminal runs cmd on a terminal of 100 columns and 30 lines.
func onTerminal(t *testing.T, cmd *exec.Cmd) *terminal {
	t.Helper()
	near, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("opening a terminal: %v", err)
	}
	fd := int(near.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100})
	}
	if err != nil {
		t.Fatal(err)
	}
	far, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = far, far, far
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	far.Close()
	term := &terminal{keys: near}
	var reading sync.WaitGroup
	reading.Go(func() { io.Copy(term, near) })
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait(); reading.Wait(); near.Close() })
	return term
}

func (t *terminal) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.said.Write(b)
}

func (t *terminal) has(text string) func() bool {
	return func() bool {
		t.mu.Lock()
		defer t.mu.Unlock()
		return strings.Contains(t.said.String(), text)
	}
}

// TestALabOnATerminal: the table is above, the prompt completes, Ctrl-C is heard
// while a command is carried out.
func TestALabOnATerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole command")
	}
	place := openTempDir(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "brownout", "lab")
	cmd.Env = append(os.Environ(), "TMPDIR="+place)
	term := onTerminal(t, cmd)
	await(t, "the table", term.has("\x1b[4;1Hprimary      cache-1 "))
	term.keys.WriteString("fault reader blac\t")
	await(t, "the word's completion", term.has("blackhole "))
	term.keys.WriteString("\r")
	await(t, "the command", term.has("blackhole on reader is in force"))
	term.keys.WriteString("failover test-failover promoted=10ms moved=10m replaced=11m loaded=12m\r")
	await(t, "the failover in the table", term.has("\x1b[3;1Hcache-2      cache-2          0          0        0  primary"))
	term.keys.WriteString("\x03")
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || len(left(t, place)) > 0 {
		t.Errorf("the lab ended with %d and left %v; want %d and nothing", code, left(t, place), exitInterrupted)
	}
}
