package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"brownout/scenarios/run"
)

func TestProgressOffATerminalIsPlainLines(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	for second := range 8 {
		p.status(run.Status{Scenario: "s", Phase: "outage", Elapsed: time.Duration(second+1) * time.Second, Total: 9 * time.Second,
			Rate: 300, P99: 12 * time.Millisecond, Errors: 1, Faults: []string{"refuse on cache"}})
	}
	p.done()
	want := []string{ // the first of the phase, and each fifth second
		"s  outage     1.0s of 9s   300/s  p99 12ms     errors 1  [refuse on cache]",
		"s  outage     5.0s of 9s   300/s  p99 12ms     errors 1  [refuse on cache]",
	}
	if got := strings.Split(strings.TrimSpace(out.String()), "\n"); !slicesEqual(got, want) {
		t.Errorf("progress =\n%s\nwant\n%s", out.String(), strings.Join(want, "\n"))
	}
	if strings.ContainsAny(out.String(), "\r\x1b") {
		t.Errorf("progress off a terminal has control characters: %q", out.String())
	}
}

func slicesEqual(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }
