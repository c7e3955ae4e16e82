package failover

import "time"

const lettuce = "github.com/lettuce-io/lettuce-core issue 1349, cluster mode (\"timeouts fade within 1 min and reappear after 5 min, for another 5 to 6 min\")"

// lostShard is the loss of the host that a shard's primary runs on.
func lostShard() Plan {
	return Plan{
		Name:  "shard",
		Doc:   "cluster: a shard's primary dies as a host does; the others elect its replica, a replacement loads, and is gone once more",
		Needs: []string{"cluster"}, Heals: "elected",
		Parameters: []Parameter{
			{"replaced", 60 * time.Second, "an empty replica takes the old one's place, and loads; not before the election", assumed},
			{"loaded", 75 * time.Second, "the replacement has loaded", assumed},
			{"left", 300 * time.Second, "the replacement is gone as a host is: a second wave of timeouts", lettuce},
			{"returned", 630 * time.Second, "it is back", lettuce},
		},
		steps: func(at Times) []Step {
			return []Step{
				{At: 0, Name: "vanish", Text: "the host of {old}, primary of a shard, is gone", Do: do(Shard.Vanish)},
				{At: 0, Name: "elected", Text: "{new} is primary of the shard, {after} after its host began to go", Do: do(Shard.Elected), Outcome: true},
				{At: at["replaced"], Name: "replace", Text: "Recovering cache nodes {old}", Do: do(replace)},
				{At: at["loaded"], Name: "loaded", Text: "Finished recovery for cache nodes {old}", Do: do(Shard.Loaded)},
				{At: at["left"], Name: "leave", Text: "{old} is gone again", Do: do(Shard.Leave)},
				{At: at["returned"], Name: "return", Text: "{old} is back", Do: do(Shard.Return)},
			}
		},
	}
}
