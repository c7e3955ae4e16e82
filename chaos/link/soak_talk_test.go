package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"
)

// An ending is how a talker ends a connection.
type ending int

const (
	lateFIN   ending = iota // when it has read everything
	earlyFIN                // behind its last byte
	reset                   // anywhere
	closed                  // anywhere, with bytes unread
	impatient               // when it has waited for some milliseconds
	endings
)

// talk sends pseudo-random bytes to the echo and checks what comes back.
func (c *crew) talk(ctx context.Context, rng *rand.Rand) error {
	since := c.weather.now()
	p, leave, err := c.connect(ctx, since)
	if p == nil {
		return err
	}
	defer leave()
	end, size := ending(rng.IntN(int(endings))), 1+rng.IntN(1<<rng.IntN(21))
	stream := seedOf(rng)
	gone := make(chan struct{})
	pace := rand.New(rand.NewPCG(rng.Uint64(), 0))
	go func() { // ends with the connection at the latest
		defer close(gone)
		if sendStream(p, stream, size, pace) == nil && end == earlyFIN {
			p.CloseWrite()
		}
	}()
	read := size
	if end == reset || end == closed {
		read = rng.IntN(size + 1)
	}
	n, err := checkStream(p, stream, read, rng, end == impatient)
	c.sessions.Add(1)
	c.bytes.Add(int64(n))
	err = c.judge(p, since, end, n, read, err)
	if end == reset {
		p.reset()
	}
	leave()
	<-gone
	return err
}

// judge says whether what was read is what the weather allows, and sees to the end.
func (c *crew) judge(p *peer, since moment, end ending, n, want int, err error) error {
	var wrong *wrongBytes
	allowed := cuts
	if end == earlyFIN {
		allowed |= swallows
	}
	switch {
	case errors.As(err, &wrong):
		return err
	case err != nil && end == impatient && timedOut(err):
		return nil
	case timedOut(err): // a connection that was ended ends
		return fmt.Errorf("%d of %d bytes came within %v: %w", n, want, guardTime, err)
	case err == nil && (end == earlyFIN || end == lateFIN):
		if end == lateFIN {
			p.CloseWrite()
		}
		if m, ferr := p.Read(make([]byte, 1)); m > 0 || !errors.Is(ferr, io.EOF) {
			err = fmt.Errorf("after the last byte: %d bytes, %w, want EOF", m, ferr)
		}
	}
	if err == nil {
		c.whole.Add(1)
		return nil
	}
	if c.weather.since(since, allowed) {
		return nil
	}
	return fmt.Errorf("ending %d, %d of %d bytes, no fault that ends connections: %w", end, n, want, err)
}

func seedOf(rng *rand.Rand) (seed [32]byte) {
	for i := range seed {
		seed[i] = byte(rng.Uint32())
	}
	return seed
}

// sendStream sends the first size bytes of a stream in chunks of all sizes.
func sendStream(w io.Writer, stream [32]byte, size int, rng *rand.Rand) error {
	for bytes := rand.NewChaCha8(stream); size > 0; {
		n := min(size, 1+rng.IntN(1<<rng.IntN(16)))
		if _, err := io.CopyN(w, bytes, int64(n)); err != nil {
			return err
		}
		if size -= n; rng.IntN(4) == 0 {
			time.Sleep(drawTime(rng, 0, 500*time.Microsecond))
		}
	}
	return nil
}

// A wrongBytes is what no fault of a link may do.
type wrongBytes struct{ from, to int }

func (w *wrongBytes) Error() string {
	return fmt.Sprintf("bytes %d to %d are not those that were sent", w.from, w.to)
}

// checkStream reads size bytes of a stream, unevenly. It says how many came.
func checkStream(c net.Conn, stream [32]byte, size int, rng *rand.Rand, impatient bool) (at int, err error) {
	bytes := rand.NewChaCha8(stream)
	got, want := make([]byte, 32<<10), make([]byte, 32<<10)
	if impatient {
		c.SetReadDeadline(time.Now().Add(drawTime(rng, 0, 10*time.Millisecond)))
	}
	for at < size && err == nil {
		var n int
		n, err = c.Read(got[:min(1+rng.IntN(1<<rng.IntN(16)), size-at)])
		bytes.Read(want[:n])
		if string(got[:n]) != string(want[:n]) {
			return at, &wrongBytes{at, at + n}
		}
		if at += n; rng.IntN(20) == 0 {
			time.Sleep(drawTime(rng, 0, time.Millisecond))
		}
	}
	if at == size {
		err = nil
	}
	return at, err
}
