package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"brownout/server/feature"
)

// silentStore answers when its caller gives up.
type silentStore struct{ feature.Store }

func (silentStore) Snapshot(ctx context.Context, _ string) (feature.Snapshot, error) {
	<-ctx.Done()
	return feature.Snapshot{}, ctx.Err()
}

// The timeout is that of waiting and asking together, not of each.
func TestAPlaceInTheQueueDoesNotLengthenTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(silentStore{}, 1, 5, time.Second)
		start := time.Now()
		ended := make(chan error, 4)
		for i := range 4 {
			go func() {
				time.Sleep(time.Duration(i) * 100 * time.Millisecond)
				begun := time.Now()
				_, err := q.Snapshot(t.Context(), "e")
				if took := time.Since(begun); took > time.Second {
					t.Errorf("operation %d took %v, want at most 1s", i, took)
				}
				ended <- err
			}()
		}
		for range 4 {
			if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Snapshot(e) = %v, want a deadline", err)
			}
		}
		if got, want := time.Since(start), 1300*time.Millisecond; got != want {
			t.Errorf("the last ended after %v, want %v", got, want)
		}
	})
}
