package scenarios

import (
	"fmt"

	"brownout/chaos"
	"brownout/results"
)

// What the stack can have. All but elasticache are called so by chaos/stack, too.
const (
	redis       = "redis"
	valkey      = "valkey"
	elasticache = "elasticache" // replicated, and with a password it forbids what ElastiCache forbids
	replicated  = "replicated"
	sentinel    = "sentinel"
	cluster     = "cluster"
	postgres    = "postgres"
	none        = "none"
)

// caches lists what a scenario's cache can be.
func caches() []string {
	return []string{redis, valkey, elasticache, replicated, sentinel, cluster, none}
}

// The sizes of the topologies; see chaos/stack.
const (
	mostReplicas     = 5
	sentinelServers  = 3
	sentinels        = 3
	clusterServers   = 6
	standaloneServer = 1
)

// Topology is the cache as chaos/stack knows it.
func (s Stack) Topology() string {
	if s.Cache == elasticache {
		return replicated
	}
	return s.Cache
}

// Endpoint is the link that events name when something is done to the cache as a
// whole.
func (s Stack) Endpoint() string {
	switch s.Topology() {
	case replicated:
		return results.LinkPrimary
	case sentinel, cluster:
		return results.LinkCache + "-1"
	}
	return results.LinkCache
}

// servers is how many servers of the cache hold data.
func (s Stack) servers() int {
	switch s.Topology() {
	case replicated:
		return 1 + s.Replicas
	case sentinel:
		return sentinelServers
	case cluster:
		return clusterServers
	case none:
		return 0
	}
	return standaloneServer
}

// Links lists the names of the links that the scenario's stack has.
func (s *Scenario) Links() []string {
	var links []string
	switch n := s.Stack.servers(); n {
	case 0:
	case standaloneServer:
		links = append(links, results.LinkCache)
	default:
		links = append(links, numbered(results.LinkCache, n)...)
	}
	switch s.Stack.Topology() {
	case replicated:
		links = append(links, results.LinkPrimary, results.LinkReader)
	case sentinel:
		links = append(links, numbered(sentinel, sentinels)...)
	}
	if s.Stack.Database != none {
		links = append(links, results.LinkDatabase)
	}
	return links
}

func numbered(name string, n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%s-%d", name, i+1))
	}
	return all
}

// protocol is what the link called name speaks.
func (s *Scenario) protocol(name string) string {
	if name == results.LinkDatabase {
		return chaos.ProtocolPostgres
	}
	return chaos.ProtocolRedis
}

// users are those whose connections the stack's links carry.
func (s *Scenario) users() []chaos.Whom {
	users := []chaos.Whom{chaos.Clients}
	if s.Stack.servers() > standaloneServer {
		users = append(users, chaos.Replicas)
	}
	if s.Stack.Topology() == sentinel {
		users = append(users, chaos.Sentinels)
	}
	return users
}

// build reads the stack of a scenario file.
func (raw *stackFile) build(p *problems) Stack {
	s := Stack{
		Cache:    p.word(raw.Cache, redis, caches()...),
		Engine:   p.word(raw.Engine, redis, redis, valkey),
		Database: p.word(raw.Database, postgres, postgres, none),
		Replicas: p.count(raw.Replicas, 1, mostReplicas),
		TLS:      p.yes(raw.TLS), Password: p.yes(raw.Password), ACL: p.yes(raw.ACL),
		DNS: p.yes(raw.DNS),
	}
	if raw.Replicas.given() && s.Topology() != replicated {
		p.add(raw.Replicas.at, "only a replicated cache has replicas to choose; write cache: %s, or leave replicas out", elasticache)
	}
	if raw.Engine.given() && s.servers() <= standaloneServer {
		p.add(raw.Engine.at, "a single server is called by its engine; write cache: %s, and leave engine out", s.Engine)
	}
	if s.ACL && !s.Password {
		p.add(raw.ACL.at, "acl needs password: yes")
	}
	for _, one := range []scalar{raw.TLS, raw.Password, raw.ACL, raw.DNS} {
		if one.given() && s.Cache == none {
			p.add(one.at, "there is no cache that could ask for it; leave it out")
		}
	}
	// The forbidden commands need somebody to forbid them to.
	s.ACL = s.ACL || s.Cache == elasticache && s.Password
	return s
}
