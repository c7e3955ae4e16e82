package loadtest

import (
	"testing"
	"time"
)

func TestWaiters(t *testing.T) {
	for name, wait := range map[string]waiter{"waitFine": waitFine, "waitTimer": waitTimer} {
		t.Run(name, func(t *testing.T) {
			for _, d := range []time.Duration{-time.Second, 0, time.Microsecond, 3 * time.Millisecond, 25 * time.Millisecond} {
				until := time.Now().Add(d)
				if ok := wait(nil, until); !ok || time.Now().Before(until) {
					t.Errorf("wait until %v from now = %v, %v early, want true and not early", d, ok, time.Until(until))
				}
			}
			done := make(chan struct{})
			over := make(chan struct{})
			close(over)
			for range 100 { // a select among two ready channels would pick the wrong one half of the time
				if wait(over, time.Now().Add(-time.Second)) {
					t.Fatal("wait until a moment that has passed = true after done was closed, want false")
				}
			}
			woken := make(chan bool)
			go func() { woken <- wait(done, time.Now().Add(time.Hour)) }()
			close(done)
			select {
			case ok := <-woken:
				if ok {
					t.Error("wait = true after done was closed, want false")
				}
			case <-time.After(30 * time.Second):
				t.Fatal("wait did not end when done was closed")
			}
		})
	}
}
