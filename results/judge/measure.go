package judge

import (
	"cmp"
	"fmt"
	"time"

	"brownout/results"
	"brownout/results/figures"
)

// A question is one expectation about one stretch of a run.
type question struct {
	trial
	where  map[string]string
	window figures.Window // of the whole run: without a phase
}

// hits returns the load of the window that the selector selects.
func (q question) hits() []results.Hit {
	return figures.Where(q.due(), results.Op(q.where["op"]), results.Source(q.where["source"]))
}

// due returns all load of the window.
func (q question) due() []results.Hit { return figures.Due(q.load, q.window.Start, q.window.End) }

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

// What of a hit's time a quantile is of; the label "time" says so. Without it, it is
// the latency.
const (
	timeService  = "service"
	timeLateness = "lateness"
)

func (q question) takes() func(results.Hit) time.Duration {
	switch q.where["time"] {
	case timeService:
		return results.Hit.ServiceTime
	case timeLateness:
		return results.Hit.Lateness
	}
	return results.Hit.Latency
}

func latency(q float64) func(question) reading {
	return func(ask question) reading {
		op, source := results.Op(ask.where["op"]), results.Source(ask.where["source"])
		return ask.quantile(figures.SortedWhere(ask.dueAfter(), op, source, ask.takes()), q, "")
	}
}

// dueAfter is the load of the window without that of its beginning: what a client does
// at first, and what it does once it has understood, are two things.
func (q question) dueAfter() []results.Hit {
	after, err := time.ParseDuration(cmp.Or(q.where["after"], "0s"))
	if err != nil { // of a manifest that was made by hand
		return nil
	}
	return figures.Due(q.load, q.window.Start+after, q.window.End)
}

// quantile is the quantile at of sorted, if that is enough for one. of says what
// they are taken of, if not of hits.
func (q question) quantile(sorted []time.Duration, at float64, of string) reading {
	n := len(sorted)
	if need := figures.Need(at, q.defaults.TailHits); n > 0 && n < need {
		return unknown(n, "%d %s are too few: p%g needs %d", n, cmp.Or(of, "hits"), at*100, need)
	}
	return reading{value: figures.Quantile(sorted, at).Seconds(), n: n, of: of}
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
	r := reading{n: len(hits)}
	if length := q.window.Length(); length > 0 {
		r.value = float64(figures.Good(hits)) / length.Seconds()
	}
	return r
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
	of, told := figures.Sources(q.hits())
	if told == 0 && len(q.hits()) > 0 {
		return unknown(0, "no read said where its answer came from")
	}
	return reading{value: figures.Share(of[source], told), n: told, of: "reads that say their source"}
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
	x, r := q.passed(link)
	if r.why == "" {
		r.value = float64(x.Sent) / q.window.Length().Seconds()
	}
	return r
}

// passed is what passed link, and a reading that lacks the value: why it cannot be
// known, or how many hits could have made the target ask. None is a value too.
func (q question) passed(link string) (figures.Exchanges, reading) {
	x := figures.ExchangesOf(q.rec, link, q.window.Start, q.window.End)
	switch {
	case !x.Seen:
		return x, unknown(0, "no command was ever seen on the link %s", link)
	case x.Aside != "":
		return x, unknown(0, "the link %s could not follow a connection: %s", link, x.Aside)
	case q.window.Length() <= 0:
		return x, unknown(0, "the phase has no time in which it could be judged")
	}
	return x, reading{n: len(q.hits())}
}

func recovery(q question) reading {
	return q.recover(func(hits []results.Hit) (good, said bool) {
		return figures.Good(hits) == len(hits), true
	})
}

func cacheBack(q question) reading {
	return q.recover(func(hits []results.Hit) (good, said bool) {
		reads := figures.Where(hits, results.OpRead, "")
		of, told := figures.Sources(reads)
		asked := told + len(reads) - figures.Good(reads)
		return figures.Share(of[results.SourceHit], asked) >= q.defaults.CacheBackShare, asked > 0
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
