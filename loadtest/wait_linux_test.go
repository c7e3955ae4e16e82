package loadtest

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestWaitFineGivesTheThreadItsSlackBack(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	slack := func() int {
		ns, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
		if err != nil {
			t.Skipf("this system does not tell its timer slack: %v", err)
		}
		return ns
	}
	before := slack()
	waitFine(nil, time.Now().Add(time.Millisecond))
	if after := slack(); after != before {
		t.Errorf("timer slack after waitFine = %d ns, want %d as before", after, before)
	}
}
