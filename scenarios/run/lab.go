package run

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"brownout/chaos/link"
	"brownout/chaos/link/pgwire"
	"brownout/chaos/link/resp"
	"brownout/chaos/link/wire"
	"brownout/chaos/process"
	"brownout/chaos/stack"
	"brownout/results"

	"golang.org/x/sync/errgroup"
)

// How long the lab may take to come down.
const (
	closeTimeout    = 5 * time.Second
	targetGrace     = 12 * time.Second       // for a target to end its requests in flight
	interruptedStop = 300 * time.Millisecond // the same, when somebody waits at Ctrl-C
)

// A lab is everything that a run has brought up: stack, links and target.
type lab struct {
	spawner *stack.Spawner
	stack   *stack.Stack
	gates   map[string]*link.Gate
	servers map[string]*process.Injector
	running errgroup.Group // the gates
	stop    context.CancelFunc
	target  *target
}

// open brings up stack, links and target, in this order. The lab is returned
// also with an error, and is then to be closed as well.
func (r *runner) open(ctx context.Context) (*lab, error) {
	if _, err := stack.Sweep(ctx); err != nil {
		r.Log.Warn("sweeping what killed runs left", "error", err)
	}
	l := &lab{spawner: stack.NewSpawner(), gates: map[string]*link.Gate{}, servers: map[string]*process.Injector{}, stop: func() {}}
	var err error
	l.stack, err = stack.Start(ctx, stack.Config{
		Cache: r.Scenario.Stack.Cache, Database: r.Scenario.Stack.Database,
		CacheURL: r.CacheURL, DatabaseURL: r.DatabaseURL,
		Base: r.base, Record: r.event, Spawner: l.spawner, Settings: r.cacheSettings(),
	})
	if err != nil {
		return l, fmt.Errorf("starting the stack: %w", err)
	}
	if err := r.openLinks(ctx, l); err != nil {
		return l, err
	}
	l.target, err = r.startTarget(ctx, l)
	if err != nil {
		return l, fmt.Errorf("starting target %s: %w", r.Target.Name, err)
	}
	r.describe(l)
	return l, nil
}

func (r *runner) openLinks(ctx context.Context, l *lab) error {
	// The gates outlive a cancelled run until the target is down: close ends them.
	gctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	for _, node := range l.nodes() {
		gate := link.New(link.Config{
			Name: node.Name, Listen: r.Target.Links[node.Name], Upstream: node.Addr,
			Base: r.base, Record: r.event, Seed: r.Seed,
			Protocol: protocol(node.Name), Exchange: r.exchange,
		})
		if err := gate.Listen(); err != nil {
			return fmt.Errorf("opening link %s: %w", node.Name, err)
		}
		l.gates[node.Name], l.servers[node.Name] = gate, process.New(node)
		l.running.Go(func() error { return gate.Run(gctx) })
	}
	return nil
}

// protocol is what is spoken on the link called name.
func protocol(name string) wire.Protocol {
	if name == results.LinkDatabase {
		return pgwire.Protocol()
	}
	return resp.Protocol()
}

func (l *lab) nodes() []*stack.Node {
	var nodes []*stack.Node
	for _, n := range []*stack.Node{l.stack.Cache, l.stack.Database} {
		if n != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// values are what the placeholders of a target file stand for.
func (l *lab) values() (map[string]string, error) {
	values := map[string]string{}
	for _, n := range l.nodes() {
		through := n.URLAt(l.gates[n.Name].Addr())
		u, err := url.Parse(through)
		if err != nil {
			return nil, fmt.Errorf("reading the URL of the %s: %w", n.Name, err)
		}
		values[n.Name+".url"] = through
		values[n.Name+".host"], values[n.Name+".port"] = u.Hostname(), u.Port()
		values[n.Name+".user"] = u.User.Username()
		values[n.Name+".password"], _ = u.User.Password()
		values[n.Name+".name"] = trimSlash(u.Path)
	}
	return values, nil
}

func trimSlash(path string) string {
	if path != "" && path[0] == '/' {
		return path[1:]
	}
	return path
}

// close takes everything down again: target, links, stack. A target that is
// still busy gets grace to end by itself.
func (l *lab) close(grace time.Duration) error {
	if l.target != nil {
		// A target that must be killed is a fact, which its exit event tells, and no
		// failure of the run: all has been recorded.
		_ = l.target.stop(grace)
	}
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	l.stop()
	errs = append(errs, l.running.Wait())
	if l.stack != nil {
		errs = append(errs, l.stack.Close(ctx))
	}
	l.spawner.Close()
	return errors.Join(errs...)
}

// describe completes the manifest with what is only known now.
func (r *runner) describe(l *lab) {
	m := r.manifest()
	m.Dependencies = l.stack.Dependencies()
	m.Settings = redact(l.target.env)
	r.rec.SetManifest(m)
}

// redact takes passwords out of URLs.
func redact(env map[string]string) map[string]string {
	clean := map[string]string{}
	for name, value := range env {
		if u, err := url.Parse(value); err == nil && u.User != nil {
			value = u.Redacted()
		}
		clean[name] = value
	}
	return clean
}
