package toxiproxy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"brownout/chaos"
	"brownout/results"
)

const (
	probeEvery = 500 * time.Millisecond
	// A delay below leastDelay cannot be told from the noise of a round trip.
	leastDelay = 5 * time.Millisecond
	baselines  = 3 // probes before the fault
)

// A prober feels a fault with connections of its own: at the start and every half
// second.
type prober struct {
	path
	fault  chaos.Fault
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu                      sync.Mutex // guards what was felt
	chances, bites, refused int
	delays                  []time.Duration // beyond the usual time
	silence                 time.Duration   // the longest
}

// newProber probes the way before the fault.
func newProber(ctx context.Context, cfg Config, address string, f chaos.Fault) (*prober, error) {
	p := &prober{path: path{address: address, ask: cfg.Ask, answer: cfg.Answer}, fault: f}
	if delays(f.Kind) && p.expected() < leastDelay {
		return nil, fmt.Errorf("a question of %d bytes and an answer of %d do not show %s: probe with larger ones", len(cfg.Ask), cfg.Answer, f)
	}
	var all []time.Duration
	for range baselines {
		took, err := p.roundTrip(ctx)
		if err != nil {
			return nil, fmt.Errorf("probing %s before the fault: %w", address, err)
		}
		all = append(all, took)
	}
	p.usual = slices.Min(all) // what is slower was held up by something else
	return p, nil
}

func delays(k chaos.Kind) bool {
	return k == chaos.Latency || k == chaos.Bandwidth || k == chaos.Slice
}

// expected is what the fault adds to the round trip of a probe, on average.
func (p *prober) expected() time.Duration {
	var sum time.Duration
	for _, stream := range streams(p.fault) {
		n := p.answer
		if stream == upstream {
			n = len(p.ask)
		}
		switch p.fault.Kind {
		case chaos.Bandwidth:
			sum += time.Duration(n) * time.Second / time.Duration(p.fault.Rate)
		case chaos.Slice:
			sum += time.Duration((n-1)/p.fault.Size) * p.fault.GapTime()
		default:
			sum += p.fault.Latency
		}
	}
	return sum
}

// floor is the least delay that counts as a bite.
func (p *prober) floor() time.Duration {
	jitter := p.fault.Jitter * time.Duration(len(streams(p.fault)))
	return max((p.expected()-jitter)*9/10, 1)
}

func (p *prober) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.done.Go(func() {
		tick := time.NewTicker(probeEvery)
		defer tick.Stop()
		for {
			p.probe(ctx)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
}

// probe makes one. One that is cut short by the end of the fault does not count.
func (p *prober) probe(ctx context.Context) {
	s, err := p.feel(ctx)
	if err != nil || ctx.Err() != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chances++
	if s.felt {
		p.bites++
	}
	if p.fault.Kind == chaos.Refuse && s.felt {
		p.refused++
	}
	if s.delayed > 0 {
		p.delays = append(p.delays, s.delayed)
	}
	p.silence = max(p.silence, s.silence)
}

// finish ends probing and returns what was felt.
func (p *prober) finish() results.Evidence {
	p.cancel()
	p.done.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	ev := results.Evidence{
		Occasion: "probes of our own through the proxy", Chances: p.chances, Bites: p.bites,
		Silence: p.silence, Refused: p.refused, DelayMeasured: median(p.delays),
	}
	if p.fault.Kind == chaos.Latency || p.fault.Kind == chaos.SlowClose {
		ev.DelayAsked = p.expected()
	}
	return ev
}

// median sorts all and returns the one in the middle, 0 if there is none.
func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}
