package lab

import (
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"brownout/chaos/stack"
)

// cyclesVariable is how often each lab is brought up and taken down, for who has
// the minutes: 20 is what the figures of the documentation come from.
const cyclesVariable = "BROWNOUT_LAB_CYCLES"

// kinds are the labs that there can be, with how often a test without patience
// brings each up. Sentinels and clusters take seconds to agree.
var kinds = []struct {
	name  string
	c     Config
	times int
}{
	{"redis", Config{Stack: stack.Config{Cache: stack.Redis}}, 20},
	{"valkey", Config{Stack: stack.Config{Cache: stack.Valkey}}, 20},
	{"replicated", Config{Stack: stack.Config{Cache: stack.Replicated}}, 20},
	{"replicated, DNS mode", Config{Stack: stack.Config{Cache: stack.Replicated}, DNS: true}, 20},
	{"replicated, of Valkey", Config{Stack: stack.Config{Cache: stack.Replicated, Engine: stack.Valkey}}, 3},
	{"redis and postgres", Config{Stack: stack.Config{Cache: stack.Redis, Database: stack.Postgres}}, 5},
	{"sentinel", Config{Stack: stack.Config{Cache: stack.Sentinel}}, 3},
	{"cluster", Config{Stack: stack.Config{Cache: stack.Cluster}}, 2},
}

// TestLabsComeAndGo: one after the other, beside one that stays and has everything
// that they want too, they leave neither goroutine nor descriptor nor folder.
func TestLabsComeAndGo(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			needs(t, kind.c)
			c := kind.c
			c.Stack.Dir = enterable(t)
			openLab(t, c) // beside
			cycle(t, c)   // what is made once for all labs is made here
			before := held(t, c.Stack.Dir)
			var starts, stops []time.Duration
			for range cycles(t, kind.times) {
				start, stop := cycle(t, c)
				starts, stops = append(starts, start), append(stops, stop)
			}
			t.Logf("n=%d; start %s; stop %s", len(starts), spread(starts), spread(stops))
			for end := time.Now().Add(30 * time.Second); held(t, c.Stack.Dir) != before; runtime.Gosched() {
				if time.Now().After(end) {
					t.Fatalf("held = %+v, want %+v as before", held(t, c.Stack.Dir), before)
				}
			}
		})
	}
}

// needs skips t when the server for c is not on this machine.
func needs(t *testing.T, c Config) {
	t.Helper()
	if c.Stack.Cache != stack.Valkey && c.Stack.Engine != stack.Valkey {
		return // without the others nothing here can be tested
	}
	if _, err := stack.Find(t.Context(), stack.Valkey); err != nil {
		t.Skip(err)
	}
}

// cycle brings a lab up, asks it, and takes it down.
func cycle(t *testing.T, c Config) (start, stop time.Duration) {
	t.Helper()
	begun := time.Now()
	l, err := Open(t.Context(), c)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	start = time.Since(begun)
	for _, n := range l.Stack.Servers() {
		if _, err := n.Do(t.Context(), "PING"); err != nil {
			t.Error(err)
		}
	}
	begun = time.Now()
	if err := l.Close(context.Background()); err != nil {
		t.Errorf("Close: %v", err)
	}
	return start, time.Since(begun)
}

func cycles(t *testing.T, impatient int) int {
	text := os.Getenv(cyclesVariable)
	if text == "" {
		if testing.Short() {
			return min(2, impatient)
		}
		return impatient
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q; want a number from 1", cyclesVariable, text)
	}
	return n
}

// holdings are what a process has of this machine.
type holdings struct{ goroutines, descriptors, folders int }

func held(t *testing.T, dir string) holdings {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("counting descriptors: %v", err)
	}
	folders, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return holdings{runtime.NumGoroutine(), len(fds), len(folders)}
}

// enterable is a folder of t that every user may enter.
func enterable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "brownout-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil { // it is empty by then
			t.Error(err)
			os.RemoveAll(dir)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// spread says the median of times, and between which they lie.
func spread(times []time.Duration) string {
	slices.Sort(times)
	ms := func(d time.Duration) string { return d.Round(time.Millisecond).String() }
	return "median " + ms(times[len(times)/2]) + " (" + ms(times[0]) + " to " + ms(times[len(times)-1]) + ")"
}

// TestLabsStartSideBySide: nobody takes a port that another one has chosen.
func TestLabsStartSideBySide(t *testing.T) {
	var all sync.WaitGroup
	for range 2 {
		for _, kind := range kinds {
			if kind.name == "cluster" && testing.Short() {
				continue
			}
			all.Go(func() {
				l, err := Open(t.Context(), kind.c)
				var missing *stack.MissingError
				if errors.As(err, &missing) && missing.Kind == stack.Valkey {
					err = nil
				}
				if err != nil {
					t.Errorf("%s: Open: %v", kind.name, err)
				}
				if err := l.Close(context.Background()); err != nil {
					t.Errorf("%s: Close: %v", kind.name, err)
				}
			})
		}
	}
	all.Wait()
}
