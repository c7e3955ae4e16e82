package main

import (
	"fmt"
	"slices"
	"testing"

	"brownout/results/judge"
)

// A broken target is one that lacks what a scenario proves, and the expectations
// that have to say so.
type brokenTarget struct {
	name     string // what the target does wrong
	scenario string
	set      []string // what breaks the target: settings, or defects of brownout serve
	shorter  []string // path=value: as long as the expectations need, and no longer
	missed   []string // "phase figure"; "run figure" of what stands in always
}

// brief leaves of the phases before and after an outage what is needed to come to
// it. What is then not judged there does not hide a fail.
var brief = []string{"phases.warm-up.for=200ms", "phases.steady.for=200ms", "phases.recovery.for=300ms"}

// warm is brief for scenarios that require hits and misses before the outage: fewer
// environments are in the cache sooner, and more writes make enough misses in so short a
// time.
var warm = []string{"data.environments=50", "load.reads=90%", "load.writes=10%", "phases.warm-up.for=500ms", "phases.steady.for=700ms", "phases.recovery.for=300ms"}

func brokenTargets() []brokenTarget {
	return slices.Concat(cacheIsGone(), cacheAnswersNo(), databaseIsGone(), allIsGone())
}

// seed are the settings of a client that nothing bounds.
var seed = []string{"server.profile=seed"}

// cacheIsGone are the broken targets of the scenarios that injure the way to the
// cache.
func cacheIsGone() []brokenTarget {
	return []brokenTarget{
		{
			name: "the client tries a Redis that resets connections again and again", scenario: "cache-reset",
			set: seed, shorter: append([]string{"phases.outage.for=3500ms"}, brief...),
			missed: []string{"outage p99"},
		},
		{
			name: "a dial of a vanished Redis may take 2 s, a command for ever", scenario: "cache-drop",
			set: seed, shorter: append([]string{"phases.outage.for=3600ms"}, brief...),
			missed: []string{"outage p99"},
		},
		{
			name: "the client waits until a Redis that comes and goes has come", scenario: "cache-flap",
			set: seed, shorter: append([]string{"phases.outage.for=3500ms"}, brief...),
			missed: []string{"outage p99"},
		},
		{
			name: "nothing ends a lookup whose answer trickles", scenario: "cache-trickle",
			set: seed, shorter: append([]string{"phases.trickle.for=3500ms"}, brief...),
			missed: []string{"trickle p99"},
		},
	}
}

// cacheAnswersNo are the broken targets of the scenarios in which the cache answers,
// but nothing of use.
func cacheAnswersNo() []brokenTarget {
	return []brokenTarget{
		{
			name: "the client waits until Redis has loaded its data", scenario: "cache-loading",
			set: seed, shorter: append([]string{"phases.outage.for=3500ms"}, brief...),
			missed: []string{"outage p99"},
		},
		{
			name: "the client waits until a replica takes writes", scenario: "cache-readonly",
			set: seed, shorter: append([]string{"phases.outage.for=3500ms"}, brief...),
			missed: []string{"outage p99"},
		},
		{
			name: "a full Redis is asked until there is room", scenario: "cache-oom",
			set: []string{"server.defect=fill-until-taken"}, shorter: append([]string{"phases.outage.for=3500ms"}, brief...),
			missed: []string{"outage p99"},
		},
		{
			name: "the client waits until Redis takes connections", scenario: "cache-maxclients",
			set: seed, shorter: append([]string{"phases.outage.for=3500ms"}, brief...),
			missed: []string{"outage p99"},
		},
		{
			name: "a deletion that was answered with noise is forgotten", scenario: "cache-garbage",
			// So many environments that an old entry is read often before the next write to the
			// same environment puts it right.
			set: seed, shorter: []string{
				"data.environments=30", "data.flags=1", "load.keys=uniform", "load.reads=90%", "load.writes=10%",
				"phases.warm-up.for=400ms", "phases.steady.for=200ms", "phases.outage.for=1s", "phases.recovery.for=3s",
			},
			missed: []string{"run version_regressions"},
		},
	}
}

// databaseIsGone are the broken targets of the scenarios that take the database
// away.
func databaseIsGone() []brokenTarget {
	return []brokenTarget{
		{
			name: "what is cached expires sooner than the outage ends", scenario: "database-refused",
			set: []string{"server.cache_ttl=1s", "server.stale_if_error=0s"}, shorter: append([]string{"phases.outage.for=2s"}, warm...),
			missed: []string{"outage error_rate{op=read}"},
		},
		{
			name: "writes that failed are acknowledged", scenario: "database-refused",
			set: []string{"server.defect=ack-before-commit"}, shorter: append([]string{"phases.outage.for=2s"}, warm...),
			missed: []string{"outage error_rate{op=write}", "run lost_writes"},
		},
		{
			name: "a query may take 4 s", scenario: "database-blackhole",
			set: []string{"server.database_timeout=4s"}, shorter: append([]string{"phases.outage.for=2500ms"}, warm...),
			missed: []string{"outage max"},
		},
		{
			name: "the database is asked before the cache is believed", scenario: "database-blackhole",
			set: []string{"server.defect=asks-database-first"}, shorter: append([]string{"phases.outage.for=5s"}, warm...),
			missed: []string{"outage p99{source=hit}"},
		},
	}
}

// allIsGone are the broken targets of the scenario that takes both away.
func allIsGone() []brokenTarget {
	return []brokenTarget{
		{
			name: "the client waits for Redis as long as it takes", scenario: "all-down",
			set: seed, shorter: append([]string{"phases.outage.for=2500ms"}, brief...),
			missed: []string{"outage max"},
		},
		{
			name: "what cannot be done is acknowledged, what cannot be known is made up", scenario: "all-down",
			set: []string{"server.defect=ack-before-commit,unknown-is-empty"}, shorter: append([]string{"phases.outage.for=2s"}, brief...),
			missed: []string{"run wrong_answers", "run lost_writes"},
		},
		{
			name: "a dependency that failed once is not asked any more", scenario: "all-down",
			// Old answers would be good ones.
			set: []string{"server.defect=breaker-never-closes,database-given-up", "server.stale_if_error=0s"}, shorter: append([]string{"phases.outage.for=1500ms"}, brief[0], brief[1], "phases.recovery.for=3600ms"),
			missed: []string{"recovery recovers_within", "recovery cache_back_within"},
		},
	}
}

// args are the arguments of brownout run.
func (b brokenTarget) args() []string {
	args := []string{b.scenario, "--again", "4"} // hanging targets cost a busy machine much
	for _, set := range slices.Concat(b.set, b.shorter) {
		args = append(args, "--set", set)
	}
	return args
}

// TestScenariosFailForBrokenTargets holds that scenarios are able to fail, each
// for a target that lacks what it proves and by the expectation that speaks of it.
// That they pass for the reference server is what make bench and make bench-full
// show.
func TestScenariosFailForBrokenTargets(t *testing.T) {
	for _, b := range slices.Concat(brokenTargets(), brokenForServers(), brokenForFailovers()) {
		t.Run(b.scenario+": "+b.name, func(t *testing.T) {
			o := brownoutRun(t, b.args()...)
			o.want(t, judge.Fail)
			got := o.missed()
			for _, want := range b.missed {
				if !slices.Contains(got, want) {
					t.Errorf("missed expectations = %q, want %q among them", got, want)
				}
			}
		})
	}
}

// missed lists the expectations that were missed, as "phase figure".
func (o *outcome) missed() []string {
	var list []string
	for _, f := range o.judged.Findings {
		if f.Verdict != judge.Fail {
			continue
		}
		phase := f.Phase
		if phase == "" {
			phase = "run"
		}
		list = append(list, fmt.Sprintf("%s %s", phase, f.Figure))
	}
	return list
}
