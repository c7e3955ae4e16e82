package process

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"brownout/chaos/stack"
	"brownout/results"
)

// resyncTimeout bounds a synchronisation.
const resyncTimeout = 60 * time.Second

// A resyncing is full_resync: over when the replica is in sync again.
type resyncing struct {
	node    *stack.Node
	primary []string // host and port
	passed  chan struct{}
	cancel  context.CancelFunc
	running sync.WaitGroup

	// Owned by the goroutine while it runs.
	took time.Duration
	err  error
}

func (r *resyncing) over() <-chan struct{} { return r.passed }

// begin makes the replica a primary of its own for a moment, and writes a mark there:
// its history is then another one, and what it asks for next it gets from the
// beginning (Redis 7, replication.c: replicationUnsetMaster changes the replication
// id). The mark goes with its data.
func (r *resyncing) begin(ctx context.Context) error {
	role, err := r.node.Do(ctx, "ROLE")
	if err != nil {
		return fmt.Errorf("asking the %s for its role: %w", r.node.Name, err)
	}
	if len(role.List) < 4 || role.List[0].Text != "slave" {
		return fmt.Errorf("full_resync on %s: it is no replica; name one that is, in a cache that has some", r.node.Name)
	}
	r.primary = []string{role.List[1].Text, role.List[2].Text}
	// A replica of a cluster refuses REPLICAOF.
	for _, words := range [][]string{{"REPLICAOF", "NO", "ONE"}, {"SET", markKey, "old"}, append([]string{"REPLICAOF"}, r.primary...)} {
		if err := tell(ctx, r.node, words...); err != nil {
			return err
		}
	}
	rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), resyncTimeout)
	r.cancel = cancel
	begin := time.Now()
	r.running.Go(func() {
		defer close(r.passed)
		r.err = r.await(rctx)
		r.took = time.Since(begin)
	})
	return nil
}

// await waits until the replica's link is up.
func (r *resyncing) await(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		text, _, err := ask(ctx, r.node, "INFO", "replication") // LOADING is an error, too
		if err == nil && strings.Contains(text, "master_link_status:up") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the %s to be in sync again: %w", r.node.Name, ctx.Err())
		case <-tick.C:
		}
	}
}

// end reports whether all data came anew: then the mark is gone.
func (r *resyncing) end(ctx context.Context) (results.Evidence, error) {
	stop := context.AfterFunc(ctx, r.cancel)
	defer stop()
	r.running.Wait()
	r.cancel()
	ev := results.Evidence{
		Occasion: "replicas told to begin anew", Chances: 1,
		Seen: fmt.Sprintf("in sync with %s after %v", strings.Join(r.primary, ":"), r.took.Round(time.Millisecond)),
	}
	if r.err != nil {
		return ev, r.err
	}
	_, gone, err := ask(ctx, r.node, "GET", markKey)
	if gone {
		ev.Bites = 1
	}
	return ev, err
}
