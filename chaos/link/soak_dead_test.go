package link

import (
	"context"
	"math/rand/v2"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"brownout/chaos"
)

// startDeaf is a dependency that accepts, and neither reads nor writes.
func startDeaf(t *testing.T) string {
	t.Helper()
	release := make(chan struct{})
	s := startServer(t, func(*net.TCPConn) { <-release })
	t.Cleanup(func() { close(release) })
	return s.addr()
}

// TestFaultsComeAndGoWithADeadDependency: Inject and Revert of every kind return,
// one at a time and together, and Run ends, whether the dependency answers no SYN
// or takes no byte.
func TestFaultsComeAndGoWithADeadDependency(t *testing.T) {
	for _, row := range []struct {
		name  string
		start func(*testing.T) string
		tls   bool
	}{
		{"it answers no SYN", startDialhole, false},
		{"it accepts and does nothing", startDeaf, false},
		{"it accepts and does nothing, in TLS", startDeaf, true},
	} {
		before := holdingsNow(t)
		t.Run(row.name, func(t *testing.T) {
			seed := drawSeed(t)
			defer watch(seed).Stop()
			cfg := Config{Name: "cache", Upstream: row.start(t)}
			secret := newSecret(t)
			if row.tls {
				cfg.TLS = secret.link
			}
			g, j, stop := runGate(t, cfg)
			s := newSoak(t, g, j, stop, dialPlain(g))
			if row.tls {
				s.crew.dial = dialInTLS(g, secret)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s.crew.hush = make(chan struct{})
			for range 4 {
				s.crew.all.Go(func() { s.crew.repeat(ctx, func() error { return s.crew.neverRead(ctx) }) })
			}
			s.oneByOne(t)
			s.together(t, rand.New(rand.NewPCG(seed, 0)), 20)
			s.crew.end(cancel)
			start := time.Now()
			s.stop()
			t.Logf("Run ended %v after its context", time.Since(start))
			s.checkEvents(t)
			s.tellReverts(t)
		})
		before.compare(t)
	}
}

// oneByOne puts each kind in force while clients wait, for long enough that they
// meet it.
func (s *soak) oneByOne(t *testing.T) {
	t.Helper()
	for _, doc := range s.kinds {
		f, err := drawFault(rand.New(rand.NewPCG(1, 1)), []chaos.KindDoc{doc})
		if err != nil {
			t.Fatal(err)
		}
		waitFor(t, "clients", func() bool { return s.gate.Stats().Live >= 4 })
		s.take(t, turn{fault: f, hold: 20 * time.Millisecond})
	}
}

func (s *soak) together(t *testing.T, rng *rand.Rand, cycles int) {
	t.Helper()
	for range cycles {
		turns, err := drawCycle(rng, s.kinds, false)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, one := range turns {
			all.Go(func() { s.take(t, one) })
		}
		all.Wait()
	}
}

// TestRunEndsWhateverIsInForce: Run is told to end at any moment of a cycle. It
// leaves nothing, and Inject and Revert return.
func TestRunEndsWhateverIsInForce(t *testing.T) {
	gates := 60
	if testing.Short() {
		gates = 10
	}
	seed := drawSeed(t)
	rng := rand.New(rand.NewPCG(seed, 0))
	defer watch(seed).Stop()
	before := holdingsNow(t)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it would close what was forgotten
	for range gates {
		open := descriptors(t)
		t.Run("", func(t *testing.T) { endAnywhere(t, rng) })
		waitFor(t, "descriptors as before", func() bool { return descriptors(t) <= open })
		runtime.GC()
	}
	before.compare(t)
}

func endAnywhere(t *testing.T, rng *rand.Rand) {
	s := startPlainSoak(t)
	turns, err := drawCycle(rng, s.kinds, false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.crew.weather.begin(every) // the end of Run is worse than any fault
	s.crew.begin(ctx, rng.Uint64(), 4)
	var all sync.WaitGroup
	for _, one := range turns {
		all.Go(func() {
			time.Sleep(one.after)
			r, err := s.gate.Inject(ctx, one.fault)
			if err != nil {
				return // it has ended
			}
			time.Sleep(one.hold)
			if _, err := r.Revert(ctx); err != nil {
				t.Errorf("Revert(%s): %v", one.fault, err)
			}
		})
	}
	time.Sleep(drawTime(rng, 0, 20*time.Millisecond))
	s.stop()
	all.Wait()
	cancel()
	s.crew.end(cancel)
	s.checkEvents(t)
}
