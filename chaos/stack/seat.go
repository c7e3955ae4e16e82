package stack

import (
	"strconv"

	"brownout/results"
)

// A seat is a place for a node.
type seat struct {
	name, source string
	role         Role
}

// seats are the places in the topology of the cache.
func seats(c Config) []seat {
	switch c.Cache {
	case Replicated:
		return serverSeats(1, c.Replicas)
	case Sentinel:
		return append(serverSeats(1, sentinelReplicas), sentinelSeats()...)
	case Cluster:
		return serverSeats(shards, shards)
	}
	return []seat{{name: results.LinkCache, role: RolePrimary}}
}

func serverSeats(primaries, replicas int) []seat {
	var all []seat
	for i := range primaries + replicas {
		role := RolePrimary
		if i >= primaries {
			role = RoleReplica
		}
		all = append(all, newSeat(results.LinkCache, "127.0.1.", i, role))
	}
	return all
}

func sentinelSeats() []seat {
	var all []seat
	for i := range sentinels {
		all = append(all, newSeat("sentinel", "127.0.2.", i, RoleSentinel))
	}
	return all
}

func newSeat(name, net string, i int, role Role) seat {
	number := strconv.Itoa(i + 1)
	return seat{name: name + "-" + number, source: net + number, role: role}
}
