package proof

import "slices"

// Twins is the table of null twins: each scenario that injures something, and an
// expectation on what the fault does that nothing but the fault can keep. Two are left
// out: elasticache-test-failover-unscaled is another in its own time, and what
// failover-lost-writes loses is there for a moment only (see the defect
// old-entry-believed).
func Twins() []Twin {
	return slices.Concat(silentCaches(), halfCaches(), newConnections(), databaseTwins())
}

// twin is one of a scenario whose phase is made so long, and bounds a figure of it so.
func twin(scenario string, base []string, phase, length, figure, bound string) Twin {
	t := Twin{Scenario: scenario, Set: set(base), Flips: phase + " " + figure}
	if length != "" {
		t.Set = append(t.Set, "phases."+phase+".for="+length)
	}
	if bound != "" {
		t.Set = append(t.Set, "phases."+phase+".expect."+figure+"="+bound)
	}
	return t
}

// silentCaches are gone for the whole phase.
func silentCaches() []Twin {
	var all []Twin
	for _, scenario := range []string{
		"cache-blackhole", "cache-refused", "cache-hang", "cache-drop", "cache-garbage", "cache-loading", "cache-maxclients", "cache-reset", "cache-oom",
	} {
		all = append(all, twin(scenario, brief(), "outage", "3s", "cache_hits", "<= 50%"))
	}
	return append(all,
		twin("cache-slow", brief(), "slow", "3s", "cache_hits", "<= 50%"),
		twin("cache-trickle", brief(), "trickle", "4s", "cache_hits", "<= 60%"),
		twin("cold-start", brief()[2:], "start", "3s", "cache_hits", "<= 50%"),
		twin("cache-restart", leadIn(), "outage", "3s", "cache_hits", "<= 30%"),
	)
}

// halfCaches are gone for a part of the phase, or for some of what they are asked.
func halfCaches() []Twin {
	ready := brief()[:2] // what comes after a failover has to be there
	return []Twin{
		twin("cache-flap", brief(), "outage", "4s", "cache_hits", "<= 80%"),
		twin("two-instances", brief(), "outage", "4s", "cache_hits", "<= 70%"),
		twin("cache-readonly", brief(), "outage", "4s", "answers{source=bypass}", ">= 20%"),
		twin("cache-warming", nil, "flush", "", "answers{source=miss}", ">= 10%"),
		twin("elasticache-test-failover", set(ready, "phases.recovery.for=6s"), "failover", "", "cache_hits", "<= 80%"),
		twin("elasticache-dns", set(ready, "phases.recovery.for=6s"), "failover", "", "cache_hits", "<= 80%"),
		twin("elasticache-unplanned", set(ready, "phases.recovery.for=6s"), "failover", "", "cache_hits", "<= 80%"),
		twin("elasticache-planned", ready, "readonly", "", "answers{source=bypass}", ">= 20%"),
		twin("elasticache-shard", ready, "lost", "", "cache_hits", "<= 90%"),
		twin("sentinel-failover", brief(), "outage", "", "cache_hits", "<= 85%"),
		twin("cluster-failover", brief(), "outage", "", "cache_hits", "<= 90%"),
	}
}

// newConnections are all that a restart leaves to be seen: it is over at once.
func newConnections() []Twin {
	const connects = "connects{link=cache}"
	ready := brief()[:2]
	return []Twin{
		twin("cache-restarts-empty", set(ready, "phases.second.for=1s"), "first", "2s", connects, ">= 0.5/s"),
		twin("tls-pool-closed", ready, "closed", "2s", connects, ">= 0.5/s"),
		twin("auth-rotation", set(ready, "phases.rotation.for=1500ms"), "renewed", "3s", connects, ">= 0.3/s"),
		twin("database-restart", leadIn()[:3], "restart", "3s", "connects{link=database}", ">= 0.5/s"),
	}
}

// databaseTwins fail what needs PostgreSQL, or make it slow.
func databaseTwins() []Twin {
	const writes, slow = "error_rate{op=write}", "p50{op=write}"
	return []Twin{
		twin("database-refused", leadIn(), "outage", "3s", writes, ""),
		twin("database-blackhole", leadIn(), "outage", "5s", writes, ""),
		twin("database-hang", leadIn(), "outage", "5s", writes, ""),
		twin("all-down", brief(), "outage", "5s", writes, ">= 50%"),
		// Enough writes for a median.
		twin("database-slow", []string{"load.reads=95%", "load.writes=5%", "phases.warm-up.for=500ms", "phases.steady.for=500ms", "phases.recovery.for=500ms"},
			"slow", "6s", slow, ""),
		twin("cache-flush", set(brief(), "load.reads=95%", "load.writes=5%"), "flush", "4s", slow, ">= 90ms"),
		twin("metastable", nil, "trigger", "", slow, ""),
		twin("linearizable", []string{"phases.warm-up.for=500ms", "phases.restart.for=1s"}, "slow", "3s", "p50{op=read}", ">= 10ms"),
	}
}
