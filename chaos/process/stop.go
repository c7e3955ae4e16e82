package process

import (
	"context"
	"fmt"
	"os"
	"strings"

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
	s.prober = prober{felt: func() bool { return standsStill(s.node.Process().PID()) && hangs(s.node) }}
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

// standsStill reports whether the process is stopped, as the kernel says.
func standsStill(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// The state stands behind the name, which may hold anything but ends the brackets
	// (proc_pid_stat(5)).
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	return len(fields) > 0 && fields[0] == "T"
}
