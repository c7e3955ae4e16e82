package link

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"brownout/chaos/link/wire"
)

// A tongue is a protocol as far as the soak speaks it: the dependency says again
// what it is asked to say.
type tongue interface {
	protocol() wire.Protocol
	serve(r *bufio.Reader, w *bufio.Writer) error
	greet(r *bufio.Reader, w *bufio.Writer) (said, error)
	ask(w *bufio.Writer, what string)
	reply(r *bufio.Reader) (said, error)
}

// A said is one reply.
type said struct {
	what   string
	forged bool // the dependency never says such a thing
}

func startTongue(t *testing.T, l tongue) *soak {
	t.Helper()
	up := startServer(t, func(c *net.TCPConn) {
		r, w := bufio.NewReader(c), bufio.NewWriter(c)
		for err := l.serve(r, w); err == nil && w.Flush() == nil; {
			err = l.serve(r, w)
		}
	})
	g, j, stop := runGate(t, Config{Name: "cache", Upstream: up.addr(), Protocol: l.protocol()})
	s := newSoak(t, g, j, stop, dialPlain(g))
	s.kinds = soakKinds(l.protocol().Name)
	s.crew.tongue = l
	return s
}

// converse asks for batches of replies and checks them.
func (c *crew) converse(ctx context.Context, rng *rand.Rand) error {
	since := c.weather.now()
	p, leave, err := c.connect(ctx, since)
	if p == nil {
		return err
	}
	defer leave()
	r, w := bufio.NewReaderSize(p, 1<<rng.IntN(15)), bufio.NewWriterSize(p, 1<<rng.IntN(17))
	hello, err := c.tongue.greet(r, w)
	batches, end := rng.IntN(40), ending(rng.IntN(int(endings)))
	for err == nil && !hello.forged && batches > 0 {
		batches--
		err = c.batch(p, r, w, since, rng, end == impatient && batches == 0)
	}
	c.sessions.Add(1)
	if end == reset {
		p.reset()
	}
	if err == nil || end == impatient && timedOut(err) || !timedOut(err) && c.weather.since(since, cuts) {
		return nil
	}
	return err
}

// batch asks for some things at once and checks what is said.
func (c *crew) batch(p *peer, r *bufio.Reader, w *bufio.Writer, since moment, rng *rand.Rand, giveUp bool) error {
	asked := make([]string, 1+rng.IntN(1+rng.IntN(30)))
	for i := range asked {
		asked[i] = letters(rng, 1+rng.IntN(1<<rng.IntN(13)))
		c.tongue.ask(w, asked[i])
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("asking: %w", err)
	}
	if giveUp {
		p.SetReadDeadline(time.Now().Add(drawTime(rng, 0, 5*time.Millisecond)))
	}
	for i, want := range asked {
		got, err := c.tongue.reply(r)
		switch {
		case err != nil:
			return fmt.Errorf("reading reply %d of %d: %w", i, len(asked), err)
		case got.forged && !c.weather.since(since, forges):
			c.t.Errorf("reply %d = %.60q, which no fault explains", i, got.what)
		case got.forged:
			c.forged.Add(1)
		case got.what != want:
			c.t.Errorf("reply %d of %d = %.60q, want %.60q", i, len(asked), got.what, want)
		default:
			c.whole.Add(1)
			c.bytes.Add(int64(len(want)))
		}
	}
	return nil
}

// askOnly asks and never reads.
func (c *crew) askOnly(ctx context.Context) error {
	since := c.weather.now()
	p, leave, err := c.connect(ctx, since)
	if p == nil {
		return err
	}
	defer leave()
	p.SetDeadline(time.Time{})
	w := bufio.NewWriter(p)
	hello, err := c.tongue.greet(bufio.NewReader(p), w)
	for what := letters(rand.New(rand.NewPCG(0, 0)), 1000); err == nil && !hello.forged; err = w.Flush() {
		c.tongue.ask(w, what)
	}
	if err == nil || c.weather.since(since, cuts) {
		return nil
	}
	return fmt.Errorf("asking without reading: %w", err)
}

func letters(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(rng.IntN(26))
	}
	return string(b)
}

// readN reads n bytes as text.
func readN(r io.Reader, n int) (string, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return string(b), err
}
