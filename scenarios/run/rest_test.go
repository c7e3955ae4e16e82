package run

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestARestDoublesUpToAMost(t *testing.T) {
	for invalid, want := range []time.Duration{0, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 40 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			if err := Rest(t.Context(), invalid); err != nil || time.Since(start) != want {
				t.Errorf("Rest(%d) = %v after %v, want %v", invalid, err, time.Since(start), want)
			}
		})
	}
}

func TestARestEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := Rest(ctx, 9); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Rest = %v after %v, want the context's error after its second", err, time.Since(start))
		}
	})
}
