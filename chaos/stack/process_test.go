//go:build linux

package stack

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"brownout/results"
)

// shell starts a shell that runs text.
func shell(t *testing.T, s *Spawner, text string, j *journal) *Process {
	t.Helper()
	c := Command{Name: "shell", Path: "/bin/sh", Args: []string{"-c", text}, Log: logPath(t)}
	if j != nil {
		c.Record = j.record
	}
	p, err := s.Start(t.Context(), c)
	if err != nil {
		t.Fatalf("Start: %v", err)
	}
	return p
}

func logPath(t *testing.T) string { return filepath.Join(t.TempDir(), "log") }

func newSpawner(t *testing.T) *Spawner {
	s := NewSpawner()
	t.Cleanup(s.Close)
	return s
}

// awaitLog waits until the process has logged text, and returns the log.
func awaitLog(t *testing.T, p *Process, text string) string {
	t.Helper()
	var log string
	eventually(t, "the log says "+text, func() bool {
		data, err := os.ReadFile(p.log)
		if err != nil {
			t.Fatal(err)
		}
		log = string(data)
		return strings.Contains(log, text)
	})
	return log
}

func TestAnUnaskedEndIsAnErrorWithTheEndOfTheLog(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"an exit status", "echo one; echo two >&2; exit 3", "shell ended unasked (exit status 3); its log ends: one | two"},
		{"success is unasked too", "echo done", "shell ended unasked (exit status 0); its log ends: done"},
		{"a signal", "kill -9 $$", "shell ended unasked (signal: killed) and logged nothing"},
		{"a long log is cut", "for i in 1 2 3 4 5 6 7; do echo $i; done; exit 1", "shell ended unasked (exit status 1); its log ends: 3 | 4 | 5 | 6 | 7"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var j journal
			p := shell(t, newSpawner(t), row.text, &j)
			err := p.Wait(t.Context())
			var exit *ExitError
			if !errors.As(err, &exit) || err.Error() != row.want {
				t.Errorf("Wait = %v, want %s", err, row.want)
			}
			if err := p.Stop(t.Context(), syscall.SIGTERM); err != nil {
				t.Errorf("Stop after the end = %v, want nil", err)
			}
			if got := p.Err(); got != err {
				t.Errorf("Err after Stop = %v, want still %v", got, err)
			}
			if got, want := j.kinds("shell"), []results.EventKind{results.EventStart, results.EventExit}; !slices.Equal(got, want) {
				t.Errorf("events = %v, want %v", got, want)
			}
		})
	}
}

func TestTheTailBelongsToTheLastProcessOnALog(t *testing.T) {
	s, log := newSpawner(t), logPath(t)
	var err error
	for _, word := range []string{"first", "second"} {
		p, serr := s.Start(t.Context(), Command{Name: "echo", Path: "echo", Args: []string{word}, Log: log})
		if serr != nil {
			t.Fatal(serr)
		}
		err = p.Wait(t.Context())
	}
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Tail != "second" {
		t.Errorf("Wait = %v, want a tail of the second process alone", err)
	}
	if data, err := os.ReadFile(log); err != nil || string(data) != "first\nsecond\n" {
		t.Errorf("log = %q, %v, want both", data, err)
	}
}

func TestStopEndsAProcessBySignal(t *testing.T) {
	p := shell(t, newSpawner(t), "trap 'exit 0' TERM; echo trapped; while :; do sleep 0.01; done", nil)
	awaitLog(t, p, "trapped")
	if err := p.Stop(t.Context(), syscall.SIGTERM); err != nil {
		t.Errorf("Stop = %v, want nil", err)
	}
	if err := p.Err(); err != nil || !p.Exited() {
		t.Errorf("Err = %v, Exited = %v after an end that was asked for, want nil, true", err, p.Exited())
	}
}

func TestStopKillsAProcessThatIgnoresItsSignal(t *testing.T) {
	p := shell(t, newSpawner(t), "trap '' TERM; echo trapped; while :; do sleep 0.01; done", nil)
	awaitLog(t, p, "trapped")
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { cancelWhenAsked(p, cancel) })
	err := p.Stop(ctx, syscall.SIGTERM)
	group.Wait()
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("Stop = %v, want that it was killed", err)
	}
	if alive(p.PID()) {
		t.Error("the process lives")
	}
}

// cancelWhenAsked cancels once Stop has asked p to end.
func cancelWhenAsked(p *Process, cancel func()) {
	for {
		p.mu.Lock()
		asked := p.asked
		p.mu.Unlock()
		if asked {
			cancel()
			return
		}
		runtime.Gosched()
	}
}

func TestStopWakesAFrozenProcess(t *testing.T) {
	p := shell(t, newSpawner(t), "trap 'exit 0' TERM; echo trapped; while :; do sleep 0.01; done", nil)
	awaitLog(t, p, "trapped")
	if err := syscall.Kill(-p.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(t.Context(), syscall.SIGTERM); err != nil {
		t.Errorf("Stop = %v, want nil", err)
	}
}

func TestTheGroupEndsWithItsLeader(t *testing.T) {
	p := shell(t, newSpawner(t), "sleep 1000 & echo child $!; exit 1", nil)
	if err := p.Wait(t.Context()); err == nil {
		t.Fatal("Wait = nil")
	}
	_, text, _ := strings.Cut(awaitLog(t, p, "child"), "child ")
	pid, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child ends", func() bool { return !alive(pid) })
}

func TestCloseOfTheSpawnerKillsAndReaps(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	s := NewSpawner()
	var all []*Process
	for range 3 {
		all = append(all, shell(t, s, "trap '' TERM; exec sleep 1000", nil))
	}
	s.Close()
	for _, p := range all {
		if !p.Exited() || p.Err() != nil {
			t.Errorf("Exited = %v, Err = %v after Close, want true, nil", p.Exited(), p.Err())
		}
		if _, err := os.Stat("/proc/" + strconv.Itoa(p.PID())); err == nil {
			t.Errorf("process %d is there after Close, if only as a zombie", p.PID())
		}
	}
	if _, err := s.Start(t.Context(), Command{Name: "late", Path: "true"}); !errors.Is(err, ErrClosed) {
		t.Errorf("Start after Close = %v, want ErrClosed", err)
	}
	s.Close()
	eventually(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= goroutines })
}

func TestChildrenOutliveTheThreadOfTheirStarter(t *testing.T) {
	s, started := newSpawner(t), make(chan *Process)
	go func() { // returns locked, and its thread ends
		runtime.LockOSThread()
		started <- shell(t, s, "exec sleep 1000", nil)
	}()
	p := <-started
	other := shell(t, s, "exit 0", nil) // the spawner goes on
	<-other.Done()
	if err := p.Stop(t.Context(), syscall.SIGTERM); err != nil || p.Err() != nil {
		t.Errorf("Stop = %v, Err = %v, want nil, nil: the child lived until it was asked", err, p.Err())
	}
}

func TestACommandThatCannotStartIsAnError(t *testing.T) {
	s := newSpawner(t)
	for _, row := range []struct {
		name string
		c    Command
		want string
	}{
		{"no such program", Command{Name: "ghost", Path: "/nonesuch"}, "starting ghost: fork/exec /nonesuch: no such file"},
		{"no such folder", Command{Name: "ghost", Path: "/bin/true", Dir: "/nonesuch"}, "starting ghost: "},
		{"no place for the log", Command{Name: "ghost", Path: "/bin/true", Log: "/nonesuch/log"}, "opening its log"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := s.Start(t.Context(), row.c); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Start = %v, want %q", err, row.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Start(ctx, Command{Name: "late", Path: "true"}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start with a context that is done = %v, want context.Canceled", err)
	}
}

func TestUsageIsThatOfTheProcessAndItsChildren(t *testing.T) {
	p := shell(t, newSpawner(t), "sleep 1000 & echo up; while :; do :; done", nil)
	awaitLog(t, p, "up")
	first, err := p.Usage()
	if err != nil {
		t.Fatalf("Usage: %v", err)
	}
	if first.Process != "shell" || first.Memory <= 0 || first.Threads < 2 || first.Descriptors < 4 {
		t.Errorf("Usage = %+v, want that of two processes with memory and descriptors", first)
	}
	eventually(t, "the loop uses CPU", func() bool {
		later, err := p.Usage()
		if err != nil {
			t.Fatalf("Usage: %v", err)
		}
		if later.CPU < first.CPU || later.At <= first.At {
			t.Fatalf("Usage went back from %+v to %+v", first, later)
		}
		return later.CPU > first.CPU
	})
	if err := p.Stop(t.Context(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Usage(); err == nil {
		t.Errorf("Usage of an ended process = %+v, want an error", got)
	}
}

func TestAProcessRunsAsItsUser(t *testing.T) {
	user := serverUser()
	if user == nil {
		t.Skip("needs root") // who is not root cannot be another user
	}
	s, log := newSpawner(t), logPath(t)
	p, err := s.Start(t.Context(), Command{
		Name: "id", Path: "/bin/sh", Args: []string{"-c", "id -u; id -G; echo $LD_LIBRARY_PATH"},
		Env: []string{"PATH=/usr/bin:/bin", "LD_LIBRARY_PATH=/nonesuch"}, Dir: "/", User: user, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	want := strconv.Itoa(int(user.UID)) + "\n" + strconv.Itoa(int(user.GID)) + "\n/nonesuch\n"
	if string(data) != want {
		t.Errorf("id says %q, want %q", data, want)
	}
}
