package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"brownout/scenarios/run"

	"golang.org/x/term"
)

// progress shows a run while it goes on: one line that renews itself on a
// terminal, plain lines elsewhere.
type progress struct {
	out      io.Writer
	terminal bool
	interval time.Duration
	phase    string
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out, interval: time.Second}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.terminal, p.interval = true, 250*time.Millisecond
	}
	return p
}

// status shows s. Off a terminal, only the first status of a phase and every
// fifth second are worth a line.
func (p *progress) status(s run.Status) {
	line := fmt.Sprintf("%s  %-9s %4.1fs of %s  %4.0f/s  p99 %-8s errors %d", s.Scenario, orStarting(s.Phase),
		s.Elapsed.Seconds(), s.Total, s.Rate, s.P99.Round(10*time.Microsecond), s.Errors)
	if len(s.Faults) > 0 {
		line += "  [" + strings.Join(s.Faults, ", ") + "]"
	}
	if p.terminal {
		fmt.Fprintf(p.out, "\r\x1b[K%s", line)
		return
	}
	if s.Phase != p.phase || int(s.Elapsed.Seconds())%5 == 0 {
		fmt.Fprintln(p.out, line)
	}
	p.phase = s.Phase
}

func orStarting(phase string) string {
	if phase == "" {
		return "starting"
	}
	return phase
}

// done clears the line.
func (p *progress) done() {
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
