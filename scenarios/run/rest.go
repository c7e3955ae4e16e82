package run

import (
	"context"
	"time"
)

// A machine that was starved is left alone for firstRest before the next run, and twice
// as long for each further one, up to longestRest. On virtual machines of ours what
// took their CPU time lasted 15 to 25 seconds: longer than many a run.
const (
	firstRest   = 5 * time.Second
	longestRest = 40 * time.Second
)

// RestAfter returns how long to leave the machine alone after so many runs in a row
// that said nothing.
func RestAfter(invalid int) time.Duration {
	if invalid < 1 {
		return 0
	}
	rest := firstRest
	for range invalid - 1 {
		rest = min(2*rest, longestRest)
	}
	return rest
}

// Rest lets RestAfter pass, or returns the error of ctx when it ends before.
func Rest(ctx context.Context, invalid int) error {
	select {
	case <-time.After(RestAfter(invalid)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
