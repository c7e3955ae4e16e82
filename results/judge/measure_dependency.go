package judge

import (
	"fmt"
	"slices"
	"time"

	"brownout/results"
	"brownout/results/figures"
)

// attempts are the connection attempts on the link in braces, made in [from, to). why
// says why they cannot be known.
func (q question) attempts(from, to time.Duration) (all []figures.Attempt, why string) {
	link := q.where["link"]
	c := figures.ConnectionsOf(q.rec, link, from, to)
	switch {
	case c.Unseen:
		return nil, fmt.Sprintf("a fault kept the port of %s closed: attempts could not be seen", link)
	case !c.Seen:
		return nil, fmt.Sprintf("no connection was ever seen on the link %s", link)
	}
	return figures.AttemptsOf(q.rec, link, from, to), ""
}

func connectsPeak(q question) reading {
	all, why := q.attempts(q.window.Start, q.window.End)
	width := q.defaults.PeakWindow
	switch {
	case why != "":
		return reading{why: why}
	case q.window.Length() < width:
		return unknown(0, "the phase is shorter than %v", width)
	}
	peak := figures.Peak(figures.Times(all), width)
	return reading{value: float64(peak) / width.Seconds(), n: len(q.hits())}
}

func backoffBase(q question) reading {
	return q.backoff(func(b figures.Backoff) float64 { return b.Base.Seconds() }, figures.ShapeUnclear, figures.ShapeIrregular)
}

func backoffFactor(q question) reading {
	return q.backoff(func(b figures.Backoff) float64 { return b.Factor }, figures.ShapeUnclear, figures.ShapeIrregular)
}

func backoffCap(q question) reading {
	return q.backoff(func(b figures.Backoff) float64 { return b.Longest.Seconds() })
}

func backoffJitter(q question) reading {
	return q.backoff(func(b figures.Backoff) float64 { return b.Jitter }, figures.ShapeIrregular)
}

// backoff reads a figure from the rule by which the target pauses. Of some shapes it
// does not tell.
func (q question) backoff(figure func(figures.Backoff) float64, not ...figures.Shape) reading {
	all, why := q.attempts(q.window.Start, q.window.End)
	d := q.defaults
	switch {
	case why != "":
		return reading{why: why}
	case q.instances() > 1:
		return unknown(0, "the attempts of %d instances cannot be told apart", q.instances())
	}
	b := figures.BackoffOf(all, figures.Patience{Least: d.BackoffPauses, Tight: d.BackoffTight, Round: d.BackoffRound})
	switch {
	case b.Shape == figures.ShapeNone:
		return unknown(b.Attempts, "%d attempts in a row without an answer, with %d pauses, are too few: want %d pauses", b.Attempts, len(b.Pauses), d.BackoffPauses)
	case !slices.Contains(not, b.Shape):
	case b.Shape == figures.ShapeUnclear:
		return unknown(b.Attempts, "%d pauses vary too much to tell whether they grow", len(b.Pauses))
	default:
		return unknown(b.Attempts, "%d pauses vary more than jitter does: these attempts follow no rule of their own", len(b.Pauses))
	}
	return reading{value: figure(b), n: b.Attempts, of: "attempts without an answer", note: explainBackoff(b)}
}

func explainBackoff(b figures.Backoff) string {
	text := fmt.Sprintf("%s from %d attempts", b.Shape, b.Attempts)
	if b.Shape == figures.ShapeTight {
		return text
	}
	text += fmt.Sprintf(": %s", Seconds.Format(b.Base.Seconds()))
	if b.Shape == figures.ShapeGrowing {
		text += fmt.Sprintf(" × %s", Ratio.Format(b.Factor))
	}
	return text + fmt.Sprintf(", longest pause %s, jitter %s", Seconds.Format(b.Longest.Seconds()), Share.Format(b.Jitter))
}

// instances is how many instances of the target were driven.
func (q question) instances() int {
	if len(q.load) == 0 {
		return 0
	}
	return 1 + slices.MaxFunc(q.load, func(a, b results.Hit) int { return a.Instance - b.Instance }).Instance
}

func synchrony(q question) reading {
	healed, ok := figures.LastEnd(q.rec, q.window)
	if !ok {
		return unknown(0, "no fault had ended by then")
	}
	all, why := q.attempts(healed, q.window.End)
	d := q.defaults
	switch {
	case why != "":
		return reading{why: why}
	case len(all) < d.SyncConnects:
		return unknown(len(all), "%d attempts to connect since the fault are too few: want %d", len(all), d.SyncConnects)
	}
	peak := figures.Peak(figures.Times(all), d.SyncWindow)
	return reading{value: figures.Share(peak, len(all)), n: len(all), of: "attempts to connect"}
}

func commandsPerRequest(q question) reading { return q.perRequest(q.where["link"]) }

func queriesPerRequest(q question) reading { return q.perRequest(results.LinkDatabase) }

func (q question) perRequest(link string) reading {
	x, r := q.passed(link)
	r.value = float64(x.Sent) / float64(max(r.n, 1))
	return r
}

func bytesPerHit(q question) reading {
	x, r := q.passed(q.where["link"])
	r.value = float64(x.Bytes) / float64(max(r.n, 1))
	return r
}

func probeRate(q question) reading {
	all, why := q.attempts(q.window.Start, q.window.End)
	if why != "" {
		return reading{why: why}
	}
	hits := q.hits()
	for _, h := range hits {
		if h.OK() && h.Op == results.OpRead && h.Source == results.SourceHit {
			return unknown(0, "the cache answered reads: it was not given up")
		}
	}
	x, r := q.passed(q.where["link"])
	if r.why == "" || !x.Seen { // a link may carry no command for a whole run
		r = reading{value: float64(max(len(all), x.Sent)) / max(q.window.Length().Seconds(), 1e-9), n: len(hits)}
	}
	return r
}

func stampede(q question) reading {
	_, r := q.passed(results.LinkDatabase)
	if r.why != "" || r.n == 0 {
		return r
	}
	most := figures.OverlapOf(q.rec, results.LinkDatabase, "SELECT", q.window.Start, q.window.End)
	r.value = float64(most.Most)
	if most.Most > 0 {
		r.note = fmt.Sprintf("at %v: %s", most.At.Round(time.Millisecond), most.Pattern)
	}
	return r
}
