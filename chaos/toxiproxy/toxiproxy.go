// Package toxiproxy puts faults in force on a proxy of a Toxiproxy server that runs
// somewhere else, for example beside a stack in containers, through its API
// (github.com/Shopify/toxiproxy, v2.12.0).
//
// The one idea: the server keeps no record of connections, so that nothing it says
// can be evidence. What a fault does is felt with probes of our own through the
// proxy: a dial, a question to the dependency and its answer. Evidence counts
// probes, not what clients saw.
//
// What differs from the faults of chaos/link:
//
//   - latency, slow_close: in whole milliseconds; jitter cannot be repeated.
//
//   - bandwidth: in multiples of 1000 bytes per second, for each connection by itself.
//
//   - blackhole: bytes are dropped, not held, and every connection is closed on revert:
//     revert must be close.
//
//   - reset: at the first byte in either direction. A connection from before the fault
//     is closed with FIN.
//
//   - refuse: the proxy is disabled. Live connections are closed, not reset.
//
//   - limit_data: live connections are counted from when the fault came in force as
//     well. slow_close: a close of either side closes both, and is passed on later.
//
// Toxicity is always 1: the server draws it without a seed, for each connection again
// when toxics change. So there is no share, and no telling whose connections are hit.
//
// Note: the server was known to hang when a toxic is taken away under load
// (Shopify/toxiproxy issues 159, 210, 254, 412, 558). Every call is bounded, and one
// that comes to its end later is undone. What could not be taken away is an error.
package toxiproxy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	client "github.com/Shopify/toxiproxy/v2/client"

	"brownout/chaos"
)

// Config configures New.
type Config struct {
	Name    string        // required: the link that faults name, for example "cache"
	API     string        // required: where the server's API listens, host:port or a URL
	Proxy   string        // the proxy's name; default Name
	Address string        // where clients reach the proxy, host:port; default: as the server says
	Ask     []byte        // required: what the dependency answers, for example "*1\r\n$4\r\nPING\r\n"
	Answer  int           // required: how many bytes it answers, 7 for "+PONG\r\n"
	Timeout time.Duration // of what is asked of the API for one fault; default chaos.RevertTimeout
}

// An Injector puts faults in force on one proxy. It implements chaos.Injector.
type Injector struct {
	cfg   Config
	api   *client.Client
	calls sync.WaitGroup // each is bounded by the client's limit of 30 s
}

var _ chaos.Injector = (*Injector)(nil)

// New returns an injector. It starts nothing and asks the server nothing.
func New(cfg Config) *Injector {
	if cfg.Proxy == "" {
		cfg.Proxy = cfg.Name
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = chaos.RevertTimeout
	}
	return &Injector{cfg: cfg, api: client.NewClient(cfg.API)}
}

// Wait waits for calls of the API that were given up, 30 s at the most.
func (in *Injector) Wait() { in.calls.Wait() }

// Inject implements chaos.Injector. Before it injures the proxy it probes it: a proxy
// that does not work cannot be shown to be injured.
func (in *Injector) Inject(ctx context.Context, f chaos.Fault) (chaos.Reverter, error) {
	toxics, err := translate(f)
	if err := errors.Join(ctx.Err(), err); err != nil {
		return nil, err
	}
	if f.On != in.cfg.Name {
		return nil, fmt.Errorf("the fault is meant for link %q, this one is %q", f.On, in.cfg.Name)
	}
	if in.cfg.Answer <= 0 || len(in.cfg.Ask) == 0 {
		return nil, fmt.Errorf("link %s has nothing to probe with: set Ask and Answer", in.cfg.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, in.cfg.Timeout)
	defer cancel()
	proxy, err := in.proxy(ctx)
	if err != nil {
		return nil, err
	}
	done := &injection{injector: in, fault: f, proxy: proxy}
	if done.prober, err = newProber(ctx, in.cfg, in.address(proxy), f); err != nil {
		return nil, err
	}
	if err := done.put(ctx, toxics); err != nil {
		return nil, err
	}
	done.prober.start()
	return done, nil
}

// proxy asks the server about the proxy.
func (in *Injector) proxy(ctx context.Context) (*client.Proxy, error) {
	var proxy *client.Proxy
	err := in.call(ctx, func() (err error) { proxy, err = in.api.Proxy(in.cfg.Proxy); return err }, nil)
	if err != nil {
		return nil, fmt.Errorf("asking for proxy %s: %w", in.cfg.Proxy, err)
	}
	if !proxy.Enabled {
		return nil, fmt.Errorf("proxy %s is disabled: it has no traffic to injure", in.cfg.Proxy)
	}
	return proxy, nil
}

func (in *Injector) address(p *client.Proxy) string {
	if in.cfg.Address != "" {
		return in.cfg.Address
	}
	return p.Listen
}

// call waits for do until ctx is done. When do ends after that, and may have changed
// something, undo is called. The client knows no context; it ends a call by itself
// after 30 s.
func (in *Injector) call(ctx context.Context, do, undo func() error) error {
	done := make(chan error)
	in.calls.Go(func() {
		err := do()
		select {
		case done <- err:
		case <-ctx.Done():
			if undo != nil && !denied(err) {
				_ = undo() // nobody waits for it any more
			}
		}
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// denied says whether the server has answered that it did nothing.
func denied(err error) bool {
	var answer *client.ApiError
	return errors.As(err, &answer)
}
