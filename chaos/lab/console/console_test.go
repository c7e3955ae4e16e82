package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/chaos/lab"
	"brownout/chaos/stack"
)

// open brings up a lab with a console until t ends.
func open(t *testing.T, topology string) (*Console, *lab.Lab, *bytes.Buffer) {
	t.Helper()
	l, err := lab.Open(t.Context(), lab.Config{Stack: stack.Config{Cache: topology}})
	t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	journal := &bytes.Buffer{}
	c := New(l, NewJournal(journal))
	t.Cleanup(c.Close)
	return c, l, journal
}

func do(t *testing.T, c *Console, line string) string {
	t.Helper()
	var out bytes.Buffer
	if err := c.Do(t.Context(), line, &out); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return out.String()
}

// ping says what one PING over a new connection gets.
func ping(addr string) string {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "gone"
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(300 * time.Millisecond))
	fmt.Fprint(c, "PING\r\n")
	b := make([]byte, 100)
	n, err := c.Read(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "silence"
	case err != nil:
		return "gone"
	}
	return strings.TrimSpace(string(b[:n]))
}

func TestWhatIsCommandedHappens(t *testing.T) {
	c, l, journal := open(t, stack.Redis)
	addr := l.Link("cache").Addr()
	for _, row := range []struct{ line, says, ping string }{
		{"", "", "+PONG"},
		{"fault cache loading", "loading on cache is in force", "-LOADING Redis is loading the dataset in memory"},
		{"status", "in force: loading on cache", "-LOADING Redis is loading the dataset in memory"},
		{"heal cache", "loading on cache has been taken away", "+PONG"},
		{"heal", "no fault was in force", "+PONG"},
		{"stop cache", "cache is stopped", "silence"},
		{"continue cache", "cache goes on", "+PONG"},
		{"restart cache empty", "cache was restarted", "+PONG"},
		{"flush cache", "cache is empty", "+PONG"},
		{"kill primary", "cache was killed", "gone"},
		{"status", "gone", "gone"},
		{"restart cache", "cache was restarted", "+PONG"},
		{"urls", "redis://" + addr, "+PONG"},
		{"help", "failover PLAN", "+PONG"},
		{"plans", "moved=48s", "+PONG"},
		{"faults", "blackhole", "+PONG"},
	} {
		if got := do(t, c, row.line); !strings.Contains(got, row.says) {
			t.Errorf("%s says %q, want %q in it", row.line, got, row.says)
		}
		if got := ping(addr); got != row.ping {
			t.Errorf("PING after %q = %q, want %q", row.line, got, row.ping)
		}
	}
	for _, want := range []string{`"did":"fault cache loading"`, `"did":"kill primary"`} {
		if !strings.Contains(journal.String(), want) {
			t.Errorf("the journal has no %s:\n%s", want, journal)
		}
	}
	if strings.Contains(journal.String(), "status") {
		t.Errorf("the journal has what did nothing:\n%s", journal)
	}
}

// TestFaultsOnServers: what no link can put in force is put on the server.
func TestFaultsOnServers(t *testing.T) {
	c, l, _ := open(t, stack.Replicated)
	addr := l.Link("cache-2").Addr()
	do(t, c, "failover planned moved=1ms deleted=2ms")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := l.Stack.Await(ctx); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ line, says, ping string }{
		{"fault primary kill", "kill on cache-2 is in force", "gone"},
		{"heal cache-2", "kill on cache-2 has been taken away", "+PONG"},
		{"fault cache-2 stop", "stop on cache-2 is in force", "silence"},
		{"heal", "stop on cache-2 has been taken away", "+PONG"},
		{"fault cache-2 restart", "restart on cache-2 has passed", "+PONG"},
		{"fault cache-2 flush", "flush on cache-2 has passed", "+PONG"},
		{"fault cache-2 fill", "fill on cache-2 is in force", "+PONG"},
		{"heal", "fill on cache-2 has been taken away", "+PONG"},
	} {
		if got := do(t, c, row.line); !strings.Contains(got, row.says) {
			t.Errorf("%s says %q, want %q in it", row.line, got, row.says)
		}
		if got := ping(addr); got != row.ping {
			t.Errorf("PING after %q = %q, want %q", row.line, got, row.ping)
		}
	}
	for place, want := range map[string]bool{"reader": false, "primary": true, "cache-2": true} {
		if got := slices.Contains(c.kinds(place), "kill"); got != want {
			t.Errorf("kill is completed on %s: %v, want %v", place, got, want)
		}
	}
}

func TestAFaultEndsByItself(t *testing.T) {
	c, l, _ := open(t, stack.Redis)
	do(t, c, "fault cache blackhole for 400ms")
	if got := ping(l.Link("cache").Addr()); got != "silence" {
		t.Errorf("PING in a blackhole = %q, want silence", got)
	}
	for end := time.Now().Add(20 * time.Second); ping(l.Link("cache").Addr()) != "+PONG"; {
		if time.Now().After(end) {
			t.Fatal("the blackhole for 400ms has not ended")
		}
	}
	if got := do(t, c, "heal"); !strings.Contains(got, "no fault was in force") {
		t.Errorf("heal says %q, want that nothing was in force", got)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	c, _, _ := open(t, stack.Redis)
	for line, want := range map[string]string{
		"fly":                              `unknown command "fly"; help lists them`,
		"fault":                            "for example: fault cache blackhole for 10s",
		"fault cash kill":                  `there is no server "cash"`,
		"fault cache restart for 2s":       "restart passes by itself",
		"fault cash blackhole":             `there is no link "cash"; there are cache`,
		"fault cache latency":              "latency needs a delay above 0",
		"fault cache latency latency":      "for example latency=200ms",
		"fault cache latency latency=fast": `"fast" is not a time`,
		"fault cache blackhole for ever":   `"ever" is not a time`,
		"fault cache too_many_connections": "needs a link that speaks postgres",
		"kill":                             "which server? there are cache",
		"kill cash":                        `there is no server "cash"`,
		"restart cache full":               "with its data, or empty",
		"failover":                         "which plan? there are unplanned, test-failover",
		"failover sudden":                  `there is no plan "sudden"`,
		"failover unplanned scale=2":       "at most 1",
		"failover unplanned moved":         "for example scale=0.1 or moved=20s",
		"failover unplanned moved=soon":    `"soon" is not a time`,
		"failover unplanned departed=1s":   "it has promoted, moved",
		"failover unplanned scale=0.01":    "the plan unplanned needs a cache of kind replicated",
	} {
		var out bytes.Buffer
		if err := c.Do(t.Context(), line, &out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v, want %q", line, err, want)
		}
	}
}

func TestAFailoverIsToldAndAScaledOneIsLabelled(t *testing.T) {
	c, _, journal := open(t, stack.Replicated)
	said := do(t, c, "failover test-failover scale=0.01")
	for _, want := range []string{
		"scaled by 0.01", "SYN retries", "Test Failover API called for node group 0001",
		"Failover from primary node cache-1 to replica node cache-2 completed", "Finished recovery for cache nodes cache-1",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the failover says %q, want %q in it", said, want)
		}
	}
	if !strings.Contains(journal.String(), "Failover from primary node cache-1") {
		t.Errorf("the journal has no failover:\n%s", journal)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := c.lab.Stack.Await(ctx); err != nil {
		t.Fatal(err)
	}
	if said := do(t, c, "failover planned moved=10ms deleted=20ms"); !strings.Contains(said, "from primary node cache-2 to replica node cache-1") {
		t.Errorf("the next failover says %q, want it back to cache-1", said)
	}
}

func TestCommandsComeFromAnotherShell(t *testing.T) {
	c, l, _ := open(t, stack.Redis)
	name := fmt.Sprintf("test-%d", os.Getpid())
	door, err := Listen(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(name); err == nil || !strings.Contains(err.Error(), "running already") {
		t.Errorf("Listen of a name that is taken = %v, want an error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	quit := make(chan bool, 1)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := c.Serve(ctx, door, func() { quit <- true }); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	var out bytes.Buffer
	if err := Send(t.Context(), name, "fault cache loading", &out); err != nil || !strings.Contains(out.String(), "is in force") {
		t.Errorf("Send(fault) = %q, %v", out.String(), err)
	}
	if got := ping(l.Link("cache").Addr()); !strings.HasPrefix(got, "-LOADING") {
		t.Errorf("PING = %q, want LOADING", got)
	}
	if err := Send(t.Context(), name, "fly", &out); err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("Send(fly) = %v, want the lab's error", err)
	}
	if err := Send(t.Context(), name, "quit", &out); err != nil {
		t.Errorf("Send(quit): %v", err)
	}
	<-quit
	cancel()
	serving.Wait()
	if err := Send(t.Context(), name, "status", &out); err == nil || !strings.Contains(err.Error(), "brownout lab") {
		t.Errorf("Send to nobody = %v, want what to do", err)
	}
}

func TestLinesGoOnAfterAMistakeAndEndWithQuit(t *testing.T) {
	c, _, _ := open(t, stack.Redis)
	var out bytes.Buffer
	err := c.Lines(t.Context(), Scan(strings.NewReader("fly\nurls\nquit\nfaults\n")), &out)
	if !errors.Is(err, ErrQuit) {
		t.Errorf("Lines = %v, want quit", err)
	}
	if said := out.String(); !strings.Contains(said, "lab: unknown command") || !strings.Contains(said, "REDIS_URL") || strings.Contains(said, "blackhole") {
		t.Errorf("Lines said %q, want the mistake, the URLs and nothing after quit", said)
	}
	if err := c.Lines(t.Context(), Scan(strings.NewReader("")), &out); !errors.Is(err, io.EOF) {
		t.Errorf("Lines of nothing = %v, want EOF", err)
	}
}

func TestComplete(t *testing.T) {
	c, _, _ := open(t, stack.Redis)
	for line, want := range map[string]string{
		"fa":                        "fa", // failover, fault, faults
		"failo":                     "failover ",
		"failover t":                "failover test-failover ",
		"failover test-failover mo": "failover test-failover moved=",
		"fault ":                    "fault cache ",
		"fault cache blac":          "fault cache blackhole ",
		"fault cache latency la":    "fault cache latency latency=",
		"fault cache ki":            "fault cache kill ",
		"kill pr":                   "kill primary ",
		"nonsense x":                "nonsense x",
	} {
		if got := c.Complete(line); got != want {
			t.Errorf("Complete(%q) = %q, want %q", line, got, want)
		}
	}
}
