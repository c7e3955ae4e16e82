package link

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"brownout/chaos"
	"brownout/results"
)

var soakSeed = flag.Uint64("seed", 0, "what the soak draws from; 0: another one each time")

const (
	// revertedWithin is far more than a revert takes: this machine may be busy.
	revertedWithin = 5 * time.Second
	// soakGuard ends a soak that hangs.
	soakGuard = 5 * time.Minute
	// calmCycles is how many cycles in a row have no fault that ends connections, and
	// how many in a row may.
	calmCycles = 25
)

// TestSoak puts random faults on a gate under load and takes them away again.
func TestSoak(t *testing.T) {
	seed := drawSeed(t)
	for _, row := range []struct {
		name          string
		cycles, short int
		start         func(*testing.T) *soak
	}{
		{"a link that carries bytes", 1000, 60, startPlainSoak},
		{"a link that speaks TLS", 80, 20, startSecretSoak},
		{"a link that knows Redis", 120, 30, func(t *testing.T) *soak { return startTongue(t, inRESP{}) }},
		{"a link that knows PostgreSQL", 80, 30, func(t *testing.T) *soak { return startTongue(t, inPgwire{}) }},
	} {
		cycles := row.cycles
		if testing.Short() {
			cycles = row.short
		}
		before := holdingsNow(t)
		t.Run(row.name, func(t *testing.T) {
			defer watch(seed).Stop()
			s := row.start(t)
			s.run(t, seed, cycles)
		})
		before.compare(t)
	}
}

// drawSeed draws a seed, or takes the one that was given.
func drawSeed(t *testing.T) uint64 {
	t.Helper()
	seed := *soakSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("again with: go test ./chaos/link -run '^%s$' -seed %d", strings.Split(t.Name(), "/")[0], seed)
	return seed
}

// A soak is a gate under load.
type soak struct {
	gate    *Gate
	journal *journal
	stop    func()
	kinds   []chaos.KindDoc
	crew    *crew

	mu      sync.Mutex
	reverts map[chaos.Kind][]time.Duration
	bites   map[chaos.Kind]int
}

func startPlainSoak(t *testing.T) *soak {
	g, j, stop := startGate(t, startEcho(t).addr())
	return newSoak(t, g, j, stop, dialPlain(g))
}

func dialPlain(g *Gate) func() (*peer, error) {
	return func() (*peer, error) {
		c, err := net.DialTimeout("tcp", g.Addr(), guardTime)
		if err != nil {
			return nil, err
		}
		tcp := c.(*net.TCPConn)
		return &peer{tcp, tcp}, nil
	}
}

func newSoak(t *testing.T, g *Gate, j *journal, stop func(), dial func() (*peer, error)) *soak {
	return &soak{
		gate: g, journal: j, stop: stop, kinds: soakKinds(),
		reverts: map[chaos.Kind][]time.Duration{}, bites: map[chaos.Kind]int{},
		crew: &crew{t: t, weather: new(weather), dial: dial},
	}
}

func (s *soak) run(t *testing.T, seed uint64, cycles int) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.crew.begin(ctx, seed, 4)
	rng := rand.New(rand.NewPCG(seed, 1<<32))
	for i := range cycles {
		turns, err := drawCycle(rng, s.kinds, i/calmCycles%2 == 1)
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, one := range turns {
			all.Go(func() { s.take(t, one) })
		}
		all.Wait()
		if t.Failed() {
			t.Logf("in or before cycle %d: %v", i, turns)
			break
		}
	}
	start := time.Now()
	s.crew.end(cancel)
	t.Logf("clients ended %v", time.Since(start))
	start = time.Now()
	s.stop()
	t.Logf("Run ended %v after its context", time.Since(start))
	s.checkEvents(t)
	s.tell(t)
}

// take puts a fault in force and takes it away again.
func (s *soak) take(t *testing.T, one turn) {
	time.Sleep(one.after)
	h := harms(one.fault)
	s.crew.weather.begin(h)
	defer s.crew.weather.end(h)
	r, err := s.gate.Inject(t.Context(), one.fault)
	if err != nil {
		t.Errorf("Inject(%s): %v", one.fault, err)
		return
	}
	time.Sleep(one.hold)
	start := time.Now()
	ev, err := r.Revert(t.Context())
	took := time.Since(start)
	if err != nil || took > revertedWithin {
		t.Errorf("Revert(%s) = %v after %v, want no error within %v", one.fault, err, took, revertedWithin)
	}
	if ev.Bites > ev.Chances || ev.Bites < 0 {
		t.Errorf("Revert(%s): %d bites of %d chances", one.fault, ev.Bites, ev.Chances)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reverts[one.fault.Kind] = append(s.reverts[one.fault.Kind], took)
	s.bites[one.fault.Kind] += ev.Bites
}

// checkEvents holds that each connection has one connect and one close, in this order.
func (s *soak) checkEvents(t *testing.T) {
	t.Helper()
	open, over := map[uint64]results.Conn{}, map[uint64]bool{}
	for _, e := range s.journal.all() {
		id := e.Conn.ID
		_, live := open[id]
		switch {
		case e.Kind == results.EventConnect && !live && !over[id]:
			open[id] = *e.Conn
		case e.Kind == results.EventClose && live:
			if s.crew.tongue != nil && e.Conn.Aside != "" {
				t.Errorf("connection %d was not followed to its end: %s", id, e.Conn.Aside)
			}
			if c := open[id]; c.Client != e.Conn.Client || c.Opened != e.Conn.Opened || e.Conn.By == "" || e.Conn.Closed < c.Opened {
				t.Errorf("connection %d: connect = %+v, close = %+v", id, c, *e.Conn)
			}
			delete(open, id)
			over[id] = true
		default:
			t.Errorf("connection %d: %s does not fit what was told of it before", id, e.Kind)
		}
	}
	if st := s.gate.Stats(); len(open) > 0 || st.Live != 0 || st.Opened != uint64(len(over)) {
		t.Errorf("%d connections were not told to be closed, Stats() = %+v, want %d opened", len(open), st, len(over))
	}
}

// tell logs what was done, and fails a soak that checked nothing.
func (s *soak) tell(t *testing.T) {
	t.Helper()
	c := s.crew
	t.Logf("%d connections, %d talked, %d wholly checked, %d dials failed, %d bytes, %d replies forged",
		s.gate.Stats().Opened, c.sessions.Load(), c.whole.Load(), c.refused.Load(), c.bytes.Load(), c.forged.Load())
	if c.whole.Load() == 0 {
		t.Error("nothing was wholly checked")
	}
	for kind, all := range s.reverts {
		if len(all) >= 50 && s.bites[kind] == 0 {
			t.Errorf("none of %d faults %s bit", len(all), kind)
		}
	}
	s.tellReverts(t)
}

// tellReverts logs how long reverts took.
func (s *soak) tellReverts(t *testing.T) {
	t.Helper()
	for kind, all := range s.reverts {
		mid := median(all)
		t.Logf("%-20s %4d reverts, median %v, longest %v, %d bites", kind, len(all),
			mid.Round(time.Microsecond), all[len(all)-1].Round(time.Microsecond), s.bites[kind])
	}
}

// watch ends a test that hangs, and shows where.
func watch(seed uint64) *time.Timer {
	return time.AfterFunc(soakGuard, func() {
		buf := make([]byte, 16<<20)
		panic(fmt.Sprintf("the soak with seed %d has not ended after %v\n%s", seed, soakGuard, buf[:runtime.Stack(buf, true)]))
	})
}

func startSecretSoak(t *testing.T) *soak {
	secret := newSecret(t)
	g, j, stop := runGate(t, Config{Name: "cache", Upstream: startSecretEcho(t, secret).addr(), TLS: secret.link})
	return newSoak(t, g, j, stop, dialInTLS(g, secret))
}

func dialInTLS(g *Gate, s secret) func() (*peer, error) {
	plain := dialPlain(g)
	return func() (*peer, error) {
		p, err := plain()
		if err == nil {
			p.duplex = tls.Client(p.raw, s.client)
		}
		return p, err
	}
}
