package server

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"brownout/server/feature"
)

// errBusy says that the database has enough to do. Nothing was asked.
var errBusy = fmt.Errorf("%w: too many operations wait for it", feature.ErrUnavailable)

// A queue is a Store that lets as many operations in as there are connections and
// bounds how many wait. Those beyond are refused at once: to wait in a line that is
// longer than the timeout is to fail late.
type queue struct {
	feature.Store
	places  chan struct{} // one token for each operation under way
	most    int64         // that may wait
	timeout time.Duration // of an operation, the wait for its place included
	waiting atomic.Int64
}

// newQueue returns s itself when most is 0: no bound.
func newQueue(s feature.Store, places, most int, timeout time.Duration) feature.Store {
	if most == 0 {
		return s
	}
	return &queue{Store: s, places: make(chan struct{}, places), most: int64(most), timeout: timeout}
}

// enter takes a place, at the latest when ctx ends.
func (q *queue) enter(ctx context.Context) error {
	select {
	case q.places <- struct{}{}:
		return nil
	default:
	}
	if q.waiting.Add(1) > q.most {
		q.waiting.Add(-1)
		return errBusy
	}
	defer q.waiting.Add(-1)
	select {
	case q.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errBusy, ctx.Err())
	}
}

func (q *queue) leave() { <-q.places }

// Snapshot is Snapshot, in its turn.
func (q *queue) Snapshot(ctx context.Context, environment string) (feature.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	if err := q.enter(ctx); err != nil {
		return feature.Snapshot{}, err
	}
	defer q.leave()
	return q.Store.Snapshot(ctx, environment)
}

// Put is Put, in its turn.
func (q *queue) Put(ctx context.Context, environment, key string, d feature.Draft) (feature.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	if err := q.enter(ctx); err != nil {
		return feature.Receipt{}, err
	}
	defer q.leave()
	return q.Store.Put(ctx, environment, key, d)
}

// Delete is Delete, in its turn.
func (q *queue) Delete(ctx context.Context, environment, key string) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	if err := q.enter(ctx); err != nil {
		return 0, err
	}
	defer q.leave()
	return q.Store.Delete(ctx, environment, key)
}
