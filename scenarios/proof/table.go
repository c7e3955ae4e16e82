package proof

import "slices"

// brief leaves of the phases before and after an outage what is needed to come to it.
// What is then not judged there does not matter: one expectation is looked at.
func brief() []string {
	return []string{"phases.warm-up.for=200ms", "phases.steady.for=200ms", "phases.recovery.for=300ms"}
}

// leadIn is for scenarios that require hits and misses before the outage: fewer
// environments are in the cache sooner, and more writes make enough misses in so short
// a time.
func leadIn() []string {
	return []string{
		"data.environments=50", "load.reads=90%", "load.writes=10%",
		"phases.warm-up.for=500ms", "phases.steady.for=700ms", "phases.recovery.for=300ms",
	}
}

func set(base []string, more ...string) []string { return slices.Concat(base, more) }

// Cases is the table of known defects, in the order in which they are run. The later
// of two values for the same path in a Set counts.
func Cases() []Case {
	return slices.Concat(waits(), fallbacks(), entries(), databases(), loads())
}

// waits are the defects of how long, and how often, Redis is asked in vain.
func waits() []Case {
	silent := set(brief(), "phases.outage.for=3500ms")
	gone := cacheGone()
	return []Case{
		{Defect: "no-timeout", Scenario: "cache-blackhole", Set: silent, CaughtBy: "outage p99", Fast: true},
		{Defect: "timeout-ten-times", Scenario: "cache-blackhole", Set: silent, CaughtBy: "outage p99"},
		// A read that pays its budget each time is within the bound on p99: it takes one on
		// p50. So many environments, because one whose invalidation failed is not looked up.
		{
			Defect: "breaker-never-opens", Scenario: "cache-blackhole",
			Set: set(silent, "data.environments=150", "data.flags=5", "phases.outage.expect.p50=25ms", "phases.outage.expect.p90=25ms", "phases.outage.expect.p95=25ms",
				"phases.outage.expect.p50_over{times=1.5}=25ms"),
			CaughtBy: "outage p50",
		},
		{Defect: "retries-unbounded", Scenario: "cache-loading", Set: set(brief(), "phases.outage.for=3500ms"), CaughtBy: "outage p99"},
		{
			Defect: "no-backoff", Scenario: "cache-reset",
			Set: set(brief(), "phases.outage.for=2s", "phases.outage.expect.connects{link=cache}=<= 60/s",
				"phases.outage.expect.connects_peak{link=cache}=<= 200/s", "phases.outage.expect.probe_rate{link=cache}=<= 100/s"),
			CaughtBy: "outage connects{link=cache}",
		},
		{
			Defect: "no-jitter", Scenario: "cache-reset",
			// Pauses that are drawn from nothing to all have 58%, and a fixed interval has little.
			Set:      set(brief(), "phases.outage.for=4s", "phases.outage.expect.backoff_jitter{link=cache}=>= 42%"),
			CaughtBy: "outage backoff_jitter{link=cache}",
		},
		{Defect: "breaker-never-closes", Scenario: "cache-refused", Set: gone, CaughtBy: "recovery cache_back_within"},
		{Defect: "breaker-opens-at-once", Scenario: "cache-breaks-off", CaughtBy: "broken cache_hits"},
		{
			Defect: "cache-pool-of-one", Scenario: "cache-slow",
			Set: set(brief(), "phases.slow.for=3s", "phases.slow.faults.latency.latency=10ms", "phases.slow.faults.latency.jitter=1ms",
				"phases.slow.expect.cache_hits=>= 80%"),
			CaughtBy: "slow cache_hits",
		},
		{Defect: "fill-until-taken", Scenario: "cache-oom", Set: set(brief(), "phases.outage.for=3500ms"), CaughtBy: "outage p99"},
		{
			Defect: "ping-is-enough", Scenario: "cache-trickle", // the phase before is compared with: it takes 1,000 hits
			Set: set(brief()[:1], "phases.steady.for=4s", "phases.recovery.for=300ms"), CaughtBy: "trickle p99_over{after=1s,times=1.5}",
		},
		{Defect: "write-blocked-by-cache", Scenario: "cache-refused", Set: gone, CaughtBy: "outage max"},
		{
			Defect: "password-kept", Scenario: "auth-rotation",
			Set:      set(brief()[:2], "phases.rotation.for=1500ms", "phases.renewed.for=3s"),
			CaughtBy: "renewed cache_hits",
		},
	}
}

// cacheGone is cache-refused, long enough for the return of the cache to be judged.
func cacheGone() []string {
	return set(brief(), "phases.outage.for=1500ms", "phases.outage.expect.max=700ms", "phases.outage.expect.goodput=>= 270/s",
		"phases.recovery.for=3500ms")
}

// fallbacks are the defects of what is answered when something fails.
func fallbacks() []Case {
	gone := cacheGone()
	expiring := set(leadIn(), "server.cache_ttl=1s")
	return []Case{
		{Defect: "fallback-default", Scenario: "cache-refused", Set: gone, CaughtBy: "run wrong_answers"},
		{Defect: "fallback-500", Scenario: "cache-refused", Set: gone, CaughtBy: "outage errors", Fast: true},
		{Defect: "panic-as-200", Scenario: "cache-refused", Set: gone, CaughtBy: "outage errors"},
		{
			Defect: "error-as-false", Scenario: "database-refused",
			Set: set(leadIn(), "phases.outage.for=2s", "server.stale_if_error=0s"), CaughtBy: "run wrong_answers",
		},
		{
			Defect: "no-last-good-copy", Scenario: "database-refused",
			Set: set(expiring, "phases.outage.for=2s"), CaughtBy: "outage error_rate{op=read}",
		},
		{
			Defect: "copy-of-any-age", Scenario: "database-refused",
			Set:      set(expiring, "phases.outage.for=4s", "server.stale_if_error=1s", "phases.outage.expect.error_rate{op=read}=>= 30%"),
			CaughtBy: "outage error_rate{op=read}",
		},
		{
			Defect: "stale-not-labelled", Scenario: "database-refused",
			Set:      set(expiring, "phases.outage.for=3s", "phases.outage.expect.answers{source=stale}=>= 40%"),
			CaughtBy: "outage answers{source=stale}",
		},
		{Defect: "unknown-is-empty", Scenario: "all-down", Set: set(brief(), "phases.outage.for=2s"), CaughtBy: "run wrong_answers"},
		{Defect: "readiness-always-green", Scenario: "readiness", CaughtBy: "outage error_rate"},
	}
}

// entries are the defects of what is in the cache.
func entries() []Case {
	return []Case{
		{Defect: "cache-never-used", Scenario: "steady", Set: []string{"phases.steady.for=3s", "phases.steady.expect.queries_per_request=<= 0.5"}, CaughtBy: "steady cache_hits"},
		{
			Defect: "asks-for-each-flag", Scenario: "steady",
			Set: []string{"phases.steady.for=3s", "phases.steady.expect.commands_per_request{link=cache}=<= 3",
				"phases.steady.expect.commands{link=cache}=<= 1000/s", "phases.steady.expect.bytes_per_hit{link=cache}=<= 25KB"},
			CaughtBy: "steady commands_per_request{link=cache}",
		},
		{
			Defect: "ttl-ignored", Scenario: "steady",
			// Each environment is read twice a second: of three reads one finds its entry dead.
			Set: []string{"phases.steady.for=4s", "data.environments=150", "data.flags=5", "load.keys=uniform", "load.reads=99%", "load.writes=1%",
				"server.cache_ttl=1s", "phases.steady.expect.answers{source=miss}=>= 15%"},
			CaughtBy: "steady answers{source=miss}",
		},
		{Defect: "no-single-flight", Scenario: "cache-flush", Set: set(brief(), "phases.flush.for=2s", "phases.flush.expect.database_queries=<= 20/s"), CaughtBy: "flush database_queries", Fast: true},
		{Defect: "negative-cache-missing", Scenario: "nobody", CaughtBy: "steady database_queries"},
		{
			Defect: "late-fill", Scenario: "steady",
			Set: []string{"phases.steady.for=5s", "load.reads=90%", "load.writes=10%"}, CaughtBy: "run version_regressions",
		},
		{
			Defect: "invalidation-lost", Scenario: "steady",
			// Many writes, so that some are lost, to many environments, so that the next
			// write to the same one does not put it right at once.
			Set: []string{"phases.steady.for=8s", "data.environments=200", "data.flags=1", "load.keys=uniform",
				"load.rate=500/s", "load.reads=80%", "load.writes=20%", "always.staleness=<= 300ms"},
			CaughtBy: "run staleness",
		},
		{
			Defect: "invalidation-not-retried", Scenario: "cache-restart",
			Set: []string{"load.reads=90%", "load.writes=10%", "phases.outage.for=2s", "phases.recovery.for=2500ms", "always.versions_behind=0",
				"always.invisible_after{after=1s}=0.5%"},
			CaughtBy: "run staleness",
		},
		{Defect: "invalidation-before-commit", Scenario: "database-slow",
			Set: []string{"phases.warm-up.for=500ms", "phases.steady.for=500ms", "phases.slow.for=6s", "phases.recovery.for=500ms",
				"data.environments=20", "data.flags=5", "load.reads=98%", "load.writes=2%", "always.staleness=<= 500ms"},
			CaughtBy: "run staleness",
		},
		{Defect: "old-entry-believed", Scenario: "failover-lost-writes", CaughtBy: "run staleness"},
		{Defect: "key-without-environment", Scenario: "steady", Set: []string{"phases.steady.for=3s"}, CaughtBy: "run wrong_answers", Fast: true},
		{
			Defect: "vanishing-flags", Scenario: "cache-restarts-empty",
			Set: set(brief()[:2], "phases.first.for=1s", "phases.second.for=1s"), CaughtBy: "run wrong_answers",
		},
	}
}

// databases are the defects of how the database is used.
func databases() []Case {
	back := set(leadIn(), "phases.outage.for=2s", "phases.recovery.for=4500ms")
	return []Case{
		{Defect: "ack-before-commit", Scenario: "database-refused", Set: set(leadIn(), "phases.outage.for=2s"), CaughtBy: "run lost_writes", Fast: true},
		{Defect: "stale-for-ever", Scenario: "database-refused", Set: back, CaughtBy: "run staleness"},
		{Defect: "pool-never-heals", Scenario: "database-refused", Set: back, CaughtBy: "recovery recovers_within"},
		{Defect: "database-given-up", Scenario: "database-restart", Set: set(leadIn(), "phases.restart.for=4s"), CaughtBy: "restart recovers_within"},
		{Defect: "database-timeout-long", Scenario: "database-blackhole", Set: set(leadIn(), "phases.outage.for=2500ms"), CaughtBy: "outage max"},
		{Defect: "asks-database-first", Scenario: "database-blackhole", Set: set(leadIn(), "phases.outage.for=5s"), CaughtBy: "outage p99{source=hit}"},
		{
			Defect: "database-pool-of-one", Scenario: "database-slow",
			// 15 writes a second that take 100 ms each: one connection is not enough.
			Set: []string{"phases.warm-up.for=500ms", "phases.steady.for=500ms", "phases.slow.for=5s", "phases.recovery.for=1s",
				"load.reads=95%", "load.writes=5%"},
			CaughtBy: "slow errors",
		},
	}
}

// loads are the defects that show under load only.
func loads() []Case {
	growth := []string{"phases.steady.for=5s", "phases.steady.expect.memory_growth=20MB", "phases.steady.expect.descriptors_growth=100",
		"phases.steady.expect.goroutines_growth=100", "phases.steady.expect.memory_max=80MB"}
	return []Case{
		{Defect: "memory-unbounded", Scenario: "steady", Set: growth, CaughtBy: "steady memory_growth"},
		{Defect: "goroutine-leak", Scenario: "steady", Set: growth, CaughtBy: "steady goroutines_growth"},
		{Defect: "descriptor-leak", Scenario: "steady", Set: growth, CaughtBy: "steady descriptors_growth"},
		{
			Defect: "one-read-stalls", Scenario: "steady",
			Set:      []string{"load.rate=1000/s", "phases.steady.for=10500ms", "phases.steady.expect.p999=250ms"},
			CaughtBy: "steady p999",
		},
		{
			Defect: "read-toils", Scenario: "steady",
			Set: []string{"load.rate=50/s", "phases.steady.for=4s", "phases.steady.expect.cpu_per_1000=3s"}, CaughtBy: "steady cpu_per_1000",
		},
		{Defect: "wrong-flag-under-load", Scenario: "steady", Set: []string{"phases.steady.for=5s"}, CaughtBy: "run wrong_answers"},
	}
}
