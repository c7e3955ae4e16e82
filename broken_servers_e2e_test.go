package main

// brokenForServers are broken targets that the scenarios with faults on servers,
// and not on links, find.
func brokenForServers() []brokenTarget {
	seed := []string{"server.profile=seed"}
	return []brokenTarget{
		{
			name: "an entry that could not be deleted is believed when Redis is back", scenario: "cache-restart",
			set:     []string{"server.cache_retry_invalidation=false", "server.cache_check_revision=false"},
			shorter: append([]string{"phases.outage.for=2s", "phases.recovery.for=2500ms"}, warm[1], warm[2]),
			missed:  []string{"run lost_writes", "run staleness"},
		},
		{
			name: "what is not in the cache any more is taken for deleted", scenario: "cache-restarts-empty",
			set:     []string{"server.defect=vanishing-flags"},
			shorter: []string{brief[0], brief[1], "phases.first.for=1s", "phases.second.for=1s"},
			missed:  []string{"first errors", "run wrong_answers"},
		},
		{
			name: "everybody who misses asks the database", scenario: "cache-flush",
			set:     []string{"server.cache_coalesce=false"},
			shorter: append([]string{"phases.flush.for=2s"}, brief...),
			missed:  []string{"flush database_queries"},
		},
		{
			name: "what Redis has lost is left to readers", scenario: "cache-warming",
			set:    []string{"server.cache_warm_after_loss=false"},
			missed: []string{"warm cache_hits"},
		},
		{
			name: "the client waits until Redis answers", scenario: "cache-hang",
			set: seed, shorter: append([]string{"phases.outage.for=3500ms"}, brief...),
			missed: []string{"outage p99"},
		},
		{
			name: "a query may take 4 s", scenario: "database-hang",
			set: []string{"server.database_timeout=4s"}, shorter: append([]string{"phases.outage.for=2500ms"}, warm...),
			missed: []string{"outage max"},
		},
		{
			name: "a database that failed once is not asked any more", scenario: "database-restart",
			set: []string{"server.defect=database-given-up"}, shorter: append([]string{"phases.restart.for=4s"}, warm...),
			missed: []string{"restart recovers_within"},
		},
	}
}

// brokenForFailovers are the broken targets of the scenarios in which a cache fails
// over, and of those about starting and instances.
func brokenForFailovers() []brokenTarget {
	short := append([]string{"phases.recovery.for=6s"}, brief[0], brief[1])
	return []brokenTarget{
		{
			name: "a dial of the old address may take 2 s, and is tried again", scenario: "elasticache-test-failover",
			set: seed, shorter: short, missed: []string{"failover p99"},
		},
		{
			name: "a dial of an address that is no longer the name's may take 2 s", scenario: "elasticache-dns",
			set: seed, shorter: short, missed: []string{"failover p99"},
		},
		{
			name: "a command may take 6 s", scenario: "elasticache-unplanned",
			set: seed, shorter: short, missed: []string{"failover p99"},
		},
		{
			name: "the client gives up 20 s after the name moved", scenario: "elasticache-test-failover-unscaled",
			set: seed, shorter: append([]string{"phases.failover.failover.scale=0.1", "phases.failover.for=5s"}, short...),
			missed: []string{"failover p99"},
		},
		{
			name: "the client tries until a replica takes writes", scenario: "elasticache-planned",
			set: seed, shorter: []string{brief[0], brief[1]}, missed: []string{"readonly p99"},
		},
		{
			name: "the client tries a dead primary again and again", scenario: "sentinel-failover",
			set: seed, shorter: []string{brief[0], brief[1], "phases.recovery.for=300ms"}, missed: []string{"outage p99"},
		},
		{
			name: "the client tries the dead primary of a shard again and again", scenario: "cluster-failover",
			set: seed, shorter: []string{brief[0], brief[1], "phases.recovery.for=300ms"}, missed: []string{"outage p99"},
		},
		{
			name: "a command that met a closed connection is tried again after a second", scenario: "tls-pool-closed",
			set: append([]string{"server.cache_min_backoff=1s"}, seed...), shorter: brief[:2], missed: []string{"closed max"},
		},
		{
			name: "a dial of a shard's lost host may take 2 s, and is tried again", scenario: "elasticache-shard",
			set: seed, shorter: append([]string{"phases.replaced.for=5s", "phases.second-wave.for=5s"}, brief[:2]...), missed: []string{"lost p99"},
		},
		{
			name: "an entry whose deletion was lost is believed", scenario: "failover-lost-writes",
			set:    []string{"server.cache_check_revision=false"},
			missed: []string{"run staleness"},
		},
		{
			name: "the client keeps the old password", scenario: "auth-rotation",
			set: []string{"server.redis_password_file="}, shorter: append([]string{"phases.rotation.for=1500ms", "phases.renewed.for=3s"}, brief[:2]...),
			missed: []string{"renewed cache_hits"},
		},
		{
			name: "the first requests wait for a Redis that is not there", scenario: "cold-start",
			set: seed, shorter: []string{"phases.recovery.for=300ms"}, missed: []string{"start p99"},
		},
		{
			name: "what could not be deleted is forgotten, and believed", scenario: "two-instances",
			set:     []string{"server.cache_retry_invalidation=false", "server.cache_check_revision=false"},
			shorter: []string{brief[0], brief[1], "load.reads=99%", "load.writes=1%", "data.environments=8"},
			missed:  []string{"run staleness"},
		},
		{
			name: "each of two instances remembers what it read", scenario: "linearizable",
			set:     []string{"server.cache=memory", "instances=2"},
			shorter: []string{brief[0], "phases.slow.for=1s", "phases.restart.for=1s", "phases.recovery.for=300ms"},
			missed:  []string{"run nonlinearizable_keys"},
		},
		{
			name: "without REDIS_URL there is no cache", scenario: "rollback",
			set: []string{"server.cache=none"}, shorter: brief[:1], missed: []string{"steady cache_hits"},
		},
	}
}
