package judge

import (
	"fmt"
	"time"

	"brownout/results"
	"brownout/results/figures"
)

// A question is one expectation about one stretch of a run.
type question struct {
	rec      *results.Recording
	defaults Defaults
	where    map[string]string
	window   figures.Window // of the whole run: without a phase
	load     []results.Hit  // all load of the run
	answers  func() figures.Answers
}

// hits returns the load of the window that the selector selects.
func (q question) hits() []results.Hit {
	due := figures.Due(q.load, q.window.Start, q.window.End)
	return figures.Where(due, results.Op(q.where["op"]), results.Source(q.where["source"]))
}

// A reading is the measured value of a figure.
type reading struct {
	value float64
	// more: the true value is not known, but no less than value.
	more bool
	n    int    // hits (or what the kind counts) that could have missed
	of   string // what n counts, if not hits
	why  string // why there is no value
	note string // what makes the value plain: the first wrong answer, …
}

func unknown(n int, format string, args ...any) reading {
	return reading{n: n, why: fmt.Sprintf(format, args...)}
}

func latency(q float64) func(question) reading {
	return func(ask question) reading {
		all := figures.Sorted(ask.hits(), results.Hit.Latency)
		if need := figures.Need(q, ask.defaults.TailHits); len(all) > 0 && len(all) < need {
			return unknown(len(all), "%d hits are too few: p%g needs %d", len(all), q*100, need)
		}
		return reading{value: figures.Quantile(all, q).Seconds(), n: len(all)}
	}
}

func errorCount(q question) reading {
	hits := q.hits()
	failed := figures.Failed(hits)
	r := reading{value: float64(len(failed)), n: len(hits)}
	if len(failed) > 0 {
		r.note = fmt.Sprintf("first at %v: %s %s", failed[0].Due.Round(time.Millisecond), failed[0].Error, failed[0].Detail)
	}
	return r
}

func errorRate(q question) reading {
	r := errorCount(q)
	r.value = figures.Share(int(r.value), r.n)
	return r
}

func goodput(q question) reading {
	hits := q.hits()
	return reading{value: figures.Sum(hits, q.window.Length()).Goodput, n: len(hits)}
}

func cacheHits(q question) reading {
	return shareOf(q, results.SourceHit)
}

func sourceShare(q question) reading {
	source := results.Source(q.where["source"])
	q.where = nil // the share is of all sources
	return shareOf(q, source)
}

func shareOf(q question, source results.Source) reading {
	s := figures.Sum(q.hits(), q.window.Length())
	if s.Told == 0 && s.Hits > 0 {
		return unknown(0, "no read said where its answer came from")
	}
	return reading{value: s.SourceShare(source), n: s.Told, of: "reads that say their source"}
}

func connects(q question) reading {
	link := q.where["link"]
	c := figures.ConnectionsOf(q.rec, link, q.window.Start, q.window.End)
	switch {
	case c.Unseen:
		return unknown(0, "a fault kept the port of %s closed: attempts could not be seen", link)
	case !c.Seen:
		return unknown(0, "no connection was ever seen on the link %s", link)
	case q.window.Length() <= 0:
		return unknown(0, "the phase has no time in which it could be judged")
	}
	// None is a value too: the hits are what could have made the target connect.
	return reading{value: float64(c.Connects) / q.window.Length().Seconds(), n: len(q.hits())}
}

func commands(q question) reading { return q.exchanges(q.where["link"]) }

func databaseQueries(q question) reading { return q.exchanges(results.LinkDatabase) }

// exchanges is the rate of what passed link.
func (q question) exchanges(link string) reading {
	x := figures.ExchangesOf(q.rec, link, q.window.Start, q.window.End)
	switch {
	case !x.Seen:
		return unknown(0, "no command was ever seen on the link %s", link)
	case x.Aside != "":
		return unknown(0, "the link %s could not follow a connection: %s", link, x.Aside)
	case q.window.Length() <= 0:
		return unknown(0, "the phase has no time in which it could be judged")
	}
	// None is a value too: the hits are what could have made the target ask.
	return reading{value: float64(x.Sent) / q.window.Length().Seconds(), n: len(q.hits())}
}

func recovery(q question) reading {
	return q.recover(func(hits []results.Hit) (good, said bool) {
		return len(figures.Failed(hits)) == 0, true
	})
}

func cacheBack(q question) reading {
	return q.recover(func(hits []results.Hit) (good, said bool) {
		s := figures.Sum(figures.Where(hits, results.OpRead, ""), q.defaults.RecoveryWindow)
		back := figures.Share(s.Sources[results.SourceHit], s.Told+s.Errors)
		return back >= q.defaults.CacheBackShare, s.Told+s.Errors > 0
	})
}

func (q question) recover(good func([]results.Hit) (good, said bool)) reading {
	end, ok := figures.LastEnd(q.rec, q.window)
	if !ok {
		return unknown(0, "no fault had ended by then")
	}
	d := q.defaults
	r := figures.Recover(q.load, figures.Watch{From: end, To: q.window.End, Width: d.RecoveryWindow, K: d.RecoveryCount, Good: good})
	if r.Reached {
		return reading{value: r.After.Seconds(), n: r.Hits}
	}
	return reading{
		value: r.Observed.Seconds(), more: true, n: r.Hits,
		note: fmt.Sprintf("no %d good windows of %v in a row within %v after the fault", d.RecoveryCount, d.RecoveryWindow, (q.window.End - end).Round(time.Millisecond)),
	}
}
