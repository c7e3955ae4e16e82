//go:build !linux

package loadtest

import "time"

// waitFine is the runtime's own timer, which can be a millisecond late.
func waitFine(done <-chan struct{}, until time.Time) bool { return waitTimer(done, until) }
