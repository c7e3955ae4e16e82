package judge

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"brownout/results"

	"github.com/google/go-cmp/cmp"
)

// good is a run that passes.
func good(t *testing.T) *run {
	return goodRun().
		expecting(t, "steady", "errors", "0").expecting(t, "steady", "p99", "25ms").
		expecting(t, "outage", "errors", "0").expecting(t, "outage", "p99", "80ms").expecting(t, "outage", "max", "2s").
		expecting(t, "", "wrong_answers", "0")
}

func TestJudge(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*testing.T, *run)
		want  Verdict
		why   string
	}{
		{"a good run", nil, Pass, "0 errors, p99 40 ms of 80 ms in outage"},
		{"a miss", func(_ *testing.T, r *run) { r.spoil(6*sec, 9*sec, slow) }, Fail, "p99 301 ms of 80 ms in outage"},
		{"two misses", func(_ *testing.T, r *run) {
			r.spoil(0, sec, func(h *results.Hit) { h.Done = h.Due + 30*ms }).spoil(6*sec, 6*sec+ms, fail)
		}, Fail, "p99 30 ms of 25 ms in steady; and 1 more"},
		{"a miss in the invariants of the run", func(_ *testing.T, r *run) {
			r.spoil(6*sec, 6*sec+ms, func(h *results.Hit) { h.Token = "z" })
		}, Fail, "wrong_answers 1 (first: read of e/k due at 6s answered token z, which nobody wrote)"},
		{"a miss stands before what cannot be judged", func(t *testing.T, r *run) {
			r.expecting(t, "steady", "p999", "1s").spoil(6*sec, 9*sec, slow)
		}, Fail, "p99 301 ms of 80 ms in outage"},
		{"what cannot be judged stands before a pass", func(t *testing.T, r *run) { r.expecting(t, "steady", "p999", "1s") },
			Inconclusive, "p999: 1s in steady: 1500 hits are too few: p99.9 needs 10000"},
		{"no expectation at all", func(_ *testing.T, r *run) {
			r.m.Always = nil
			for i := range r.m.Phases {
				r.m.Phases[i].Expect = nil
			}
		}, Inconclusive, "the scenario expects nothing of the target"},
		{"an unknown figure, from a newer brownout", func(_ *testing.T, r *run) {
			r.m.Always = append(r.m.Always, results.Expectation{Figure: "joy", Op: ">=", Bound: 1})
		}, Inconclusive, `unknown figure "joy"`},

		{"the run was interrupted", func(_ *testing.T, r *run) { r.m.State = results.StateInterrupted; r.spoil(6*sec, 9*sec, slow) },
			Inconclusive, "the run was interrupted"},
		{"the run was killed", func(_ *testing.T, r *run) { r.m.State = results.StateRunning; r.drop(6*sec, 15*sec) },
			Inconclusive, "the run was killed, or still goes on"},
		{"the harness failed", func(_ *testing.T, r *run) { r.m.State, r.m.Problem = results.StateFailed, "disk full" },
			Invalid, "the harness failed: disk full"},

		{"a failover that was shortened is said to be", func(_ *testing.T, r *run) { r.m.Scale = 0.1 },
			Pass, "0 errors, p99 40 ms of 80 ms in outage (failover scaled to 0.1)"},
		{"a failover's steps in time", func(_ *testing.T, r *run) {
			r.step(results.Step{Name: "move", Due: 4 * sec, Began: 4 * sec, Ended: 5 * sec})
		},
			Pass, "0 errors, p99 40 ms of 80 ms in outage"},
		{"a failover's step that is late by what it may be", func(_ *testing.T, r *run) {
			r.step(results.Step{Name: "move", Due: 4 * sec, Began: 4500 * ms, Ended: 9 * sec})
		}, Pass, "0 errors, p99 40 ms of 80 ms in outage"},
		{"a failover's step that is later than that", func(_ *testing.T, r *run) {
			r.spoil(6*sec, 9*sec, slow).step(results.Step{Name: "move", Due: 4 * sec, Began: 4501 * ms, Ended: 5 * sec})
		}, Invalid, "step move of the failover test-failover was 501ms late"},
		{"a failover's step that failed", func(_ *testing.T, r *run) { r.step(results.Step{Name: "promote", Error: "no replica"}) },
			Invalid, "step promote of the failover test-failover failed: no replica"},

		{"a late generator is invalid, never a fail", func(_ *testing.T, r *run) {
			r.spoil(0, sec, func(h *results.Hit) { h.Sent += 40 * ms; h.Done += 400 * ms })
		}, Invalid, "the load generator was late: lateness p99 41 ms, bound 10ms"},
		{"a generator that was late in one phase", func(_ *testing.T, r *run) {
			r.spoil(7*sec, 7*sec+100*ms, func(h *results.Hit) { h.Sent += 60 * ms; h.Done += 60 * ms })
		}, Invalid, "2% of the hits in outage were more than 50ms late"},
		{"a generator that was late in a phase that measures nothing", func(_ *testing.T, r *run) {
			r.spoil(12*sec, 12*sec+100*ms, func(h *results.Hit) { h.Sent += 60 * ms; h.Done += 60 * ms })
		}, Pass, ""},
		{"a single late hit is let pass", func(_ *testing.T, r *run) {
			r.spoil(7*sec, 7*sec+ms, func(h *results.Hit) { h.Sent += 60 * ms; h.Done += 60 * ms })
		}, Pass, ""},
		{"also in a phase of few hits, where it is a large share", func(_ *testing.T, r *run) {
			steady := r.phase("steady")
			steady.RateFrom, steady.RateTo, steady.Expect = 10, 10, steady.Expect[:1]
			r.thin(0, 5*sec, 30).spoil(sec, sec+ms, func(h *results.Hit) { h.Sent += 60 * ms; h.Done += 60 * ms })
		}, Pass, ""},
		{"the rate was not reached", func(_ *testing.T, r *run) { r.drop(6*sec, 6200*ms) },
			Invalid, "the rate was not reached in outage: 1440 of 1500 scheduled hits were sent"},
		{"hits that were skipped", func(_ *testing.T, r *run) {
			r.spoil(6*sec, 6200*ms, func(h *results.Hit) { h.Op, h.Sent, h.Done = results.OpSkipped, h.Due+sec, h.Due+sec })
		}, Invalid, "the rate was not reached in outage: 1440 of 1500 scheduled hits were sent, and 60 were skipped as too late"},
		{"few hits that were skipped", func(_ *testing.T, r *run) {
			r.spoil(6*sec, 6010*ms, func(h *results.Hit) { h.Op, h.Sent, h.Done = results.OpSkipped, h.Due+sec, h.Due+sec })
		}, Pass, "0 errors, p99 40 ms of 80 ms in outage"},
		{"a few hits fewer are let pass", func(_ *testing.T, r *run) { r.drop(6*sec, 6040*ms) }, Pass, ""},
		{"no load", func(_ *testing.T, r *run) { r.drop(0, 15*sec) }, Invalid, "no hit was sent"},
		{"a phase that never came", func(_ *testing.T, r *run) { r.m.Phases = append(r.m.Phases, results.Phase{Name: "after"}) },
			Invalid, "the run never came to phase after"},

		{"a planned fault that never was", func(_ *testing.T, r *run) { r.phase("steady").Faults = []string{"refuse on cache"} },
			Invalid, "the fault refuse on cache was never in force in steady"},
		{"a fault that failed", func(_ *testing.T, r *run) { r.injection().Error = "no such link" },
			Invalid, "the fault blackhole on cache failed: no such link"},
		{"a fault that could not be injected", func(_ *testing.T, r *run) {
			*r.injection() = results.Injection{Fault: blackhole, Start: 5 * sec, End: 5 * sec, Error: "no such link"}
		}, Invalid, "failed: no such link"},
		{"a fault that touched nothing", func(_ *testing.T, r *run) { r.injection().Evidence.Chances = 0 },
			Invalid, "touched nothing: 0 connections that sent"},
		{"a fault that bit too rarely", func(_ *testing.T, r *run) { r.injection().Evidence.Bites = 17 },
			Invalid, "bit on 17 of 20 connections that sent, want 90%"},
		{"a fault that bit often enough", func(_ *testing.T, r *run) { r.injection().Evidence.Bites = 18 }, Pass, ""},
		{"a delay that was too short", func(_ *testing.T, r *run) {
			r.injection().Evidence.DelayAsked, r.injection().Evidence.DelayMeasured = 200*ms, 179*ms
		}, Invalid, "added 179ms of 200ms"},
		{"a delay that was long enough", func(_ *testing.T, r *run) {
			r.injection().Evidence.DelayAsked, r.injection().Evidence.DelayMeasured = 200*ms, 180*ms
		}, Pass, ""},
		{"a delay that every client gave up on", func(_ *testing.T, r *run) {
			r.injection().Evidence.DelayAsked = 200 * ms
		}, Pass, ""},
		{"a share of connections that was hit", spoilReach(0.5, "", 20, 10), Pass, ""},
		{"a share that was hit almost", spoilReach(0.5, "", 20, 17), Pass, ""},
		{"a share that was exceeded", spoilReach(0.5, "", 20, 18), Invalid, "blackhole on cache hit 18 of 20 connections, want 50%"},
		{"a share that was missed", spoilReach(0.5, "", 20, 2), Invalid, "hit 2 of 20 connections, want 50%"},
		{"a share of few connections may be far off", spoilReach(0.5, "", 2, 2), Pass, ""},
		{"a share that hit nobody", spoilReach(0.5, "", 1, 0), Invalid, "hit none of 1 connections"},
		{"a share of nobody", spoilReach(0.5, "", 0, 0), Invalid, "blackhole on cache met no connection"},
		{"a share of all is all", spoilReach(1, "", 20, 19), Invalid, "hit 19 of 20 connections, want 100%"},
		{"somebody who was there", spoilReach(0, "replicas", 2, 2), Pass, ""},
		{"somebody who was hit in part", spoilReach(0, "replicas", 20, 19), Invalid, "hit 19 of 20 connections, want 100%"},
		{"somebody that nobody was", spoilReach(0, "replicas", 0, 0), Invalid, "blackhole on cache met no connection of replicas"},
		{"everybody, of whom nobody was there", spoilReach(0, "all", 0, 0), Invalid, "blackhole on cache met no connection"},
		{"a fault that was gone too soon", func(_ *testing.T, r *run) { r.injection().End = 9400 * ms },
			Invalid, "was in force for 4.4s of 5s in outage"},
		{"a dependency that ended during the load", func(_ *testing.T, r *run) { r.exit(7*sec, "database") },
			Invalid, "the process database ended 7s into the run: exit status 2"},
		{"a target that ended during the load is its own failure", func(_ *testing.T, r *run) { r.exit(7*sec, results.ProcessTarget) },
			Fail, "the process target ended 7s into the run: exit status 2"},
		{"a process that ended after the load", func(_ *testing.T, r *run) { r.exit(16*sec, results.ProcessTarget) }, Pass, ""},
		{"a process that a fault ended", func(_ *testing.T, r *run) { r.exit(7*sec, "cache"); r.events[len(r.events)-1].Asked = true }, Pass, ""},
		{"a process that ended while its link was injured", func(_ *testing.T, r *run) { r.exit(7*sec, "cache") },
			Invalid, "the process cache ended 7s into the run: exit status 2"},
		{"a fault that passed by itself need not last", func(_ *testing.T, r *run) { r.injection().Passes, r.injection().End = true, 5*sec }, Pass, ""},
		{"a fault that passed by itself after its phase", func(_ *testing.T, r *run) { r.injection().Passes, r.injection().End = true, 11*sec },
			Invalid, "lasted from 5s to 11s, which is not within outage"},

		{"what the run requires is there", func(_ *testing.T, r *run) { r.require("cache_hits", "95%") }, Pass, ""},
		{"what the run requires is missed", func(_ *testing.T, r *run) {
			r.require("cache_hits", "95%")
			r.spoil(0, 5*sec, func(h *results.Hit) { h.Source = results.SourceMiss })
		}, Invalid, "required of the run: cache_hits 0% of 95% in steady"},
		{"what the run requires stands before a miss", func(_ *testing.T, r *run) {
			r.require("cache_hits", "95%")
			r.spoil(0, 5*sec, func(h *results.Hit) { h.Source = results.SourceMiss }).spoil(6*sec, 9*sec, slow)
		}, Invalid, "required of the run"},
		{"what the run requires cannot be judged", func(_ *testing.T, r *run) { r.require("p999", "1s") },
			Invalid, "required of the run: p999: 1s in steady: 1500 hits are too few"},
		{"requiring is not expecting", func(_ *testing.T, r *run) {
			r.m.Always, r.phase("steady").Expect, r.phase("outage").Expect = nil, nil, nil
			r.require("cache_hits", "95%")
		}, Inconclusive, "expects nothing"},
		{"a broken promise stands before a miss", func(_ *testing.T, r *run) { r.spoil(6*sec, 9*sec, slow).injection().Evidence.Bites = 0 },
			Invalid, "bit on 0 of 20"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := good(t)
			if row.spoil != nil {
				row.spoil(t, r)
			}
			j := r.judge()
			if j.Verdict != row.want || !strings.Contains(j.Why, row.why) {
				t.Errorf("Judge = %s: %s\nwant %s: %s", j.Verdict, j.Why, row.want, row.why)
			}
			checkWhole(t, j)
		})
	}
}

// checkWhole checks what holds for every judgement.
func checkWhole(t *testing.T, j Judgment) {
	t.Helper()
	if j.Why == "" || strings.Contains(j.Why, "\n") {
		t.Errorf("why = %q, want one line", j.Why)
	}
	for _, f := range append(append([]Finding(nil), j.Checks...), j.Findings...) {
		if f.Verdict != Pass && f.Why == "" && f.Measured == "" {
			t.Errorf("%s is %s without a reason", f.Expectation, f.Verdict)
		}
		if f.Verdict == Invalid && f.Remedy == "" {
			t.Errorf("%s is invalid without a remedy", f.Expectation)
		}
	}
	data, err := json.Marshal(j)
	if err != nil {
		t.Fatalf("encoding the judgement: %v", err)
	}
	var back Judgment
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("decoding the judgement: %v", err)
	}
	if diff := cmp.Diff(j, back); diff != "" {
		t.Errorf("judgement through JSON (-want +got):\n%s", diff)
	}
}

func (r *run) exit(at time.Duration, process string) {
	r.events = append(r.events, results.Event{At: at, Kind: results.EventExit, On: process, Text: "exit status 2"})
}

func (r *run) require(key, text string) {
	e, err := Parse(key, text, Phase)
	if err != nil {
		panic(err)
	}
	r.phase("steady").Require = append(r.phase("steady").Require, e)
}

func TestJudgingAgainGivesTheSame(t *testing.T) {
	rec := good(t).recording()
	if diff := cmp.Diff(Judge(rec, Standard()), Judge(rec, Standard())); diff != "" {
		t.Errorf("second judgement (-first +second):\n%s", diff)
	}
}

func TestTheDefaultsDecide(t *testing.T) {
	d := Standard()
	d.EvidenceShare = 1
	r := good(t)
	r.injection().Evidence.Bites = 19
	if got := Judge(r.recording(), d); got.Verdict != Invalid || got.Defaults != d {
		t.Errorf("Judge with another evidence share = %s, defaults %+v, want invalid with those given", got.Verdict, got.Defaults)
	}
}

func TestAnEmptyRecordingIsNoPass(t *testing.T) {
	if got := Judge(&results.Recording{}, Standard()).Verdict; got == Pass {
		t.Errorf("Judge of nothing = %s, want anything but a pass", got)
	}
}

func TestTheZeroVerdictIsInconclusive(t *testing.T) {
	var v Verdict
	if v.String() != "inconclusive" || ExitCode(v) != 3 {
		t.Errorf("zero verdict = %s, exit code %d, want inconclusive, 3", v, ExitCode(v))
	}
}

func TestWorst(t *testing.T) {
	for _, row := range []struct {
		of   []Verdict
		want Verdict
		code int
	}{
		{nil, Inconclusive, 3},
		{[]Verdict{Pass, Pass}, Pass, 0},
		{[]Verdict{Pass, Inconclusive}, Inconclusive, 3},
		{[]Verdict{Inconclusive, Invalid, Pass}, Invalid, 4},
		{[]Verdict{Invalid, Fail, Inconclusive, Pass}, Fail, 1},
	} {
		got := Worst(row.of...)
		if got != row.want || ExitCode(got) != row.code {
			t.Errorf("Worst(%v) = %s (%d), want %s (%d)", row.of, got, ExitCode(got), row.want, row.code)
		}
	}
}

func TestVerdictText(t *testing.T) {
	for v := Inconclusive; v <= Pass; v++ {
		text, err := v.MarshalText()
		var back Verdict
		if err != nil || back.UnmarshalText(text) != nil || back != v {
			t.Errorf("%s through text = %s (%v)", v, back, err)
		}
	}
	if _, err := Verdict(7).MarshalText(); err == nil {
		t.Error("MarshalText of no verdict = nil, want an error")
	}
	if err := new(Verdict).UnmarshalText([]byte("great")); err == nil {
		t.Error("UnmarshalText(great) = nil, want an error")
	}
}

// spoilReach makes the injection one of some connections.
func spoilReach(share float64, whom string, offered, hit int) func(*testing.T, *run) {
	return func(_ *testing.T, r *run) {
		ev := &r.injection().Evidence
		ev.ShareAsked, ev.Whom, ev.Offered, ev.Hit = share, whom, offered, hit
	}
}

// A fault that hit nobody is told once, not a second time for not having bitten.
func TestAFaultThatHitNobodyIsToldOnce(t *testing.T) {
	r := good(t)
	spoilReach(0.5, "", 3, 0)(t, r)
	r.injection().Evidence.Chances, r.injection().Evidence.Bites = 0, 0
	if broken := with(r.judge().Checks, Invalid); len(broken) != 1 {
		t.Errorf("broken promises: %+v, want one", broken)
	}
}
