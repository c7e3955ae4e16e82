package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"brownout/server/feature"
)

var errRefused = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}

// life counts what a breaker does. Probes succeed once there has been word.
type lived struct {
	word         chan struct{}
	broke, mends int
}

func (l *lived) life(start error) breakerLife {
	return breakerLife{
		start:  func(context.Context) error { return start },
		broken: func(error) { l.broke++ },
		probe: func(ctx context.Context) error {
			select {
			case <-l.word:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
		mended: func() { l.mends++ },
	}
}

// runBreaker runs one in a bubble. stop ends it and waits.
func runBreaker(b *breaker, l *lived, start error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); b.run(ctx, l.life(start)) }()
	synctest.Wait()
	return func() { cancel(); <-ended }
}

func TestABreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := newBreaker(3), &lived{word: make(chan struct{})}
		stop := runBreaker(b, l, nil)
		for _, failed := range []bool{true, true, false, true, true} {
			b.count(failed, errRefused)
		}
		synctest.Wait()
		if err := b.allow(); err != nil || l.broke != 0 {
			t.Fatalf("allow() = %v after two failures in a row, want nil", err)
		}
		b.count(true, errRefused)
		synctest.Wait()
		if err := b.allow(); !errors.Is(err, errOpen) || feature.Class(err) != feature.ClassRefused || l.broke != 1 {
			t.Fatalf("allow() = %v, class %q after three, want errOpen of class refused", err, feature.Class(err))
		}
		time.Sleep(24 * time.Hour) // it is never half open: nobody but the probe asks
		if b.allow() == nil {
			t.Fatal("allow() = nil before a probe succeeded")
		}
		b.count(false, nil) // a command that was sent before
		if b.allow() == nil {
			t.Fatal("allow() = nil after the answer to an old command")
		}
		l.word <- struct{}{}
		synctest.Wait()
		if err := b.allow(); err != nil || l.mends != 1 {
			t.Errorf("allow() = %v after a probe, %d mends, want nil and 1", err, l.mends)
		}
		stop()
	})
}

func TestABreakerWorksOnlyWhileItRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := newBreaker(1), &lived{word: make(chan struct{})}
		b.count(true, errRefused)
		if err := b.allow(); err != nil {
			t.Errorf("allow() = %v before run, want nil", err)
		}
		stop := runBreaker(b, l, nil)
		b.count(true, errRefused)
		if b.allow() == nil {
			t.Error("allow() = nil after a failure, want errOpen")
		}
		stop()
		b.count(true, errRefused)
		if err := b.allow(); err != nil {
			t.Errorf("allow() = %v after run, want nil: nobody would close it", err)
		}
	})
}

func TestABreakerIsOpenWhenTheFirstConnectionFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := newBreaker(5), &lived{word: make(chan struct{})}
		stop := runBreaker(b, l, errRefused)
		if err := b.allow(); feature.Class(err) != feature.ClassRefused {
			t.Errorf("allow() = %v, want refused: no request has to find that out", err)
		}
		stop()
	})
}

func TestWithoutABreakerEverythingIsLetThrough(t *testing.T) {
	b := newBreaker(0)
	for range 100 {
		b.count(true, errRefused)
	}
	if err := b.allow(); err != nil {
		t.Errorf("allow() = %v, want nil", err)
	}
}

func TestTheLogIsToldAtMostOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		n := &notice{log: slog.New(slog.NewTextHandler(&text, nil))}
		for range 20 { // two seconds
			n.broken(errRefused)
			n.mended()
			time.Sleep(100 * time.Millisecond)
		}
		if broken, mended := strings.Count(text.String(), "not asked any more"), strings.Count(text.String(), "asked again"); broken != 2 || mended != 2 {
			t.Errorf("the log says %d times that it is broken and %d times that it is mended, want 2 of each", broken, mended)
		}
	})
}

func TestWaitsHaveFullJitter(t *testing.T) {
	for _, row := range []struct {
		name      string
		low, high time.Duration
		bounds    []time.Duration // in milliseconds
	}{
		{"a last step that is as long as the rule says", 10 * time.Millisecond, 80 * time.Millisecond, []time.Duration{10, 20, 40, 80, 80, 80}},
		{"resilient, which cuts the last step short", 10 * time.Millisecond, 100 * time.Millisecond, []time.Duration{10, 20, 40, 80, 100, 100}},
		{"seed", 100 * time.Millisecond, 2 * time.Second, []time.Duration{100, 200, 400, 800, 1600, 2000}},
	} {
		t.Run(row.name, func(t *testing.T) { wantFullJitter(t, row.low, row.high, row.bounds) })
	}
}

func wantFullJitter(t *testing.T, low, high time.Duration, bounds []time.Duration) {
	t.Helper()
	var longest, shortest [6]time.Duration
	for run := range 2000 {
		i := 0
		for wait := range backoff(low, high) {
			if run == 0 || wait < shortest[i] {
				shortest[i] = wait
			}
			longest[i] = max(longest[i], wait)
			if i++; i == len(bounds) {
				break
			}
		}
	}
	for i, bound := range bounds {
		bound *= time.Millisecond
		// Outside of the outer tenths in 2000 draws: once in 10^91 runs.
		if longest[i] > bound || longest[i] < bound*9/10 || shortest[i] > bound/10 {
			t.Errorf("wait %d is from %v to %v, want from 0 to %v", i, shortest[i], longest[i], bound)
		}
	}
}

func TestWhatAnAnswerSaysAboutRedis(t *testing.T) {
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	here := context.Background()
	for _, row := range []struct {
		name string
		ctx  context.Context
		err  error
		want verdict
	}{
		{"an answer", here, nil, answered},
		{"no answer in time", here, context.DeadlineExceeded, silent},
		{"nobody listens", here, fmt.Errorf("x: %w", errRefused), silent},
		{"the caller has gone", gone, context.Canceled, unknown},
		{"the caller has gone, and there was an answer", gone, nil, answered},
		{"a replica", here, reply("READONLY You can't write"), refusedWrite},
		{"a replica behind a proxy", here, reply("ERR READONLY You can't write"), refusedWrite},
		{"it is full: reads go on", here, reply("OOM command not allowed"), refused},
		{"it is loading", here, reply("LOADING Redis is loading"), refused},
		{"a command that may not be", here, reply("NOPERM no"), refused},
		{"each of these costs a connection", here, reply("WRONGPASS invalid"), silent},
		{"and these", here, reply("NOAUTH Authentication required."), silent},
	} {
		if got := judge(row.ctx, row.err); got != row.want {
			t.Errorf("%s: judge(%v) = %d, want %d", row.name, row.err, got, row.want)
		}
	}
}

// A reply is an error that Redis sent.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}
