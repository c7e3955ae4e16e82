package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brownout/chaos/stack"
	"brownout/results"
)

// restartTimeout bounds a restart that nobody waits for yet.
const restartTimeout = 30 * time.Second

// A restarting is restart: it goes on by itself.
type restarting struct {
	node  *stack.Node
	empty bool

	pid     int
	clients int
	mark    mark
	cancel  context.CancelFunc
	running sync.WaitGroup
	passed  chan struct{}

	// Owned by the goroutine until passed is closed.
	took time.Duration
	err  error
}

func newRestarting(n *stack.Node, empty bool) *restarting {
	return &restarting{node: n, empty: empty, mark: mark{node: n}, passed: make(chan struct{})}
}

func (r *restarting) begin(ctx context.Context) (err error) {
	if r.clients, err = r.node.Clients(); err != nil {
		return err
	}
	r.pid = r.node.Process().PID()
	if err := r.mark.set(ctx); err != nil {
		return err
	}
	rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restartTimeout)
	r.cancel = cancel
	r.running.Go(func() {
		defer close(r.passed)
		begin := time.Now()
		r.err = r.restart(rctx)
		r.took = time.Since(begin)
	})
	return nil
}

func (r *restarting) restart(ctx context.Context) error {
	if err := comeBack(ctx, r.node, r.empty); err != nil {
		return err
	}
	if r.empty {
		return r.mark.check(ctx, gone)
	}
	return r.mark.check(ctx, kept)
}

func (r *restarting) over() <-chan struct{} { return r.passed }

// end waits for the restart.
func (r *restarting) end(ctx context.Context) (results.Evidence, error) {
	defer r.cancel()
	defer context.AfterFunc(ctx, r.cancel)()
	r.running.Wait()
	ev := results.Evidence{Occasion: "restarts of a server that had clients"}
	if r.err != nil {
		return ev, errors.Join(context.Cause(ctx), r.err)
	}
	if r.clients > 0 {
		ev.Chances = 1
	}
	if pid := r.node.Process().PID(); r.clients > 0 && pid != r.pid {
		ev.Bites = 1
	}
	ev.Seen = said(clientsSaid(r.clients), fmt.Sprintf("pid %d ended, pid %d answers after %v", r.pid, r.node.Process().PID(),
		r.took.Round(time.Millisecond)), r.mark.String())
	return ev, nil
}
