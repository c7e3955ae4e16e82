package failover

import "time"

// Plans that lose writes which were acknowledged, and tell nobody.

// commanded is a failover that an operator orders from a Sentinel.
func commanded() Plan {
	return Plan{
		Name:  "sentinel-failover",
		Doc:   "SENTINEL FAILOVER: the old primary takes writes for about a second after the promotion, and loses them",
		Needs: []string{"sentinel"}, Heals: "switched",
		steps: func(Times) []Step {
			return []Step{
				{At: 0, Name: "order", Text: "SENTINEL FAILOVER is ordered while {old} is primary", Do: do(Sentinels.Order)},
				{At: 0, Name: "promoted", Text: "{new} is primary after {after}; {old} goes on taking writes", Do: do(Sentinels.Promoted), Outcome: true},
				{At: 0, Name: "switched", Text: "the Sentinels name {new} after {after} (+switch-master)", Do: do(Sentinels.Switched), Outcome: true},
				{At: 0, Name: "demoted", Text: "{old} is a replica after {after}: what it took since the promotion is lost", Do: do(Sentinels.Demoted), Outcome: true},
			}
		},
	}
}

// undemoted is a failover in which nobody tells the old primary.
func undemoted() Plan {
	return Plan{
		Name:  "undemoted",
		Doc:   "the name moves while the old primary goes on alone: connections stay there, and what they write is lost",
		Needs: replicated(), Heals: "delete",
		Parameters: []Parameter{
			{"moved", 36 * time.Second, "the name leads to the new primary; nothing is closed", autoFailover + ", and " + n8n + ": promoted after 12 s, moved after 48 s; that the old one lives on is " + assumed},
			{"deleted", 96 * time.Second, "the old primary is deleted, with what it took; connections are closed", assumed},
		},
		steps: func(at Times) []Step {
			return []Step{
				{At: 0, Name: "promote", Text: "Failover from primary node {old} to replica node {new} completed; {old} goes on as a primary", Do: do(Endpoints.Promote)},
				{At: at["moved"], Name: "move", Text: "the primary endpoint leads to {new}; connections to {old} stay", Do: do(Endpoints.Move)},
				{At: at["deleted"], Name: "delete", Text: "{old} is deleted, with what was written to it", Do: do(Endpoints.Delete)},
			}
		},
	}
}
