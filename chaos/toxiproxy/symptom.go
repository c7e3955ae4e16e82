package toxiproxy

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"brownout/chaos"
)

const (
	// patience is how much longer than expected a probe waits.
	patience = 5 * time.Second
	// leastSilence is how long nothing must come for a probe to be without an answer.
	leastSilence = 250 * time.Millisecond
)

// A symptom is what one probe felt.
type symptom struct {
	felt    bool
	delayed time.Duration // beyond the usual time
	silence time.Duration
}

// A path is the way through the proxy.
type path struct {
	address string
	ask     []byte
	answer  int           // bytes
	usual   time.Duration // a round trip without a fault
}

// feel makes a probe and holds it against what the fault promises. The error says
// that the probe could not have felt the fault.
func (p *prober) feel(ctx context.Context) (symptom, error) {
	switch p.fault.Kind {
	case chaos.Refuse:
		_, err := p.roundTrip(ctx)
		return symptom{felt: errors.Is(err, syscall.ECONNREFUSED)}, nil
	case chaos.Reset:
		_, err := p.roundTrip(ctx)
		return symptom{felt: errors.Is(err, syscall.ECONNRESET)}, nil
	case chaos.Blackhole:
		return p.feelSilence(ctx)
	case chaos.LimitData:
		return p.feelLimit(ctx)
	case chaos.SlowClose:
		return p.feelClose(ctx)
	}
	took, err := p.roundTrip(ctx)
	return symptom{felt: err == nil && took-p.usual >= p.floor(), delayed: took - p.usual}, nil
}

// open dials. The connection ends with ctx, or after what a probe may take.
func (p *path) open(ctx context.Context, expected time.Duration) (c *net.TCPConn, done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, expected+patience)
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", p.address)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	return nc.(*net.TCPConn), func() { stop(); cancel(); nc.Close() }, nil
}

// roundTrip asks once.
func (p *prober) roundTrip(ctx context.Context) (time.Duration, error) {
	c, done, err := p.open(ctx, 2*p.expected())
	if err != nil {
		return 0, err
	}
	defer done()
	start := time.Now()
	_, err = p.exchange(c)
	return time.Since(start), err
}

// exchange asks and reads the answer, and says how much of it came.
func (p *path) exchange(c net.Conn) (int, error) {
	if _, err := c.Write(p.ask); err != nil {
		return 0, err
	}
	return io.ReadFull(c, make([]byte, p.answer))
}

// feelSilence feels that nothing comes back, neither a byte nor an end.
func (p *prober) feelSilence(ctx context.Context) (symptom, error) {
	c, done, err := p.open(ctx, 0)
	if err != nil {
		return symptom{}, nil
	}
	defer done()
	wait := max(leastSilence, 4*p.usual)
	start := time.Now()
	c.SetReadDeadline(start.Add(wait))
	n, err := p.exchange(c)
	if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		return symptom{}, nil
	}
	return symptom{felt: true, silence: time.Since(start)}, nil
}

// feelLimit asks until the limit has been carried, or the connection ends.
func (p *prober) feelLimit(ctx context.Context) (symptom, error) {
	c, done, err := p.open(ctx, 0)
	if err != nil {
		return symptom{}, nil
	}
	defer done()
	up, down, limit := 0, 0, p.fault.Bytes
	for {
		n, err := p.exchange(c)
		up, down = up+len(p.ask), down+n
		over := p.fault.Way() != chaos.DirectionUp && down > limit || p.fault.Way() != chaos.DirectionDown && up-len(p.ask) >= limit && n > 0
		switch {
		case over: // more than the limit came through
			return symptom{}, nil
		case err != nil:
			return symptom{felt: !errors.Is(err, os.ErrDeadlineExceeded)}, nil
		}
	}
}

// feelClose closes its side, upon which the proxy closes both, and waits for the end.
func (p *prober) feelClose(ctx context.Context) (symptom, error) {
	c, done, err := p.open(ctx, 2*p.expected())
	if err != nil {
		return symptom{}, err
	}
	defer done()
	if _, err := p.exchange(c); err != nil {
		return symptom{}, err
	}
	start := time.Now()
	if err := c.CloseWrite(); err != nil {
		return symptom{}, err
	}
	_, err = io.Copy(io.Discard, c)
	took := time.Since(start)
	return symptom{felt: err == nil && took >= p.floor(), delayed: took}, nil
}
