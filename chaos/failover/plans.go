package failover

import (
	"slices"
	"time"
)

// Where the figures come from.
const (
	autoFailover = "AWS, ElastiCache: Minimizing downtime with Multi-AZ (\"typically just a few seconds\")"
	n8n          = "github.com/n8n-io/terraform-aws-n8n, README: What this actually buys you, measured"
	redisson     = "github.com/redisson/redisson issue 4893, a planned node replacement in its times"
	assumed      = "assumed: no figure was found"
)

// Plans lists the plans.
func Plans() []Plan {
	return []Plan{
		unplanned(), testFailover(), planned(closing), planned(keeping), undemoted(), azPower(),
		commanded(), lostShard(), authRotation(), serverless(),
	}
}

// Find returns the plan called name.
func Find(name string) (Plan, bool) {
	all := Plans()
	i := slices.IndexFunc(all, func(p Plan) bool { return p.Name == name })
	if i < 0 {
		return Plan{}, false
	}
	return all[i], true
}

// Names lists the names of the plans.
func Names() []string {
	var names []string
	for _, p := range Plans() {
		names = append(names, p.Name)
	}
	return names
}

// replicated is what plans with a name that moves need.
func replicated() []string { return []string{"replicated"} }

// unplanned is the loss of a primary's host.
func unplanned() Plan {
	return Plan{
		Name:  "unplanned",
		Doc:   "the primary dies as a host does; a replica is promoted, the name follows, a replacement loads",
		Needs: replicated(), Heals: "move",
		Parameters: []Parameter{
			{"promoted", 12 * time.Second, "the replica that is least behind is the primary", autoFailover + "; the detection before it is " + assumed},
			{"moved", 48 * time.Second, "the name leads to the new primary", n8n + " (stale for 48 s)"},
			{"replaced", 60 * time.Second, "an empty replica takes the old one's place, and loads", assumed},
			{"loaded", 75 * time.Second, "the replacement has loaded", assumed},
		},
		steps: func(at Times) []Step {
			return []Step{
				{At: 0, Name: "vanish", Text: "the primary's host is gone", Do: do(Endpoints.Vanish)},
				{At: at["promoted"], Name: "promote", Text: "Failover from primary node {old} to replica node {new} completed", Do: do(Endpoints.Promote)},
				{At: at["moved"], Name: "move", Text: "the primary endpoint leads to {new}", Do: do(Endpoints.Move)},
				{At: at["replaced"], Name: "replace", Text: "Recovering cache nodes {old}", Do: do(replace)},
				{At: at["loaded"], Name: "loaded", Text: "Finished recovery for cache nodes {old}", Do: do(Endpoints.Loaded)},
			}
		},
	}
}

// testFailover is the API call TestFailover.
func testFailover() Plan {
	return Plan{
		Name:  "test-failover",
		Doc:   "the API call: sockets are closed, dials of the old address hang until the name moves",
		Needs: replicated(), Heals: "move",
		Parameters: []Parameter{
			{"promoted", 20 * time.Second, "writes are taken again, by the new primary", n8n + " (20 s and 22 s)"},
			{"moved", 48 * time.Second, "the name leads to the new primary", n8n + " (48 s)"},
			{"replaced", 60 * time.Second, "the old node is recovered as a replica, and loads", assumed},
			{"loaded", 75 * time.Second, "it has loaded", assumed},
		},
		steps: func(at Times) []Step {
			return []Step{
				{At: 0, Name: "hang-up", Text: "Test Failover API called for node group 0001", Do: do(Endpoints.HangUp)},
				{At: at["promoted"], Name: "promote", Text: "Failover from primary node {old} to replica node {new} completed", Do: do(Endpoints.Promote)},
				{At: at["moved"], Name: "move", Text: "the primary endpoint leads to {new}", Do: do(Endpoints.Move)},
				{At: at["replaced"], Name: "replace", Text: "Recovering cache nodes {old}", Do: do(replace)},
				{At: at["loaded"], Name: "loaded", Text: "Finished recovery for cache nodes {old}", Do: do(Endpoints.Loaded)},
			}
		},
	}
}

// What a demoted primary does with connections that write.
const (
	closing = true  // close-on-replica-write yes, the default (AWS, ElastiCache: Redis OSS specific parameters)
	keeping = false // no, or a proxy or script between
)

// planned is the replacement of nodes for maintenance, scaling or an upgrade.
func planned(closes bool) Plan {
	name, doc := "planned", "a node is replaced: the old primary lives on as a replica, answers writes READONLY and closes, until it is deleted"
	if !closes {
		name, doc = "planned-keep", "the same with close-on-replica-write off: connections are kept"
	}
	return Plan{
		Name: name, Doc: doc,
		Needs: replicated(), Heals: "move",
		Parameters: []Parameter{
			{"moved", 121 * time.Second, "the name leads to the new primary", redisson + " (promoted 03:01:03, DNS 03:03:04)"},
			{"deleted", 455 * time.Second, "the old node is deleted: a second wave of errors", redisson + " (deleted 03:08:38)"},
		},
		steps: func(at Times) []Step {
			steps := []Step{
				{At: 0, Name: "promote", Text: "Failover from primary node {old} to replica node {new} completed", Do: do(Endpoints.Promote)},
				{At: 0, Name: "demote", Text: "{old} is a replica and refuses writes", Do: do(Endpoints.Demote)},
			}
			if closes {
				steps = append(steps, Step{At: 0, Name: "close-on-write", Text: "{old} closes connections that write (close-on-replica-write)", Do: do(Endpoints.CloseOnWrite)})
			}
			return append(steps, []Step{
				{At: at["moved"], Name: "move", Text: "the primary endpoint leads to {new}", Do: do(Endpoints.Move)},
				{At: at["deleted"], Name: "delete", Text: "{old} is deleted", Do: do(Endpoints.Delete)},
			}...)
		},
	}
}
