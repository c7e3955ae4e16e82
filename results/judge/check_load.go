package judge

import (
	"fmt"
	"math"
	"time"

	"brownout/results"
	"brownout/results/figures"
)

const laterRemedy = "lower the rate, or give the load generator more CPU: its lateness is in every latency"

func (t trial) checkLateness() Finding {
	f := promise(fmt.Sprintf("lateness p99 <= %v over the whole load", t.defaults.LatenessP99), "")
	f.N, f.Figure = len(t.load), "lateness"
	p99 := figures.SpreadOf(t.load, results.Hit.Lateness).P99
	f.Measured, f.Value = Seconds.Format(p99.Seconds()), p99.Seconds()
	if len(t.load) == 0 {
		return broken(f, "no hit was sent", "look at the run's events: did the load start?")
	}
	if p99 > t.defaults.LatenessP99 {
		return broken(f, fmt.Sprintf("the load generator was late: lateness p99 %s, bound %v", f.Measured, t.defaults.LatenessP99), laterRemedy)
	}
	return f
}

// checkLate asks whether one phase was sent late, which the p99 over the whole
// load may not show. A single late hit is let pass.
func (t trial) checkLate(w figures.Window) Finding {
	d := t.defaults
	f := promise(fmt.Sprintf("at most %s of the hits are later than %v", Share.Format(d.LateShare), d.LateBound), w.Phase.Name)
	hits := figures.Due(t.load, w.Start, w.End)
	late := 0
	for _, h := range hits {
		if h.Lateness() > d.LateBound {
			late++
		}
	}
	f.N, f.Figure, f.Value = len(hits), "late", figures.Share(late, len(hits))
	f.Measured = Share.Format(f.Value)
	if late > 1 && f.Value > d.LateShare {
		return broken(f, fmt.Sprintf("the load generator was late: %s of the hits in %s were more than %v late", f.Measured, w.Phase.Name, d.LateBound), laterRemedy)
	}
	return f
}

// checkRate asks whether the hits that the schedule had for phase i were sent. The
// schedule begins with the first hit. Two hits more or less are rounding.
func (t trial) checkRate(i int, w figures.Window) Finding {
	f := promise(fmt.Sprintf("at least %s of the scheduled hits are sent", Share.Format(t.defaults.RateReached)), w.Phase.Name)
	var from time.Duration
	if len(t.load) > 0 {
		from = t.load[0].Due
	}
	for _, before := range t.rec.Manifest.Phases[:i] {
		from += before.For
	}
	p := w.Phase
	scheduled := int(math.Round(p.For.Seconds() * (p.RateFrom + p.RateTo) / 2))
	sent := len(figures.Due(t.load, from, from+p.For))
	f.N, f.Figure, f.Value = scheduled, "sent", min(figures.Share(sent, scheduled), 1)
	f.Measured = fmt.Sprintf("%d of %d", sent, scheduled)
	if sent+2 < scheduled && f.Value < t.defaults.RateReached {
		skipped := ""
		if n := figures.Skipped(t.rec.Hits, from, from+p.For); n > 0 {
			skipped = fmt.Sprintf(", and %d were skipped as too late", n)
		}
		return broken(f, fmt.Sprintf("the rate was not reached in %s: %d of %d scheduled hits were sent%s", p.Name, sent, scheduled, skipped),
			"lower the rate, or give the load generator more CPU")
	}
	return f
}
