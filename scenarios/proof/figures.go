package proof

import "slices"

// Figures is the table of the kinds of figure that no defect of Cases is named for: of
// each at least one defect that it finds, and that the clean server does not have. Most
// are looked at in the runs of Cases.
func Figures() []Case {
	return []Case{
		also("breaker-never-opens", "outage p90"),
		also("breaker-never-opens", "outage p95"),
		also("breaker-never-opens", "outage p50_over{times=1.5}"),
		also("fallback-500", "outage goodput"),
		also("no-backoff", "outage connects_peak{link=cache}"),
		also("no-backoff", "outage probe_rate{link=cache}"),
		also("asks-for-each-flag", "steady commands{link=cache}"),
		also("asks-for-each-flag", "steady bytes_per_hit{link=cache}"),
		also("cache-never-used", "steady queries_per_request"),
		{Defect: "no-single-flight", Scenario: "stampede", CaughtBy: "flush stampede"},
		also("memory-unbounded", "steady memory_max"),
		also("invalidation-not-retried", "run versions_behind"),
		also("invalidation-not-retried", "run invisible_after{after=1s}"),
		{
			Defect: "database-given-up", Scenario: "metastable", // a query may take 1 s
			Set: []string{"phases.trigger.for=3s", "phases.trigger.faults.latency.latency=2s", "phases.high.for=2s", "phases.middle.for=2s",
				"phases.low.for=2s", "load.reads=90%", "load.writes=10%",
				"phases.trigger.require.p50{op=write}=>= 10us"}, // who has given up does not wait
			CaughtBy: "run recovers_at",
		},
	}
}

// also is the case of a defect with another expectation that has to be missed.
func also(defect, caughtBy string) Case {
	all := Cases()
	c := all[slices.IndexFunc(all, func(c Case) bool { return c.Defect == defect })]
	c.CaughtBy = caughtBy
	return c
}

// FiguresOf returns the rows of Figures about the defects of these cases.
func FiguresOf(cases []Case) []Case {
	return slices.DeleteFunc(Figures(), func(f Case) bool {
		return !slices.ContainsFunc(cases, func(c Case) bool { return c.Defect == f.Defect })
	})
}
