package cache_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"brownout/server/cache"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// endless is a client without any limit but the one for dials.
func endless() cache.Client {
	return cache.Client{
		DialTimeout: 2 * time.Second, ReadTimeout: -1, WriteTimeout: -1, PoolTimeout: -1,
		DialAttempts: 1, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond,
	}
}

// newRedis makes a client that does not run.
func newRedis(t *testing.T, url string, c cache.Client) *cache.Redis {
	t.Helper()
	s := settings(url)
	s.Client = c
	r, err := cache.NewRedis(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestAClientWithoutLimitsWaitsUntilItIsClosed(t *testing.T) {
	silent := servertest.Silent(t)
	r := newRedis(t, silent.URL(), endless())
	const callers = 3
	errs := make(chan error, callers)
	ctx, cancel := context.WithCancel(t.Context())
	for range callers {
		go func() {
			_, err := r.Get(ctx, "e") // waits in the handshake
			errs <- err
		}()
	}
	silent.WaitConns(t, callers)
	cancel() // changes nothing
	select {
	case err := <-errs:
		t.Fatalf("Get() = %v while nobody answers, want no return", err)
	case <-time.After(100 * time.Millisecond):
	}
	if err := r.Close(); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
	for range callers {
		select {
		case err := <-errs:
			if err == nil {
				t.Error("Get() = nil after Close, want an error")
			}
		case <-time.After(guard):
			t.Fatal("Get is still waiting after Close")
		}
	}
	if _, err := r.Get(t.Context(), "e"); err == nil {
		t.Error("Get() after Close = nil, want an error")
	}
}

func TestABoundedClientNamesHowItFailed(t *testing.T) {
	silent := servertest.Silent(t)
	obedient := endless()
	obedient.ObeyContext = true
	r := newRedis(t, silent.URL(), obedient)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	got := make(chan error, 1)
	go func() {
		_, err := r.Get(ctx, "e")
		got <- err
	}()
	select {
	case err := <-got:
		if feature.Class(err) != feature.ClassTimeout {
			t.Errorf("Get from a silent server = %v, class %q, want timeout", err, feature.Class(err))
		}
	case <-time.After(guard):
		t.Fatal("Get does not end with its context")
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	r = newRedis(t, "redis://"+l.Addr().String(), client())
	if _, err := r.Get(t.Context(), "e"); feature.Class(err) != feature.ClassRefused {
		t.Errorf("Get where nobody listens = %v, class %q, want refused", err, feature.Class(err))
	}
}

// A pool that is used up must be told from a server that is gone, and must not
// make anybody wait for longer than the budget.
func TestAPoolThatIsUsedUpEndsInAnError(t *testing.T) {
	silent := servertest.Silent(t)
	c := client()
	c.PoolSize, c.MaxConns, c.MaxDials = 100, 2, 2
	r := newRedis(t, silent.URL(), c)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	var g sync.WaitGroup
	for range 50 {
		g.Go(func() {
			if _, err := r.Get(ctx, "e"); err == nil || errors.Is(err, feature.ErrMiss) {
				t.Errorf("Get() = %v, want an error", err)
			}
		})
	}
	g.Wait()
}

func TestClassesOfErrors(t *testing.T) {
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"nil has none", nil, ""},
		{"a deadline is a timeout", context.DeadlineExceeded, feature.ClassTimeout},
		{"a dial that takes too long is a timeout", &net.OpError{Op: "dial", Err: timeout{}}, feature.ClassTimeout},
		{"nobody listens", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, feature.ClassRefused},
		{"a reset is an error", syscall.ECONNRESET, feature.ClassError},
		{"a caller who left is an error", context.Canceled, feature.ClassError},
	} {
		if got := feature.Class(row.err); got != row.want {
			t.Errorf("%s: Class(%v) = %q, want %q", row.name, row.err, got, row.want)
		}
	}
}

type timeout struct{}

func (timeout) Error() string   { return "i/o timeout" }
func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }
