package stack

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// SentinelPrimary is the name under which Sentinels watch the primary.
const SentinelPrimary = "mymaster"

// The size of the topology Sentinel.
const (
	sentinels        = 3
	quorum           = 2
	sentinelReplicas = 2
)

const sentinelConf = "sentinel.conf"

// SentinelSettings say how quick the Sentinels are. The names of the settings are
// those of sentinel.conf, and of SENTINEL DEBUG for the periods.
type SentinelSettings struct {
	DownAfter       time.Duration // down-after-milliseconds: default 1s (the server's own is 30s)
	FailoverTimeout time.Duration // failover-timeout: default 10s (the server's own is 3m)
	ParallelSyncs   int           // parallel-syncs: default 1, as the server's own

	// InfoPeriod is how often they ask servers for INFO (info-period), PublishPeriod
	// how often they greet each other (publish-period). A primary that comes back
	// after a failover is made a replica after four PublishPeriods, when the next INFO
	// tells that it thinks otherwise. Default: the server's own, 10s and 2s.
	InfoPeriod, PublishPeriod time.Duration
}

func (s SentinelSettings) withDefaults() SentinelSettings {
	set := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	set(&s.DownAfter, time.Second)
	set(&s.FailoverTimeout, 10*time.Second)
	set(&s.InfoPeriod, 10*time.Second)
	set(&s.PublishPeriod, 2*time.Second)
	if s.ParallelSyncs == 0 {
		s.ParallelSyncs = 1
	}
	return s
}

// sentinelLines are the settings of a Sentinel that watches the server at primary.
func sentinelLines(c Config, n *Node, primary string) []string {
	host, port := splitAddr(n.Link)
	primaryHost, primaryPort := splitAddr(primary)
	lines := append(listenLines(c, n),
		"sentinel announce-ip "+host, "sentinel announce-port "+port,
		fmt.Sprintf("sentinel monitor %s %s %s %d", SentinelPrimary, primaryHost, primaryPort, quorum))
	add := func(name, value string) {
		lines = append(lines, "sentinel "+name+" "+SentinelPrimary+" "+value)
	}
	add("down-after-milliseconds", milliseconds(c.Sentinels.DownAfter))
	add("failover-timeout", milliseconds(c.Sentinels.FailoverTimeout))
	add("parallel-syncs", strconv.Itoa(c.Sentinels.ParallelSyncs))
	if c.Password != "" {
		add("auth-user", adminUser)
		add("auth-pass", c.secret)
	}
	return lines
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// A sentinelServer runs a Sentinel, a mode of the same program.
type sentinelServer struct{ *redisServer }

func (s *sentinelServer) spawn(ctx context.Context) (*Process, error) {
	return s.run(ctx, sentinelConf, "--sentinel")
}

// ask also sets the periods, which stand in no file.
func (s *sentinelServer) ask(ctx context.Context, n *Node) (identity, error) {
	id, err := s.redisServer.ask(ctx, n)
	if err == nil {
		err = setPeriods(ctx, n, s.config.Sentinels)
	}
	return id, err
}

// save does nothing: a Sentinel writes down what it learns at once.
func (s *sentinelServer) save(context.Context, *Node) error { return nil }

// erase makes the Sentinel forget all but the primary of the beginning.
func (s *sentinelServer) erase() error { return s.configure(sentinelConf) }

func setPeriods(ctx context.Context, n *Node, settings SentinelSettings) error {
	_, err := n.Do(ctx, "SENTINEL", "DEBUG",
		"INFO-PERIOD", milliseconds(settings.InfoPeriod),
		"PUBLISH-PERIOD", milliseconds(settings.PublishPeriod))
	if err != nil {
		return fmt.Errorf("setting the periods of %s: %w", n.Name, err)
	}
	return nil
}

// greetPeriod is the PublishPeriod of Sentinels that have yet to find each other.
const greetPeriod = 50 * time.Millisecond

// startSentinels starts the Sentinels when the replicas are in sync: a Sentinel
// learns of replicas when it asks the primary, at the beginning and then every
// InfoPeriod. It returns when every one of them could do a failover: one that does
// not know a replica aborts with "no good slave".
func (s *Stack) startSentinels(ctx context.Context) error {
	if err := s.startStreams(ctx, s.Servers()[:1]); err != nil {
		return err
	}
	all := s.Sentinels()
	settings := all[0].program.(*sentinelServer).config.Sentinels
	if err := startAll(ctx, all); err != nil {
		return err
	}
	hurried := settings
	hurried.PublishPeriod = min(greetPeriod, settings.PublishPeriod)
	if err := setAllPeriods(ctx, all, hurried); err != nil {
		return err
	}
	if err := s.awaitAll(ctx, s.Nodes, s.watched); err != nil {
		return err
	}
	return setAllPeriods(ctx, all, settings)
}

func setAllPeriods(ctx context.Context, nodes []*Node, settings SentinelSettings) error {
	for _, n := range nodes {
		if err := setPeriods(ctx, n, settings); err != nil {
			return err
		}
	}
	return nil
}
