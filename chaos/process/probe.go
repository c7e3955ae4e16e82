package process

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"brownout/chaos/stack"
)

const (
	// probeEvery is the time between two probes.
	probeEvery = 500 * time.Millisecond
	// silence is how long a server may be silent before it counts as hung. A
	// healthy one answers in a millisecond.
	silence = 200 * time.Millisecond
	// refusal bounds a dial to a closed port.
	refusal = 250 * time.Millisecond
)

// A prober asks the same thing again and again while a fault is in force.
type prober struct {
	begin func(ctx context.Context) error // before the first probe; may be nil
	felt  func() bool                     // one probe: whether the fault is felt

	cancel  context.CancelFunc
	running sync.WaitGroup

	// Owned by the goroutine while it runs.
	made, hits int
	err        error // of begin
}

// start returns at once.
func (p *prober) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.running.Go(func() { p.run(ctx) })
}

func (p *prober) run(ctx context.Context) {
	if p.begin != nil {
		if p.err = p.begin(ctx); p.err != nil {
			return
		}
	}
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		p.probe()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *prober) probe() {
	p.made++
	if p.felt() {
		p.hits++
	}
}

// finish makes the last probe, after a begin that was not over yet. Nothing is
// probed any more when it returns.
func (p *prober) finish(ctx context.Context) {
	p.cancel()
	p.running.Wait()
	if errors.Is(p.err, context.Canceled) {
		p.err = p.begin(ctx)
	}
	if p.err == nil {
		p.probe()
	}
}

// refused reports whether nobody listens at addr.
func refused(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, refusal)
	if err == nil {
		c.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// sslRequest is answered by every PostgreSQL that is up, with one byte
// (PostgreSQL's manual, "Message Formats").
func sslRequest() []byte { return []byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f} }

// greet returns nil when the server answers a greeting within silence. What it
// returns of a server that is silent for so long is errSilent.
func greet(ctx context.Context, n *stack.Node) error {
	ctx, cancel := context.WithTimeoutCause(ctx, silence, errSilent)
	defer cancel()
	err := greetWithin(ctx, n)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

var errSilent = errors.New("the server is silent")

func greetWithin(ctx context.Context, n *stack.Node) error {
	if n.Kind != stack.Postgres {
		_, err := n.Do(ctx, "PING") // an error while it reads its data
		return err
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.Addr)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if _, err := c.Write(sslRequest()); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 1))
	return err
}

// hangs reports whether the server takes connections, or lets them wait, and does
// not answer.
func hangs(n *stack.Node) bool { return errors.Is(greet(context.Background(), n), errSilent) }

// awaitAnswer waits until the server answers. It gives up when that has ended.
func awaitAnswer(ctx context.Context, n *stack.Node) error {
	for {
		err := greet(ctx, n)
		if err == nil {
			return nil
		}
		select {
		case <-n.Process().Done():
			return err
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(time.Millisecond):
		}
	}
}
