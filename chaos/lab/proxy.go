package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brownout/chaos"
	"brownout/chaos/failover"
)

// What clients see of a failover behind a proxy; assumed.
const (
	proxyDelay = 100 * time.Millisecond
	proxyCut   = 0.2 // of the connections
)

// A proxied cache stands alone, as one does to clients of a proxy.
type proxied struct {
	sole
	slow chaos.Reverter // nil: answers are quick
}

var _ failover.Proxy = (*proxied)(nil)

// Slow implements failover.Proxy.
func (p *proxied) Slow(ctx context.Context) error {
	if p.slow != nil {
		return errors.New("the proxy is slow already")
	}
	r, err := p.lab.Link(p.name).Inject(ctx, chaos.Fault{On: p.name, Kind: chaos.Latency, Latency: proxyDelay})
	if err != nil {
		return fmt.Errorf("making the proxy slow: %w", err)
	}
	p.slow = r
	return nil
}

// Quick implements failover.Proxy.
func (p *proxied) Quick(ctx context.Context) error {
	if p.slow == nil {
		return nil
	}
	_, err := p.slow.Revert(ctx)
	p.slow = nil
	return err
}

// Cut implements failover.Proxy. Which connections it hits is random.
func (p *proxied) Cut(ctx context.Context) error {
	r, err := p.lab.Link(p.name).Inject(ctx, chaos.Fault{On: p.name, Kind: chaos.Reset, Share: proxyCut})
	if err != nil {
		return fmt.Errorf("closing connections of the proxy: %w", err)
	}
	_, err = r.Revert(ctx)
	return err
}
