package run

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"brownout/chaos/ca"
	"brownout/chaos/lab"
	"brownout/chaos/stack"
)

// How long the bench may take to come down.
const (
	closeTimeout    = 5 * time.Second
	targetGrace     = 12 * time.Second       // for a target to end its requests in flight
	interruptedStop = 300 * time.Millisecond // the same, when somebody waits at Ctrl-C
)

// A bench is everything that a run has brought up: the lab and the target.
type bench struct {
	spawner *stack.Spawner
	lab     *lab.Lab
	leave   func(context.Context) error // the lab; nil: there is none
	proxies map[string]*proxied         // by the names of their links
	secret  string                      // of the cache's clients
	cold    *holding                    // the first phase's faults; nil: they come with the phase

	mu      sync.Mutex
	targets []*target // the instances
}

// open brings up stack, links and target, in this order. The bench is returned
// also with an error, and is then to be closed as well.
func (r *runner) open(ctx context.Context) (*bench, error) {
	if _, err := stack.Sweep(ctx); err != nil {
		r.Log.Warn("sweeping what killed runs left", "error", err)
	}
	b := &bench{spawner: stack.NewSpawner()}
	if err := r.openLab(ctx, b); err != nil {
		return b, err
	}
	var err error
	if b.proxies, err = r.proxies(b.lab); err != nil {
		return b, err
	}
	if err := r.startTargets(ctx, b); err != nil {
		return b, err
	}
	r.describe(b)
	return b, nil
}

// openLab opens a lab, or listens to the one that there is.
func (r *runner) openLab(ctx context.Context, b *bench) error {
	if r.Lab != nil {
		closing, err := r.Lab.Listen(lab.Tap{Record: r.event, Exchange: r.exchange})
		if err != nil {
			return err
		}
		b.lab, b.secret = r.Lab, r.Lab.Password()
		b.leave = func(context.Context) error { closing(); return nil }
		return nil
	}
	cfg, err := r.labConfig(b.spawner)
	if err != nil {
		return err
	}
	b.secret = cfg.Stack.Password
	b.lab, err = lab.Open(ctx, cfg)
	b.leave = b.lab.Close
	return err
}

func (r *runner) startTargets(ctx context.Context, b *bench) error {
	for range r.Scenario.Instances {
		t, err := r.startTarget(ctx, b)
		if err != nil {
			return fmt.Errorf("starting target %s: %w", r.Target.Name, err)
		}
		b.mu.Lock()
		b.targets = append(b.targets, t)
		b.mu.Unlock()
	}
	return nil
}

// startCold ends the targets, which have been filled, and starts them again under
// the faults of the first phase.
func (r *runner) startCold(ctx context.Context, b *bench) error {
	b.stopTargets(targetGrace)
	b.cold = r.holdCold(ctx, b)
	return r.startTargets(ctx, b)
}

// stopTargets ends the targets. One that is still busy gets grace to end by itself;
// one that must be killed is a fact, which its exit event tells, and no failure of
// the run: all has been recorded.
func (b *bench) stopTargets(grace time.Duration) {
	var stopping sync.WaitGroup
	for _, t := range b.instances() {
		stopping.Go(func() { _ = t.stop(grace) })
	}
	stopping.Wait()
	b.mu.Lock()
	b.targets = nil
	b.mu.Unlock()
}

// instances are the targets that run now.
func (b *bench) instances() []*target {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.targets)
}

// labConfig says what the scenario needs.
func (r *runner) labConfig(spawner *stack.Spawner) (lab.Config, error) {
	s := r.Scenario.Stack
	c := lab.Config{
		Stack: stack.Config{
			Cache: s.Topology(), Engine: s.Engine, Replicas: s.Replicas, ACL: s.ACL, Database: s.Database,
			CacheURL: r.CacheURL, DatabaseURL: r.DatabaseURL,
			Spawner: spawner, Settings: r.cacheSettings(),
		},
		Listen: r.Target.Links, Base: r.base, Record: r.event, Exchange: r.exchange, Seed: r.Seed,
		DNS: s.DNS,
	}
	if s.Password {
		c.Stack.Password = rand.Text()
	}
	var err error
	if s.TLS {
		c.Stack.TLS, err = ca.New()
	}
	return c, err
}

// close takes everything down again: targets, with grace, links, stack.
func (b *bench) close(grace time.Duration) error {
	b.stopTargets(grace)
	if b.cold != nil {
		_ = b.cold.end() // said by the phase, or overtaken by what ended the run before
	}
	for _, p := range b.proxies {
		p.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	var err error
	if b.leave != nil {
		err = b.leave(ctx)
	}
	b.spawner.Close()
	return err
}

// describe completes the manifest with what is only known now.
func (r *runner) describe(b *bench) {
	m := r.manifest()
	m.Dependencies = b.lab.Stack.Dependencies()
	m.Settings = redact(b.targets[0].env, b.secret)
	r.rec.SetManifest(m)
}

// redact takes passwords out of an environment: those in URLs, and secret itself.
func redact(env map[string]string, secret string) map[string]string {
	clean := map[string]string{}
	for name, value := range env {
		if u, err := url.Parse(value); err == nil && u.User != nil {
			value = u.Redacted()
		}
		if secret != "" {
			value = strings.ReplaceAll(value, secret, "xxxxx")
		}
		clean[name] = value
	}
	return clean
}
