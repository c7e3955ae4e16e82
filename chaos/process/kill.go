package process

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"brownout/chaos/stack"
	"brownout/results"
)

// A killing is kill: the server is dead until it is reverted.
type killing struct {
	node    *stack.Node
	pid     int
	clients int
	mark    mark
	fate    fate // of the data
	prober  prober
}

func (k *killing) begin(ctx context.Context) (err error) {
	if k.clients, err = k.node.Clients(); err != nil {
		return err
	}
	k.mark.node, k.pid = k.node, k.node.Process().PID()
	if err := k.mark.set(ctx); err != nil {
		return err
	}
	if k.fate, err = survives(ctx, k.node); err != nil {
		return err
	}
	// Not waited for: clients feel it before the last of its processes is gone.
	k.prober = prober{begin: k.node.Kill, felt: func() bool { return refused(k.node.Addr) }}
	k.prober.start()
	return nil
}

// survives says what becomes of the data of a server that is killed. Only a log of
// writes holds all that a cache has answered for, and not one with "appendfsync
// everysec": while that syncs, answers do not wait for the log (flushAppendOnlyFile
// in Redis 7, aof.c).
func survives(ctx context.Context, n *stack.Node) (fate, error) {
	if n.Kind == stack.Postgres {
		return kept, nil
	}
	logs, err := setting(ctx, n, "appendonly")
	if err != nil || logs != "yes" {
		return anyhow, err
	}
	sync, err := setting(ctx, n, "appendfsync")
	if err != nil || sync == "everysec" {
		return anyhow, err
	}
	return kept, nil
}

// end starts the server again.
func (k *killing) end(ctx context.Context) (results.Evidence, error) {
	k.prober.finish(ctx)
	ev := results.Evidence{Occasion: "dials of a dead server that had clients", Refused: k.prober.hits}
	if k.clients > 0 {
		ev.Chances, ev.Bites = k.prober.made, k.prober.hits
	}
	err := k.prober.err
	if err == nil {
		err = comeBack(ctx, k.node, false)
	}
	if err == nil {
		err = k.mark.check(ctx, k.fate)
	}
	ev.Seen = said(clientsSaid(k.clients), fmt.Sprintf("pid %d was killed, pid %d answers", k.pid, k.node.Process().PID()), k.mark.String())
	return ev, err
}

// comeBack starts a server again, and waits until it has its data.
func comeBack(ctx context.Context, n *stack.Node, empty bool) error {
	if err := n.Restart(ctx, empty); err != nil {
		return err
	}
	return awaitAnswer(ctx, n)
}

// revive brings back a server that has ended and should not have. That is an error
// in any case.
func revive(ctx context.Context, n *stack.Node) error {
	own := n.Process().Err()
	if own == nil {
		own = fmt.Errorf("the %s has ended", n.Name)
	}
	return errors.Join(fmt.Errorf("while the fault was in force: %w", own), comeBack(ctx, n, false))
}

func clientsSaid(n int) string { return fmt.Sprintf("%d clients at the start", n) }

// said joins what there is to say.
func said(parts ...string) string {
	var all []string
	for _, p := range parts {
		if p != "" {
			all = append(all, p)
		}
	}
	return strings.Join(all, "; ")
}
