package stack

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"time"

	"brownout/chaos/ca"
	"brownout/results"
)

// The topologies of the cache, beside Redis and Valkey, which are one server that
// stands alone.
const (
	Replicated = "replicated" // a primary and its replicas
	Sentinel   = "sentinel"   // a primary, two replicas and three Sentinels with a quorum of two
	Cluster    = "cluster"    // three primaries with a third of the slots each, and a replica for each
)

// Config says what Start is to start.
type Config struct {
	Cache       string // Redis, Valkey, Replicated, Sentinel, Cluster or None; default None
	Engine      string // Redis or Valkey: what a topology of several servers runs; default Redis
	Replicas    int    // of Replicated, 1 to 5; default 1
	Database    string // Postgres or None; default None
	CacheURL    string // redis:// or rediss://: use this server instead of starting one
	DatabaseURL string // postgres://: use this server instead of starting one
	// Provider is where servers come from that no URL names: Local or Docker. Default:
	// $BROWNOUT_PROVIDER, or a binary of this machine and, where there is none, a
	// container.
	Provider string

	// Link returns the address under which all others are to find a node, an IP
	// address and a port; usually that of a gate, which it opens in front of n.Addr.
	// It is called for one node after the other, before any of them is started; the
	// version and URL of the node are not known yet, nor what an external server is.
	// Default: the node's own address.
	Link func(ctx context.Context, n *Node) (addr string, err error)

	// TLS makes local servers listen with TLS only, with certificates that it signs:
	// clients, replicas, Sentinels and the cluster bus. A link must then end TLS on
	// both sides (see Node.TLS). Default: plain TCP.
	TLS *ca.Authority
	// Password is asked from clients of a local cache, as an ElastiCache AUTH token
	// is: printable ASCII without quotes and backslashes. Sentinels ask for none.
	// Default: none is needed.
	Password string
	// ACL gives clients of a local cache the user AppUser, who may do what a client
	// of ElastiCache may do; so may they who give only the password. It needs a
	// Password. Default: clients may do everything.
	ACL bool

	Sentinels          SentinelSettings  // of Sentinel
	ClusterNodeTimeout time.Duration     // of Cluster: cluster-node-timeout; default 2s (the server's own is 15s)
	Settings           map[string]string // lines of the cache servers' configuration file, before ours: "maxmemory": "10mb"

	// Dir is the folder in which the run folder is made. As root it must be one that
	// everybody may enter, because PostgreSQL refuses to run as root. Default:
	// $TMPDIR, or /tmp or /var/tmp if that cannot be entered. Sweep looks at the
	// default places only, unless it is told of this one.
	Dir string
	// Logs is the folder that keeps the servers' logs. Default: the run folder, so
	// they go with it.
	Logs string

	Spawner *Spawner            // default: one of the stack's own
	Base    time.Time           // start of the run's clock; default: now
	Record  func(results.Event) // called concurrently; default: drop

	secret string // the password of adminUser
}

// mostReplicas is what ElastiCache allows, too.
const mostReplicas = 5

// complete checks c and fills in the defaults.
func (c *Config) complete() error {
	for _, setting := range []struct {
		name    string
		value   *string
		def     string
		choices []string
	}{
		{"cache", &c.Cache, None, []string{Redis, Valkey, Replicated, Sentinel, Cluster, None}},
		{"engine", &c.Engine, Redis, []string{Redis, Valkey}},
		{"database", &c.Database, None, []string{Postgres, None}},
	} {
		if err := choose(setting.name, setting.value, setting.def, setting.choices); err != nil {
			return err
		}
	}
	if c.Provider == "" {
		c.Provider = os.Getenv("BROWNOUT_PROVIDER")
	}
	if c.Provider != "" && c.Provider != Local && c.Provider != Docker {
		return fmt.Errorf("provider: unknown %q; there are local, docker (and URLs of running servers)", c.Provider)
	}
	if c.Cache == Redis || c.Cache == Valkey {
		c.Engine = c.Cache
	}
	c.fillIn()
	return c.check()
}

func choose(name string, value *string, def string, choices []string) error {
	if *value == "" {
		*value = def
	}
	for _, choice := range choices {
		if *value == choice {
			return nil
		}
	}
	return fmt.Errorf("%s: unknown %q; there are %s", name, *value, strings.Join(choices, ", "))
}

func (c *Config) fillIn() {
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.ClusterNodeTimeout == 0 {
		c.ClusterNodeTimeout = 2 * time.Second
	}
	c.secret = rand.Text()
	c.Sentinels = c.Sentinels.withDefaults()
	if c.Link == nil {
		c.Link = func(_ context.Context, n *Node) (string, error) { return n.Addr, nil }
	}
	if c.Base.IsZero() {
		c.Base = time.Now()
	}
	if c.Record == nil {
		c.Record = func(results.Event) {}
	}
}

// check looks for what cannot be.
func (c *Config) check() error {
	switch {
	case c.Replicas < 0 || c.Replicas > mostReplicas:
		return fmt.Errorf("replicas: %d; want 1 to %d", c.Replicas, mostReplicas)
	case c.several() && c.CacheURL != "":
		return fmt.Errorf("cache: a topology of several servers (%s) cannot be one external server", c.Cache)
	case c.ACL && c.Password == "":
		return fmt.Errorf("acl: it needs a password")
	case strings.IndexFunc(c.Password, unfit) >= 0:
		return fmt.Errorf("password: want printable ASCII without blanks, quotes and backslashes")
	}
	return nil
}

// unfit reports whether r cannot stand in a password, because configuration files
// would need it quoted.
func unfit(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"'\`, r) }

// several reports whether the cache is more than one server.
func (c *Config) several() bool {
	return c.Cache == Replicated || c.Cache == Sentinel || c.Cache == Cluster
}
