package console

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"brownout/chaos/lab"
	"brownout/chaos/stack"
)

func TestACommandThatWasAddedHasTheLabForItself(t *testing.T) {
	l, err := lab.Open(t.Context(), lab.Config{Stack: stack.Config{Cache: stack.Redis}})
	t.Cleanup(func() { l.Close(context.Background()) })
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	var c *Console
	c = New(l, NewJournal(nil), Command{
		Name: "run", Args: "NAME", Doc: "run it",
		Run: func(ctx context.Context, args []string, out io.Writer) error {
			for _, line := range []string{"run again", "fault cache loading", "flush cache"} {
				if err := c.Do(ctx, line, out); err == nil || !strings.Contains(err.Error(), "a run has the lab") {
					t.Errorf("%s while the command runs: %v, want an error", line, err)
				}
			}
			if err := c.Do(ctx, "status", io.Discard); err != nil {
				t.Errorf("status while the command runs: %v", err)
			}
			_, err := fmt.Fprintf(out, "ran %s\n", args)
			return err
		},
	})
	t.Cleanup(c.Close)
	if got, want := do(t, c, "run one two"), "ran [one two]\n"; got != want {
		t.Errorf("run says %q, want %q", got, want)
	}
	if got := do(t, c, "help"); !strings.Contains(got, "run NAME") {
		t.Errorf("help says\n%s, want run in it", got)
	}
	do(t, c, "fault cache loading")
	var out bytes.Buffer
	if err := c.Do(t.Context(), "run three", &out); err == nil || !strings.Contains(err.Error(), "heal takes it away") {
		t.Errorf("run with a fault in force: %v, want an error", err)
	}
}
