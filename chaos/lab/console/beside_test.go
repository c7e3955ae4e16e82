package console

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/chaos/stack"
)

// TestCommandsGoOnSideBySide: whatever several people tell a lab to do at once, each
// gets an answer or an error, and the lab heals.
func TestCommandsGoOnSideBySide(t *testing.T) {
	c, l, _ := open(t, stack.Replicated)
	lines := []string{
		"fault primary latency latency=1ms for 5ms", "fault reader blackhole", "heal", "status", "urls",
		"failover test-failover scale=0.001", "failover planned scale=0.001", "fault cache-2 stop for 10ms", "fault cache-1 drop",
		"heal reader", "kill cache-2", "restart cache-2", "flush primary", "stop cache-1", "continue cache-1", "fault primary reset for 1ms",
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var people sync.WaitGroup
	for person := range 6 {
		people.Go(func() {
			for i := range lines {
				line := lines[(i*5+person*3)%len(lines)] // each in an order of their own
				var out bytes.Buffer
				if err := c.Do(ctx, line, &out); err == nil && out.Len() == 0 {
					t.Errorf("%s says nothing", line)
				}
			}
		})
	}
	all := make(chan bool)
	go func() { people.Wait(); close(all) }()
	for going := true; going; { // who stops a server may not be the one to wait for it
		select {
		case <-all:
			going = false
		case <-time.After(20 * time.Millisecond):
			for _, n := range l.Stack.Servers() {
				_ = n.Continue() // it may have ended
			}
		}
	}
	if ctx.Err() != nil {
		t.Fatal("the commands have not ended")
	}
	for _, n := range l.Stack.Servers() {
		if err := n.Restart(ctx, false); err != nil {
			t.Errorf("restarting %s: %v", n.Name, err)
		}
	}
	var out bytes.Buffer
	_ = c.Do(ctx, "heal", &out) // faults of servers that were restarted meanwhile cannot all be taken back
	if again := do(t, c, "heal"); again != "no fault was in force\n" {
		t.Errorf("heal again says %q, want that nothing was in force", again)
	}
	for _, name := range []string{"cache-1", "cache-2"} {
		if got := ping(l.Link(name).Addr()); got != "+PONG" {
			t.Errorf("PING of %s = %q, want +PONG; heal had said %s", name, got, fmt.Sprint(out.String()))
		}
	}
}

// TestACommandEndsWithTheConsole: Close waits for it, and takes no more.
func TestACommandEndsWithTheConsole(t *testing.T) {
	c, _, journal := open(t, stack.Replicated)
	said := &signal{said: make(chan bool, 100)}
	ended := make(chan error, 1)
	go func() {
		ended <- c.Do(context.Background(), "failover unplanned moved=10m replaced=11m loaded=12m", said)
	}()
	<-said.said
	c.Close()
	if !strings.Contains(journal.String(), `"did":"failover unplanned`) {
		t.Errorf("Close has returned, and the command goes on; the journal has\n%s", journal)
	}
	if err := <-ended; err == nil {
		t.Error("a failover of ten minutes has ended without an error")
	}
	if err := c.Do(t.Context(), "status", said); err == nil {
		t.Error("a command after Close gives no error")
	}
}

// A signal tells that something was written.
type signal struct{ said chan bool }

func (s *signal) Write(b []byte) (int, error) {
	select {
	case s.said <- true:
	default:
	}
	return len(b), nil
}
