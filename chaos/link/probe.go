package link

import (
	"context"
	"net"
	"sync"
	"time"
)

const probeEvery = 500 * time.Millisecond

// A prober dials a port, of which clients' dials cannot be seen: at the start,
// every half second and at the end.
type prober struct {
	address string
	timeout time.Duration    // of a dial
	felt    func(error) bool // whether a dial ended as the fault promises
	cancel  context.CancelFunc
	running sync.WaitGroup

	// Owned by the goroutine while it runs.
	made   int
	hits   int
	strays []net.Addr // our sides of dials that came through
}

// start makes the first probe before it returns.
func (p *prober) start() {
	p.probe()
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.running.Go(func() { p.probeUntil(ctx) })
}

func (p *prober) probeUntil(ctx context.Context) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.probe()
		}
	}
}

func (p *prober) probe() {
	p.made++
	c, err := net.DialTimeout("tcp", p.address, p.timeout)
	if err == nil {
		p.strays = append(p.strays, c.LocalAddr())
		c.Close()
	}
	if p.felt(err) {
		p.hits++
	}
}

// finish makes the last probe. Nothing is probed any more when it returns.
func (p *prober) finish() {
	p.cancel()
	p.running.Wait()
	p.probe()
}
