package docker_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"brownout/chaos/stack"
	"brownout/chaos/stack/docker"
)

// hang guards against what never ends. No test passes or fails by its length.
const hang = 60 * time.Second

// openVariable makes the test binary a program that only opens the engine: what Open
// finds stays so for the life of a program.
const openVariable = "BROWNOUT_DOCKER_OPEN"

func TestMain(m *testing.M) {
	if os.Getenv(openVariable) == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := docker.Open(ctx)
	fmt.Print(err)
}

// opened is what Open returns in a program with this DOCKER_HOST.
func opened(t *testing.T, host string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), openVariable+"=1", "DOCKER_HOST="+host, "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestOpenSaysInOneLineThatNoEngineAnswers(t *testing.T) {
	if os.Getenv("DOCKER_HOST") == "" {
		if _, err := os.Stat("/var/run/docker.sock"); err == nil {
			t.Skip("an engine is found at the usual place")
		}
	}
	got := opened(t, "unix://"+filepath.Join(t.TempDir(), "none.sock"))
	if !strings.HasPrefix(got, "no Docker engine answers: ") || strings.Contains(got, "\n") {
		t.Errorf("Open with a DOCKER_HOST where nobody is = %q, want one line that says so", got)
	}
}

func TestOpenDoesNotWaitForAnEngineThatHangs(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "hangs.sock")) // and nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := opened(t, "unix://"+l.Addr().String())
	if want := "asking for a Docker engine: context deadline exceeded"; got != want {
		t.Errorf("Open with an engine that hangs = %q, want %q", got, want)
	}
}

// open finds the engine, or skips the test.
func open(t *testing.T) *docker.Engine {
	t.Helper()
	e, err := docker.Open(t.Context())
	if err != nil {
		t.Skipf("needs a Docker engine: %v", err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// spec is a Redis in a container, with a port of its own.
func spec(t *testing.T, e *docker.Engine, name string) docker.Spec {
	t.Helper()
	here, err := e.Has(t.Context(), stack.Image(stack.Redis))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	run := fmt.Sprintf("brownout-test-%d-%d", os.Getpid(), time.Now().UnixNano())
	s := docker.Spec{
		Run: run, Name: run + "-" + name, Image: stack.Image(stack.Redis), Addr: l.Addr().String(), Port: 6379,
		Cmd:   []string{"redis-server", "/etc/brownout/redis.conf"},
		Files: []docker.File{{Path: "/etc/brownout/redis.conf", Data: []byte("dir /data\nprotected-mode no\nsave \"\"\nmaxclients 77\n")}},
	}
	if !here { // pulled now, or no test of this machine can have it
		c, err := e.Create(t.Context(), s)
		if err != nil {
			t.Skipf("needs the image: %v", err)
		}
		remove(t, c)
	}
	return s
}

func create(t *testing.T, e *docker.Engine, s docker.Spec) *docker.Container {
	t.Helper()
	c, err := e.Create(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, c) })
	return c
}

func remove(t *testing.T, c *docker.Container) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	if err := c.Remove(ctx); err != nil {
		t.Errorf("Remove: %v", err)
	}
}

func start(t *testing.T, c *docker.Container) docker.State {
	t.Helper()
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return state(t, c)
}

func state(t *testing.T, c *docker.Container) docker.State {
	t.Helper()
	s, err := c.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask says one command to the Redis at addr, once it answers.
func ask(t *testing.T, addr, command string) string {
	t.Helper()
	var err error
	for begin := time.Now(); time.Since(begin) < hang; time.Sleep(10 * time.Millisecond) {
		var line string
		if line, err = askOnce(addr, command); err == nil {
			return line
		}
	}
	t.Fatalf("%s: %v", command, err)
	return ""
}

func askOnce(addr, command string) (string, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(hang))
	fmt.Fprintf(c, "%s\r\n", command)
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if strings.HasPrefix(line, "$") && line != "$-1\r\n" {
		line, err = r.ReadString('\n')
	}
	return strings.TrimSpace(line), err
}

func wait(t *testing.T, c *docker.Container) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	status, err := c.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestAContainerIsAProcessWithAWallAroundIt(t *testing.T) {
	t.Parallel()
	e := open(t)
	s := spec(t, e, "cache")
	c := create(t, e, s)
	if got := state(t, c); got.Running {
		t.Errorf("State before Start = %+v, want it not to run", got)
	}
	first := start(t, c)
	if !first.Running || first.PID == 0 {
		t.Errorf("State after Start = %+v, want a running process", first)
	}
	if got, want := ask(t, s.Addr, "SET k v"), "+OK"; got != want {
		t.Errorf("SET = %q, want %q", got, want)
	}
	if got, want := ask(t, s.Addr, "SAVE"), "+OK"; got != want {
		t.Errorf("SAVE = %q, want %q", got, want)
	}
	if err := c.Signal(t.Context(), "SIGKILL"); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, c); got != 137 {
		t.Errorf("Wait after SIGKILL = %d, want 128 and 9", got)
	}
	if _, err := net.Dial("tcp", s.Addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialing a dead server: %v, want it refused", err)
	}
	if again := start(t, c); again.PID == first.PID {
		t.Errorf("the second start has process %d like the first", again.PID)
	}
	if got := ask(t, s.Addr, "GET k"); got != "v" {
		t.Errorf("GET after the second start at the same address = %q, want what was saved", got)
	}
	if err := c.Signal(t.Context(), "SIGTERM"); err != nil {
		t.Fatal(err)
	}
	if got := wait(t, c); got != 0 {
		t.Errorf("Wait after SIGTERM = %d, want a clean end", got)
	}
	if err := c.Signal(t.Context(), "SIGTERM"); err != nil {
		t.Errorf("Signal to a container that has ended: %v, want none", err)
	}
}

func TestFilesAreThereBeforeTheServer(t *testing.T) {
	t.Parallel()
	e := open(t)
	s := spec(t, e, "cache")
	start(t, create(t, e, s))
	ask(t, s.Addr, "PING")
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(hang))
	fmt.Fprint(c, "CONFIG GET maxclients\r\n")
	var text strings.Builder
	for r := bufio.NewReader(c); !strings.Contains(text.String(), "77"); {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("the server's maxclients: %q, %v; want 77 of the file", text.String(), err)
		}
		text.WriteString(line)
	}
}

func TestThePortIsPublishedAtOneAddressOnly(t *testing.T) {
	t.Parallel()
	e := open(t)
	s := spec(t, e, "cache")
	start(t, create(t, e, s))
	ask(t, s.Addr, "PING")
	_, port, _ := net.SplitHostPort(s.Addr)
	if c, err := net.Dial("tcp", "127.0.0.9:"+port); err == nil {
		c.Close()
		t.Errorf("another address than %s accepts, too", s.Addr)
	}
}

func TestPauseFreezes(t *testing.T) {
	t.Parallel()
	e := open(t)
	s := spec(t, e, "cache")
	c := create(t, e, s)
	start(t, c)
	ask(t, s.Addr, "PING")
	if err := c.Unpause(t.Context()); err != nil {
		t.Errorf("Unpause of one that runs: %v, want none", err)
	}
	if err := c.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := state(t, c); !got.Paused {
		t.Errorf("State = %+v, want it paused", got)
	}
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatalf("dialing a paused server: %v, want it accepted", err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "PING\r\n")
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a paused server answers %d bytes, %v; want silence", n, err)
	}
	if err := c.Unpause(t.Context()); err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(hang))
	if line, err := bufio.NewReader(conn).ReadString('\n'); line != "+PONG\r\n" {
		t.Errorf("it goes on and answers %q, %v; want PONG", line, err)
	}
}

func TestAPausedContainerHearsOfASignal(t *testing.T) {
	t.Parallel()
	e := open(t)
	for _, signal := range []string{"SIGTERM", "SIGKILL"} {
		s := spec(t, e, "cache")
		c := create(t, e, s)
		start(t, c)
		ask(t, s.Addr, "PING") // it can be signalled: a first process without a handler hears nothing
		if err := c.Pause(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Signal(t.Context(), signal); err != nil {
			t.Errorf("Signal(%s): %v", signal, err)
		}
		wait(t, c)
	}
}

func TestLogsAreThoseOfTheLastStart(t *testing.T) {
	t.Parallel()
	e := open(t)
	s := spec(t, e, "cache")
	c := create(t, e, s)
	for range 2 {
		start(t, c)
		ask(t, s.Addr, "PING")
		if err := c.Signal(t.Context(), "SIGTERM"); err != nil {
			t.Fatal(err)
		}
		wait(t, c)
	}
	text, err := c.Logs(t.Context())
	if got := strings.Count(string(text), "Ready to accept connections"); err != nil || got != 1 {
		t.Errorf("Logs tell of %d starts, %v; want the last one:\n%s", got, err, text)
	}
}

func TestRemoveRunRemovesWhatIsOfTheRun(t *testing.T) {
	t.Parallel()
	e := open(t)
	s := spec(t, e, "one")
	other := spec(t, e, "other")
	start(t, create(t, e, s)) // running
	kept := create(t, e, other)
	if ids, err := e.OfRun(t.Context(), s.Run); err != nil || len(ids) != 1 {
		t.Fatalf("OfRun = %v, %v; want one", ids, err)
	}
	for range 2 { // the second time there is nothing
		if err := e.RemoveRun(t.Context(), s.Run); err != nil {
			t.Errorf("RemoveRun: %v", err)
		}
	}
	if ids, err := e.OfRun(t.Context(), s.Run); err != nil || len(ids) != 0 {
		t.Errorf("OfRun after RemoveRun = %v, %v; want none", ids, err)
	}
	if ids, err := e.OfRun(t.Context(), other.Run); err != nil || len(ids) != 1 || ids[0] != kept.ID() {
		t.Errorf("OfRun of another run = %v, %v; want it untouched", ids, err)
	}
}

func TestCreateNamesAnImageThatCannotBeHad(t *testing.T) {
	t.Parallel()
	e := open(t)
	s := spec(t, e, "cache")
	s.Image = "127.0.0.1:1/nobody/nothing:0"
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // the library tries again and again
	defer cancel()
	_, err := e.Create(ctx, s)
	if err == nil || !strings.Contains(err.Error(), s.Image) || strings.Contains(err.Error(), "\n") {
		t.Errorf("Create = %v, want one line that names %s", err, s.Image)
	}
	if ids, lerr := e.OfRun(t.Context(), s.Run); lerr != nil || len(ids) != 0 {
		t.Errorf("it leaves %v, %v; want nothing", ids, lerr)
	}
}

func TestAPortThatIsTakenIsAnError(t *testing.T) {
	t.Parallel()
	e := open(t)
	s := spec(t, e, "cache")
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := create(t, e, s).Start(t.Context()); err == nil {
		t.Error("Start = nil at an address that is taken, want an error")
	}
}
