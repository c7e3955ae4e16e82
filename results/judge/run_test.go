package judge

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"brownout/results"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// A run is made by hand: a good one of 3 phases at 300/s with a blackhole in the
// second, and each test spoils what it is about.
type run struct {
	m       results.Manifest
	hits    []results.Hit
	events  []results.Event
	samples []results.Sample
	// exchanges passed the links.
	exchanges []results.Exchange
	order     *results.Linearizability // what a search found, if there was one
}

const blackhole = "blackhole on cache"

// goodRun expects nothing; see expecting.
func goodRun() *run {
	r := &run{m: results.Manifest{
		Scenario: "cache-blackhole", State: results.StateComplete,
		Tells: results.Tells{Token: true, Version: true, Source: true, Writes: true},
		Phases: []results.Phase{
			{Name: "steady", For: 5 * sec, RateFrom: 300, RateTo: 300},
			{Name: "outage", For: 5 * sec, RateFrom: 300, RateTo: 300, Faults: []string{blackhole}},
			{Name: "recovery", For: 5 * sec, RateFrom: 300, RateTo: 300},
		},
	}}
	r.hits = append(r.hits, results.Hit{Op: results.OpSeed, Environment: "e", Key: "k", Token: "a", Version: 1, Sent: -2 * sec, Done: -sec})
	for i := range 4500 {
		r.hits = append(r.hits, goodHit(uint64(i), time.Duration(i)*15*sec/4500))
	}
	at := func(t time.Duration, k results.EventKind, on string) results.Event {
		return results.Event{At: t, Kind: k, On: on}
	}
	r.events = []results.Event{
		at(0, results.EventPhase, "steady"), at(5*sec, results.EventPhase, "outage"),
		at(10*sec, results.EventPhase, "recovery"), at(15*sec, results.EventEnd, ""),
	}
	r.inject(results.Injection{
		Kind: "blackhole", On: "cache", Fault: blackhole, Start: 5 * sec, End: 10 * sec,
		Evidence: results.Evidence{Occasion: "connections that sent", Chances: 20, Bites: 20},
	})
	return r
}

// goodHit takes 10 ms; in the outage 40 ms, and the database answers.
func goodHit(seq uint64, due time.Duration) results.Hit {
	h := results.Hit{
		Seq: seq, Op: results.OpRead, Due: due, Sent: due + ms, Done: due + 10*ms, Environment: "e", Key: "k",
		Token: "a", Version: 1, Code: 200, Source: results.SourceHit,
	}
	if due >= 5*sec && due < 10*sec {
		h.Done, h.Source = due+40*ms, results.SourceBypass
	}
	return h
}

func (r *run) inject(in results.Injection) {
	r.events = append(r.events, results.Event{At: in.End, Kind: results.EventRevert, On: in.On, Injection: &in})
}

// step adds a step of a failover.
func (r *run) step(s results.Step) {
	r.events = append(r.events, results.Event{At: 5*sec + s.Ended, Kind: results.EventStep, On: "failover test-failover", Step: &s})
}

// injection returns the one of goodRun, to be spoilt.
func (r *run) injection() *results.Injection {
	for _, e := range r.events {
		if e.Injection != nil {
			return e.Injection
		}
	}
	return nil
}

// spoil changes the load due in [from, to).
func (r *run) spoil(from, to time.Duration, change func(*results.Hit)) *run {
	for i := range r.hits {
		if h := &r.hits[i]; h.Op != results.OpSeed && h.Due >= from && h.Due < to {
			change(h)
		}
	}
	return r
}

// drop takes away the load due in [from, to).
func (r *run) drop(from, to time.Duration) *run {
	var kept []results.Hit
	for _, h := range r.hits {
		if h.Op == results.OpSeed || h.Due < from || h.Due >= to {
			kept = append(kept, h)
		}
	}
	r.hits = kept
	return r
}

// thin keeps one of each n hits due in [from, to).
func (r *run) thin(from, to time.Duration, n uint64) *run {
	r.hits = slices.DeleteFunc(r.hits, func(h results.Hit) bool {
		return h.Op != results.OpSeed && h.Due >= from && h.Due < to && h.Seq%n != 0
	})
	return r
}

// add adds hits that are no load of the schedule, or only little of it.
func (r *run) add(hits ...results.Hit) *run {
	r.hits = append(r.hits, hits...)
	return r
}

func (r *run) recording() *results.Recording {
	rec := results.NewRecording(r.m, r.hits, r.events, r.samples)
	rec.Exchanges, rec.Linearizability = r.exchanges, r.order
	return rec
}

func (r *run) judge() Judgment { return Judge(r.recording(), Standard()) }

// expecting adds an expectation to a phase, or to the whole run.
func (r *run) expecting(t *testing.T, phase, key, text string) *run {
	t.Helper()
	if phase == "" {
		e, err := Parse(key, text, Run)
		if err != nil {
			t.Fatalf("Parse: %v", err)
		}
		r.m.Always = append(r.m.Always, e)
		return r
	}
	e, err := Parse(key, text, Phase)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	p := r.phase(phase)
	p.Expect = append(p.Expect, e)
	return r
}

func (r *run) phase(name string) *results.Phase {
	for i := range r.m.Phases {
		if r.m.Phases[i].Name == name {
			return &r.m.Phases[i]
		}
	}
	panic(fmt.Sprintf("no phase %q", name))
}

func fail(h *results.Hit) {
	h.Error, h.Code, h.Source, h.Token, h.Version = results.ErrorTimeout, 0, "", "", 0
}
