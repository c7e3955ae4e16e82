package link

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A crew are clients that put a gate under load, and know what they may meet.
type crew struct {
	t       testing.TB
	weather *weather
	dial    func() (*peer, error)
	tongue  tongue // nil: bytes
	talkers sync.WaitGroup
	all     sync.WaitGroup // the others
	hush    chan struct{}  // closed when nobody is to begin anything

	sessions atomic.Int64 // connections that talked
	whole    atomic.Int64 // of these: every byte was checked; of a tongue: good replies
	forged   atomic.Int64 // replies
	bytes    atomic.Int64 // checked
	refused  atomic.Int64 // dials
}

// A peer is a client's side of a connection.
type peer struct {
	duplex
	raw *net.TCPConn
}

type duplex interface {
	net.Conn
	CloseWrite() error
}

// reset ends it with RST.
func (p *peer) reset() {
	p.raw.SetLinger(0)
	p.raw.Close()
}

// begin starts all clients.
func (c *crew) begin(ctx context.Context, seed uint64, talkers int) {
	c.hush = make(chan struct{})
	talk, others := c.talk, []func(context.Context) error{c.neverRead, c.idle}
	if c.tongue != nil {
		talk, others = c.converse, []func(context.Context) error{c.askOnly}
	}
	for i := range talkers {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		c.talkers.Go(func() { c.repeat(ctx, func() error { return talk(ctx, rng) }) })
	}
	for _, do := range others {
		c.all.Go(func() { c.repeat(ctx, func() error { return do(ctx) }) })
	}
}

// end lets the talkers talk to the end, for what never comes must be missed, and
// ends all with cancel.
func (c *crew) end(cancel func()) {
	close(c.hush)
	c.talkers.Wait()
	cancel()
	c.all.Wait()
}

func (c *crew) repeat(ctx context.Context, do func() error) {
	for ctx.Err() == nil {
		if err := do(); err != nil && ctx.Err() == nil {
			c.t.Error(err)
			return
		}
		select {
		case <-c.hush:
			return
		default:
		}
	}
}

// connect dials. Without a connection it returns an error when no fault explains it.
func (c *crew) connect(ctx context.Context, since moment) (p *peer, leave func(), err error) {
	if p, err = c.dial(); err != nil {
		c.refused.Add(1)
		if c.weather.since(since, cuts|hampers) {
			err = nil
			time.Sleep(time.Millisecond) // no storm of dials
		}
		return nil, nil, err
	}
	p.SetDeadline(time.Now().Add(guardTime))
	stop := context.AfterFunc(ctx, func() { p.raw.Close() })
	return p, func() { stop(); p.raw.Close() }, nil
}

func (c *crew) neverRead(ctx context.Context) error {
	since := c.weather.now()
	p, leave, err := c.connect(ctx, since)
	if p == nil {
		return err
	}
	defer leave()
	p.SetDeadline(time.Time{})
	for b := make([]byte, 10_000); err == nil; {
		_, err = p.Write(b)
	}
	if c.weather.since(since, cuts) {
		return nil
	}
	return fmt.Errorf("writing without reading: %w", err)
}

func (c *crew) idle(ctx context.Context) error {
	since := c.weather.now()
	p, leave, err := c.connect(ctx, since)
	if p == nil {
		return err
	}
	defer leave()
	word := []byte("hello")
	if _, err = p.Write(word); err == nil {
		_, err = io.ReadFull(p, word)
	}
	if err == nil {
		p.SetDeadline(time.Time{})
		var n int
		if n, err = p.Read(word); n > 0 {
			return fmt.Errorf("an idle connection read %q", word[:n])
		}
	}
	if c.weather.since(since, cuts) {
		return nil
	}
	return fmt.Errorf("idling: %w", err)
}
