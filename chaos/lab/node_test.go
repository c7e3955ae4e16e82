package lab

import (
	"bufio"
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"brownout/chaos/failover"
	"brownout/chaos/stack"
)

// TestAnAppInAnotherLanguage goes through a failover with nothing but the addresses
// that the lab prints.
func TestAnAppInAnotherLanguage(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skipf("the app is written for Node.js: %v", err)
	}
	for _, mode := range modes {
		t.Run(mode.name, func(t *testing.T) {
			l := openLab(t, Config{Stack: stack.Config{Cache: stack.Replicated}, DNS: mode.dns, TTL: time.Second})
			words := []string{node, "testdata/app.js"}
			if r, ok := l.Resolver(); ok {
				if r.File == "" {
					t.Skipf("nobody may answer on port 53 here: %v", r.NoFile)
				}
				words = r.Command(words...)
			}
			met := startApp(t, l, words)
			awaitWord(t, met, "ok")
			site, err := l.Site(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			p, _ := failover.Find("test-failover")
			const ms = time.Millisecond
			times, err := p.Times(failover.Times{"promoted": 300 * ms, "moved": 1500 * ms, "replaced": 1600 * ms, "loaded": 1700 * ms})
			if err != nil {
				t.Fatal(err)
			}
			if err := failover.Run(t.Context(), p.Steps(times, 1), site, func(failover.Done) {}); err != nil {
				t.Fatal(err)
			}
			all := awaitWord(t, met, "ok")
			t.Logf("it met %q", all)
			if !slices.Contains(all, "dial timeout") {
				t.Errorf("it met %q, want dials that time out", all)
			}
			if slices.Contains(all, "READONLY") {
				t.Errorf("it met %q, want no READONLY: its connection was closed", all)
			}
		})
	}
}

// startApp runs words with the lab's addresses as variables, and returns the lines
// that it prints.
func startApp(t *testing.T, l *Lab, words []string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	var said strings.Builder
	cmd.Stderr = &said
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin"}
	for _, a := range l.Addresses() {
		cmd.Env = append(cmd.Env, a.Name+"="+a.Value)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, ended := make(chan string, 1000), make(chan struct{})
	go func() {
		defer close(ended)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		cmd.Wait()
		if said.Len() > 0 {
			t.Errorf("the app complained: %s", said.String())
		}
	})
	return lines
}

// awaitWord collects words until want comes.
func awaitWord(t *testing.T, words <-chan string, want string) (all []string) {
	t.Helper()
	for end := time.After(60 * time.Second); ; {
		select {
		case word := <-words:
			all = append(all, word)
			if word == want {
				return all
			}
		case <-end:
			t.Fatalf("it met %q, want %s at last", all, want)
		}
	}
}
