package lab

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"brownout/chaos/failover"
	"brownout/chaos/stack"
)

// TestWhatASocketMeetsWhenANodeIsReplaced: a connection that a client keeps is
// answered READONLY, and closed at once or when the node is deleted.
func TestWhatASocketMeetsWhenANodeIsReplaced(t *testing.T) {
	for plan, want := range map[string]string{"planned": "+OK -READONLY EOF", "planned-keep": "+OK -READONLY -READONLY EOF"} {
		t.Run(plan, func(t *testing.T) {
			l := openLab(t, Config{Stack: stack.Config{Cache: stack.Replicated}})
			c, err := net.Dial("tcp", l.Link(Primary).Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(30 * time.Second))
			in := bufio.NewReader(c)
			said := []string{set(t, c, in)}
			site := siteOf[failover.Endpoints](t, l)
			p, _ := failover.Find(plan)
			steps := p.Steps(failover.Times{}, 1) // all at once, one after the other
			for i := range steps {
				if steps[i].Name == "move" { // the last step before the node is deleted
					said = append(said, set(t, c, in))
					if plan == "planned-keep" {
						said = append(said, set(t, c, in))
					}
				}
				if err := steps[i].Do(t.Context(), site); err != nil {
					t.Fatalf("%s: %v", steps[i].Name, err)
				}
			}
			said = append(said, set(t, c, in))
			if got := strings.Join(said, " "); got != want {
				t.Errorf("the socket met %s, want %s", got, want)
			}
		})
	}
}

func TestAHangUpIsAFIN(t *testing.T) {
	l := openLab(t, Config{Stack: stack.Config{Cache: stack.Replicated}})
	c, err := net.Dial("tcp", l.Link(Primary).Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if got := set(t, c, bufio.NewReader(c)); got != "+OK" {
		t.Fatalf("SET before = %s", got)
	}
	site := siteOf[failover.Endpoints](t, l)
	if err := site.HangUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("Read = %v, want EOF", err)
	}
	if err := site.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := site.Move(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// siteOf is the lab's site, of the kind that is wanted.
func siteOf[S failover.Site](t *testing.T, l *Lab) S {
	t.Helper()
	site, err := l.Site(t.Context())
	if err != nil {
		t.Fatalf("Site: %v", err)
	}
	fit, ok := site.(S)
	if !ok {
		t.Fatalf("Site() is a %T, want a %T", site, fit)
	}
	return fit
}

// set writes, and returns the first word of the answer.
func set(t *testing.T, c net.Conn, in *bufio.Reader) string {
	t.Helper()
	if _, err := io.WriteString(c, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"); err != nil {
		return "EOF" // the write met the end before the read
	}
	line, err := in.ReadString('\n')
	switch {
	case err == nil:
		return strings.Fields(line)[0]
	case errors.Is(err, io.EOF):
		return "EOF"
	}
	return err.Error()
}
