package link

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"brownout/chaos"
)

// talk sends size pseudo-random bytes on c and checks that the other side's
// arrive whole and in order, up to FIN. Each side has a seed. Reads are uneven.
func converse(c *net.TCPConn, size int, sendSeed, wantSeed byte) error {
	sent := make(chan error, 1)
	go func() {
		_, err := io.CopyN(c, rand.NewChaCha8([32]byte{sendSeed}), int64(size))
		sent <- err
	}()
	got, want := bufio.NewReaderSize(c, 4<<10), rand.NewChaCha8([32]byte{wantSeed})
	a, b := make([]byte, 1000), make([]byte, 1000)
	var err error
	for at := 0; at < size && err == nil; {
		n, rerr := got.Read(a[:min(len(a), size-at)])
		want.Read(b[:n])
		if string(a[:n]) != string(b[:n]) {
			err = fmt.Errorf("bytes %d to %d are not those that were sent", at, at+n)
		}
		if at += n; rerr != nil && at < size {
			err = fmt.Errorf("reading byte %d of %d: %w", at, size, rerr)
		}
		if at%50_000 < 1000 {
			time.Sleep(time.Millisecond)
		}
	}
	if serr := <-sent; serr != nil {
		return fmt.Errorf("sending: %w", serr)
	}
	return err
}

// putAndRevert puts random faults, also three at a time, until ctx is done.
func putAndRevert(ctx context.Context, t *testing.T, g *Gate, rng *rand.Rand) {
	faults := []chaos.Fault{blackholeFault, {Kind: chaos.Latency, Latency: 3 * time.Millisecond, Jitter: 2 * time.Millisecond},
		{Kind: chaos.Bandwidth, Rate: 4 << 20}, {Kind: chaos.Slice, Size: 1000, Gap: 100 * time.Microsecond},
		{Kind: chaos.SlowClose, Latency: 5 * time.Millisecond}, {Kind: chaos.LimitData, Bytes: 1 << 30}}
	for ctx.Err() == nil {
		var inForce []chaos.Reverter
		for _, i := range rng.Perm(len(faults))[:1+rng.IntN(3)] {
			inForce = append(inForce, inject(t, g, faults[i]))
			time.Sleep(time.Duration(rng.IntN(4)) * time.Millisecond)
		}
		for _, i := range rng.Perm(len(inForce)) {
			revert(t, inForce[i])
			time.Sleep(time.Duration(rng.IntN(3)) * time.Millisecond)
		}
	}
}

func TestStreamsStayWholeUnderFaults(t *testing.T) {
	const size, conns = 3 << 20, 3
	for range 3 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			serverSide := make(chan error, conns)
			s := startServer(t, func(c *net.TCPConn) { serverSide <- converse(c, size, 1, 2) })
			g, _, _ := startGate(t, s.addr())
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { putAndRevert(ctx, t, g, rand.New(rand.NewPCG(seed, 0))) })
			clientSide := make(chan error, conns)
			for range conns {
				c := dialGate(t, g)
				go func() { clientSide <- converse(c, size, 2, 1) }()
			}
			for range conns {
				if err := <-clientSide; err != nil {
					t.Errorf("client: %v", err)
				}
				if err := <-serverSide; err != nil {
					t.Errorf("server: %v", err)
				}
			}
			cancel()
			wg.Wait()
		})
	}
}

// chatter opens connections and talks on them until ctx is done; after an error
// it opens the next one.
func chatter(ctx context.Context, addr string) {
	for ctx.Err() == nil {
		c, err := net.DialTimeout("tcp", addr, guardTime)
		if err != nil {
			continue
		}
		stop := context.AfterFunc(ctx, func() { c.Close() })
		b := make([]byte, 100)
		for range 200 {
			c.SetDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err = c.Write(b); err != nil {
				break
			}
			if _, err = io.ReadFull(c, b); err != nil {
				break
			}
		}
		stop()
		c.Close()
	}
}

func TestNothingLeaks(t *testing.T) {
	cycles := 200
	if testing.Short() {
		cycles = 20
	}
	s := startEcho(t)
	g, _, _ := startGate(t, s.addr())
	idle := dialGate(t, g)
	send(t, idle, "idle")
	expect(t, idle, "idle")
	waitFor(t, "the idle connection", func() bool { return g.Stats().Live == 1 })
	goroutines, fds := runtime.NumGoroutine(), descriptors(t)

	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { chatter(ctx, g.Addr()) })
	}
	faults := []chaos.Fault{blackholeFault, {Kind: chaos.Latency, Latency: 2 * time.Millisecond, Jitter: time.Millisecond},
		{Kind: chaos.Blackhole, Revert: chaos.Close}, {Kind: chaos.Bandwidth, Rate: 1000}, {Kind: chaos.Slice, Size: 7, Gap: 5 * time.Millisecond},
		{Kind: chaos.LimitData, Bytes: 150}, {Kind: chaos.SlowClose, Latency: 5 * time.Millisecond}}
	for i := range cycles {
		opened := g.Stats().Up
		r := inject(t, g, faults[i%len(faults)])
		if i%10 == 0 {
			time.Sleep(25 * time.Millisecond) // long enough for clients to give up
		}
		revert(t, r)
		waitFor(t, "traffic between faults", func() bool { return g.Stats().Up > opened })
	}
	cancel()
	wg.Wait()
	// Connections that were there before the faults must be as they were, too.
	waitFor(t, "goroutines as before", func() bool { return g.Stats().Live == 1 && runtime.NumGoroutine() <= goroutines })
	waitFor(t, "descriptors as before", func() bool { return descriptors(t) <= fds })
	send(t, idle, "alive")
	expect(t, idle, "alive")

	for range 20 {
		r := inject(t, g, refuseFault)
		revert(t, r)
		c := dialGate(t, g)
		send(t, c, "x")
		expect(t, c, "x")
	}
	for range 20 {
		c := dialGate(t, g)
		r := inject(t, g, resetFault)
		expectEnd(t, c, errReset)
		revert(t, r)
	}
	for range 3 {
		r := inject(t, g, dropFault)
		revert(t, r)
		c := dialGate(t, g)
		send(t, c, "x")
		expect(t, c, "x")
		c.Close()
	}
	for range 10 {
		r := inject(t, g, chaos.Fault{Kind: chaos.Flap, Up: time.Millisecond, Down: time.Millisecond})
		time.Sleep(5 * time.Millisecond)
		revert(t, r)
		c := dialGate(t, g)
		send(t, c, "x")
		expect(t, c, "x")
		c.Close()
	}
	waitFor(t, "goroutines after refusals and resets", func() bool { return runtime.NumGoroutine() <= goroutines })
}
