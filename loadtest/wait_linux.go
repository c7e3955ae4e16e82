package loadtest

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// waitSlice is how long a wait goes on before it looks whether it should end.
const waitSlice = 10 * time.Millisecond

// waitFine waits on a thread of its own with a timer slack of 1 ns. Sleepers of
// the Go runtime share an epoll_wait, whose timeout counts in milliseconds; one
// nanosleep wakes within microseconds. It does not spin.
func waitFine(done <-chan struct{}, until time.Time) bool {
	// A worker that was just handed a hit waits to run on this very processor. Let it
	// go first: it was measured to start in half the time.
	runtime.Gosched()
	runtime.LockOSThread() // slack belongs to the thread
	defer runtime.UnlockOSThread()
	if unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) == nil {
		defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }() // 0: the thread's default
	}
	for {
		select {
		case <-done:
			return false
		default:
		}
		rest := time.Until(until)
		if rest <= 0 {
			return true
		}
		nap(min(rest, waitSlice))
	}
}

// nap sleeps for d or less: a signal, such as the runtime's own, ends it early.
func nap(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	if err := unix.Nanosleep(&ts, nil); err != nil && err != unix.EINTR {
		time.Sleep(d) // a sandbox without nanosleep: late is better than spinning
	}
}
