package judge

// dependencyKinds are what the links saw, without help from the target.
func dependencyKinds() []Kind {
	kinds := []Kind{
		{Name: "connects_peak", Unit: PerSecond, Comparison: "<=", measure: connectsPeak,
			Doc: "the most connection attempts on the link in braces in any one second of the phase"},
		{Name: "backoff_base", Unit: Seconds, Comparison: ">=", measure: backoffBase,
			Doc: "the pause that the longest row of unanswered connection attempts on the link in braces begins with, by the fit; 0 of a tight loop"},
		{Name: "backoff_factor", Unit: Ratio, Comparison: ">=", measure: backoffFactor,
			Doc: "what a pause in that row is multiplied by to give the next, until the cap, by the fit; 1 of a fixed interval and of a tight loop"},
		{Name: "backoff_cap", Unit: Seconds, Comparison: "<=", measure: backoffCap,
			Doc: "the longest pause in that row"},
		{Name: "backoff_jitter", Unit: Share, Comparison: ">=", measure: backoffJitter,
			Doc: "the standard deviation of the pauses in that row about the fit, or of those at the cap if they are enough, as a share of it: 58% of pauses drawn from nothing to all, 19% from half to all, 0 of a tight loop; above 85% they follow no rule and are not judged"},
		{Name: "reconnect_synchrony", Unit: Share, Comparison: "<=", measure: synchrony,
			Doc: "the largest share of the connection attempts on the link in braces since the end of the last fault that came within 100 ms"},
		{Name: "commands_per_request", Unit: Ratio, Comparison: "<=", measure: commandsPerRequest,
			Doc: "commands and queries that reached the dependency behind the link in braces, or were answered in its name, for each request due"},
		{Name: "bytes_per_hit", Unit: Bytes, Comparison: "<=", measure: bytesPerHit,
			Doc: "bytes of these commands and queries and of their replies for each request due"},
		{Name: "probe_rate", Unit: PerSecond, Comparison: "<=", Needs: []Need{NeedSource}, measure: probeRate,
			Doc: "connection attempts, or commands if these are more, on the link in braces per second while it serves nobody; not judged when the cache answered a read of the phase"},
	}
	for i := range kinds {
		kinds[i].Scope, kinds[i].Labels, kinds[i].Required = Phase, []string{"link"}, true
	}
	return append(kinds,
		Kind{Name: "queries_per_request", Unit: Ratio, Scope: Phase, Comparison: "<=", measure: queriesPerRequest,
			Doc: "statements that reached the database, BEGIN and COMMIT among them, for each request due"},
		Kind{Name: "stampede", Unit: Count, Scope: Phase, Comparison: "<=", measure: stampede,
			Doc: "the most SELECTs of one statement that were under way in the database at one moment; with single-flight no more than environments (times instances), whose parameters are left out of the statement"},
	)
}
