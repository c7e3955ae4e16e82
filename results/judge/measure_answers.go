package judge

import (
	"fmt"
	"time"

	"brownout/results"
	"brownout/results/figures"
)

func wrongAnswers(q question) reading {
	return ofCheck(q.answers().Wrong, "answers", "no answer carried a token")
}

func lostWrites(q question) reading {
	lost := q.answers().Lost
	if len(lost.Misses) == 0 && lost.Open > 0 {
		return unknown(lost.N, "%d of the keys that were written could not be read back", lost.Open)
	}
	return ofCheck(lost, "keys read back", "no key had an acknowledged write and a readback")
}

// overAll is the value of the label "over" that takes all instances as one.
const overAll = "all"

func regressions(q question) reading {
	c := q.answers().Regressions
	if q.where["over"] == overAll {
		c = q.answers().OverAll
	}
	return ofCheck(c, "answers with a predecessor", "no two answers of one key said a version one after the other")
}

func ofCheck(c figures.Check, of, none string) reading {
	r := reading{value: float64(len(c.Misses)), n: max(c.N, len(c.Misses)), of: of}
	if len(c.Misses) == 0 {
		if c.N == 0 {
			r.why = none
		}
		return r
	}
	m := c.Misses[0]
	r.note = fmt.Sprintf("first: %s of %s/%s due at %v %s", m.Hit.Op, m.Hit.Environment, m.Hit.Key, m.Hit.Due.Round(time.Millisecond), m.Why)
	return r
}

// What n counts of figures on the age of reads, and why there is none.
const (
	readsAfterWrites = "reads after a write"
	noReadsAfter     = "no read followed an acknowledged write of its key"
)

func staleness(q question) reading {
	s := q.answers().Stale
	if s.N == 0 {
		return unknown(0, noReadsAfter)
	}
	r := reading{value: s.Max.Seconds(), n: s.N, of: readsAfterWrites}
	if name := q.where["q"]; name != "" {
		r = q.quantile(s.Ages, quantileOf(name), readsAfterWrites)
	}
	if s.Stale > 0 {
		r.note = fmt.Sprintf("%d of %d reads were stale; the worst: %s", s.Stale, s.N, place(s.Worst))
	}
	return r
}

// place says which hit it was.
func place(h results.Hit) string {
	return fmt.Sprintf("%s/%s due at %v", h.Environment, h.Key, h.Due.Round(time.Millisecond))
}

func versionsBehind(q question) reading {
	s := q.answers().Stale
	if s.N == 0 {
		return unknown(0, noReadsAfter)
	}
	r := reading{value: float64(s.Behind), n: s.N, of: readsAfterWrites}
	if s.Behind > 0 {
		r.note = "the read furthest behind: " + place(s.Hindmost)
	}
	return r
}

func invisibleAfter(q question) reading {
	after, err := time.ParseDuration(q.where["after"])
	if err != nil { // made by hand
		return unknown(0, "%q is no time", q.where["after"])
	}
	c := figures.InvisibleAfter(q.histories(), after)
	r := ofCheck(c, "writes whose key was read so late", fmt.Sprintf("no key was read %v or more after an acknowledged write", after))
	r.value = figures.Share(len(c.Misses), c.N)
	return r
}

func nonLinearizable(q question) reading {
	l := q.rec.Linearizability
	switch {
	case l == nil:
		return unknown(0, "nobody searched for an order; that is done right after a run whose scenario has this expectation")
	case len(l.Violated) == 0 && len(l.Undecided) > 0:
		return unknown(l.Keys, "%d of %d keys were not decided within %v", len(l.Undecided), l.Keys, l.Limit)
	case l.Keys == 0:
		return unknown(0, "no key was both written to and read")
	}
	r := reading{value: float64(len(l.Violated)), n: l.Keys, of: "keys"}
	if len(l.Violated) > 0 {
		r.note = fmt.Sprintf("first: %s/%s", l.Violated[0].Environment, l.Violated[0].Key)
	}
	return r
}
