package stack

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"brownout/chaos/stack/admin"
)

// shards is how many primaries a Cluster has.
const shards = 3

// slotCount is the number of slots of every cluster.
const slotCount = 16384

// keepBus keeps a port for the cluster bus.
func (n *Node) keepBus(c Config) error {
	if c.Cache != Cluster {
		return nil
	}
	bus, err := keepPort()
	if err == nil {
		n.ports = append(n.ports, bus)
	}
	return err
}

// bus is the port of the node's cluster bus.
func (n *Node) bus() string {
	_, port := splitAddr(n.ports[1].addr())
	return port
}

// clusterLines are the settings of a node of a cluster. The others find it at its
// link, but its bus at its own port: gates are for clients and replicas. As a node
// announces one address for both, it listens at that of the link, too.
func clusterLines(c Config, n *Node) []string {
	host, port := splitAddr(n.Link)
	lines := []string{
		"cluster-enabled yes", "cluster-config-file " + redisNodes,
		"cluster-node-timeout " + milliseconds(c.ClusterNodeTimeout),
		"cluster-port " + n.bus(), "cluster-announce-bus-port " + n.bus(), "cluster-announce-ip " + host,
	}
	if c.TLS != nil {
		lines = append(lines, "cluster-announce-tls-port "+port)
	} else {
		lines = append(lines, "cluster-announce-port "+port)
	}
	if own, _ := splitAddr(n.Addr); host != own {
		lines = append(lines, "bind "+own+" "+host)
	}
	return lines
}

// startCluster makes a cluster of nodes that answer: the first shards get the
// slots, and each of the others follows one of them.
func (s *Stack) startCluster(ctx context.Context) error {
	nodes := s.Servers()
	primaries, replicas := nodes[:shards], nodes[shards:]
	if err := assign(ctx, nodes, primaries); err != nil {
		return err
	}
	if err := introduce(ctx, nodes); err != nil {
		return err
	}
	for i, n := range replicas {
		if err := s.replicate(ctx, n, primaries[i%shards]); err != nil {
			return err
		}
	}
	if err := s.startStreams(ctx, primaries); err != nil {
		return err
	}
	return s.awaitAll(ctx, nodes, s.whole)
}

// assign gives each node an epoch of its own, so that none has to be agreed on,
// and each primary its slots.
func assign(ctx context.Context, nodes, primaries []*Node) error {
	for i, n := range nodes {
		if _, err := n.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)); err != nil {
			return err
		}
	}
	for i, n := range primaries {
		from, to := slotCount*i/len(primaries), slotCount*(i+1)/len(primaries)-1
		if _, err := n.Do(ctx, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(from), strconv.Itoa(to)); err != nil {
			return err
		}
	}
	return nil
}

// introduce tells each node of all others. One would do, but gossip is slower.
func introduce(ctx context.Context, nodes []*Node) error {
	for i, n := range nodes {
		for _, other := range nodes[i+1:] {
			host, port := splitAddr(other.Link)
			if _, err := n.Do(ctx, "CLUSTER", "MEET", host, port, other.bus()); err != nil {
				return err
			}
		}
	}
	return nil
}

// replicate makes n follow primary as soon as it knows it.
func (s *Stack) replicate(ctx context.Context, n, primary *Node) error {
	id, err := primary.Do(ctx, "CLUSTER", "MYID")
	if err != nil {
		return err
	}
	return s.awaitAll(ctx, []*Node{n, primary}, func(ctx context.Context) error {
		_, err := n.Do(ctx, "CLUSTER", "REPLICATE", id.Text)
		return err
	})
}

// whole is nil when all nodes see a cluster that serves all its slots, with all
// nodes where they belong.
func (s *Stack) whole(ctx context.Context) error {
	nodes := s.Servers()
	if err := s.inSync(ctx, shards); err != nil {
		return err
	}
	var links []string
	for _, n := range nodes {
		links = append(links, n.Link)
	}
	slices.Sort(links)
	for _, n := range nodes {
		if err := n.seesWhole(ctx, links); err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
	}
	return nil
}

// seesWhole is nil when the node sees a cluster of exactly links that serves all
// its slots.
func (n *Node) seesWhole(ctx context.Context, links []string) error {
	info, err := n.admin.ClusterInfo(ctx)
	if err != nil {
		return err
	}
	if state, known := info["cluster_state"], info["cluster_known_nodes"]; state != "ok" || known != strconv.Itoa(len(links)) {
		return fmt.Errorf("it sees a cluster of %s nodes in state %q", known, state)
	}
	all, err := n.admin.Slots(ctx)
	if err != nil {
		return err
	}
	return lists(all, links)
}

// lists is nil when CLUSTER SLOTS tells of all slots, and of exactly links.
func lists(all []admin.Slots, links []string) error {
	var listed []string
	served := 0
	for _, slots := range all {
		served += slots.To - slots.From + 1
		listed = append(append(listed, slots.Primary), slots.Replicas...)
	}
	slices.Sort(listed)
	if listed = slices.Compact(listed); served != slotCount || !slices.Equal(listed, links) {
		return fmt.Errorf("it lists %v for %d slots, want %v for %d", listed, served, links, slotCount)
	}
	return nil
}
