package judge

import (
	"strings"
	"testing"
	"time"

	"brownout/results"
)

// watched adds looks at the machine (two CPUs) and the harness, each 200 ms of the run,
// with what one did to them.
func watched(change func(at time.Duration, machine, harness *results.Sample)) func(*run) {
	return func(r *run) {
		r.m.Machine.CPUs = 2
		for at := time.Duration(0); at < 15*sec; at += 200 * ms {
			machine := results.Sample{At: at, Process: results.ProcessMachine, CPU: at, Steal: at / 20}
			harness := results.Sample{At: at, Process: results.ProcessHarness, CPU: at / 2}
			if change != nil {
				change(at, &machine, &harness)
			}
			r.samples = append(r.samples, machine, harness)
		}
	}
}

func TestTheMachineIsJudged(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*run)
		want  Verdict
		why   string
	}{
		{"a quiet machine", watched(nil), Pass, ""},
		{"a clock that creeps", watched(func(at time.Duration, m, _ *results.Sample) { m.Drift = at / 10 }), Pass, ""},
		{"a clock that was set ahead", watched(func(at time.Duration, m, _ *results.Sample) {
			if at > 7*sec {
				m.Drift = sec
			}
		}), Invalid, "the machine's clock jumped by 1s, 7.2s into the run"},
		{"a clock that was set back", watched(func(at time.Duration, m, _ *results.Sample) {
			if at > 7*sec {
				m.Drift = -501 * ms
			}
		}), Invalid, "the machine's clock jumped by -501ms"},
		{"a clock that was set before the load", watched(func(at time.Duration, m, _ *results.Sample) {
			m.At, m.Drift = m.At-sec, 0
			if at >= sec {
				m.Drift = sec
			}
		}), Pass, ""},
		{"a starved machine", watched(func(at time.Duration, m, _ *results.Sample) { m.Steal = at / 4 }),
			Invalid, "the machine was starved: its hypervisor kept 12.5% of the CPU time from it in steady"},
		{"a machine that was starved while nothing was measured", watched(func(at time.Duration, m, _ *results.Sample) {
			m.Steal = max(0, at-10*sec)
		}), Pass, ""},
		{"a harness that took all", watched(func(at time.Duration, _, h *results.Sample) { h.CPU = at * 19 / 10 }),
			Invalid, "the harness left no CPU to the target: it used 95% itself in steady"},
		{"a broken promise stands before a miss", func(r *run) {
			watched(func(at time.Duration, m, _ *results.Sample) { m.Steal = at })(r)
			r.spoil(6*sec, 9*sec, slow)
		}, Invalid, "the machine was starved"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := good(t)
			row.spoil(r)
			j := r.judge()
			if j.Verdict != row.want || !strings.Contains(j.Why, row.why) {
				t.Errorf("Judge = %s: %s\nwant %s: %s", j.Verdict, j.Why, row.want, row.why)
			}
			checkWhole(t, j)
		})
	}
}

// A run of a brownout that did not look at the machine is judged as it was then.
func TestNobodyLookedAtTheMachine(t *testing.T) {
	for _, f := range good(t).judge().Checks {
		if f.Figure == "clock jump" || f.Figure == "stolen" || f.Figure == "own" {
			t.Errorf("check %q of a run without looks at the machine, want none", f.Expectation)
		}
	}
}
