package failover

import "time"

// Where what is told of these plans comes from.
const (
	fis    = "AWS FIS, aws:elasticache:replicationgroup-interrupt-az-power: replacements are blocked for its duration; PT10M in github.com/aws-samples/fis-template-library"
	hidden = "assumed: AWS publishes nothing that clients see of it"
)

// azPower is the loss of power in the availability zone of the primary.
func azPower() Plan {
	return Plan{
		Name:  "az-power",
		Doc:   "the primary's zone loses its power: unplanned, and no replacement before the power is back (what clients see is assumed)",
		Needs: replicated(), Heals: "move",
		Parameters: []Parameter{
			{"promoted", 12 * time.Second, "the replica that is least behind is the primary", autoFailover + "; the detection before it is " + assumed},
			{"moved", 48 * time.Second, "the name leads to the new primary", n8n + " (stale for 48 s; that it is the same here is assumed)"},
			{"restored", 600 * time.Second, "the power is back: an empty replica takes the old one's place, and loads", fis},
			{"loaded", 615 * time.Second, "the replacement has loaded", assumed},
		},
		steps: func(at Times) []Step {
			return []Step{
				{At: 0, Name: "vanish", Text: "the zone of {old} has no power", Do: do(Endpoints.Vanish)},
				{At: at["promoted"], Name: "promote", Text: "Failover from primary node {old} to replica node {new} completed", Do: do(Endpoints.Promote)},
				{At: at["moved"], Name: "move", Text: "the primary endpoint leads to {new}", Do: do(Endpoints.Move)},
				{At: at["restored"], Name: "replace", Text: "Recovering cache nodes {old}", Do: do(replace)},
				{At: at["loaded"], Name: "loaded", Text: "Finished recovery for cache nodes {old}", Do: do(Endpoints.Loaded)},
			}
		},
	}
}

// serverless is what a proxy lets through of a failover behind it.
func serverless() Plan {
	return Plan{
		Name:  "serverless",
		Doc:   "assumed: behind the proxy of ElastiCache Serverless, answers are slow for a moment and a few connections are closed",
		Needs: []string{"redis", "valkey"}, Heals: "quick",
		Parameters: []Parameter{
			{"cut", 500 * time.Millisecond, "a few connections are closed", hidden},
			{"quick", 2 * time.Second, "answers come as before", hidden},
		},
		steps: func(at Times) []Step {
			return []Step{
				{At: 0, Name: "slow", Text: "the proxy answers slowly", Do: do(Proxy.Slow)},
				{At: at["cut"], Name: "cut", Text: "the proxy has closed a few connections", Do: do(Proxy.Cut)},
				{At: at["quick"], Name: "quick", Text: "the proxy answers as before", Do: do(Proxy.Quick)},
			}
		},
	}
}
