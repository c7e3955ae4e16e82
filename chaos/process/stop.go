package process

import (
	"context"
	"fmt"

	"brownout/chaos/stack"
	"brownout/results"
)

// A stopping is stop: the server stands still until it is reverted.
type stopping struct {
	node    *stack.Node
	clients int
	prober  prober
}

func (s *stopping) begin(ctx context.Context) (err error) {
	if s.clients, err = s.node.Clients(); err != nil {
		return err
	}
	if err := s.node.Pause(); err != nil {
		return err
	}
	s.prober = prober{felt: func() bool { return s.node.Process().Frozen() && hangs(s.node) }}
	s.prober.start()
	return nil
}

func (s *stopping) end(ctx context.Context) (results.Evidence, error) {
	s.prober.finish(ctx)
	ev := results.Evidence{
		Occasion: "questions to a stopped server that had clients",
		Seen:     said(clientsSaid(s.clients), fmt.Sprintf("pid %d stood still", s.node.Process().PID())),
	}
	if s.clients > 0 {
		ev.Chances, ev.Bites = s.prober.made, s.prober.hits
	}
	if err := s.node.Continue(); err != nil {
		return ev, revive(ctx, s.node)
	}
	if err := awaitAnswer(ctx, s.node); err != nil {
		if s.node.Process().Exited() {
			return ev, revive(ctx, s.node)
		}
		return ev, fmt.Errorf("waiting for an answer of the %s that runs on: %w", s.node.Name, err)
	}
	return ev, nil
}
