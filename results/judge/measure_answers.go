package judge

import (
	"fmt"
	"time"

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

func regressions(q question) reading {
	return ofCheck(q.answers().Regressions, "answers with a predecessor", "no two answers of one key said a version one after the other")
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

func staleness(q question) reading {
	s := q.answers().Stale
	if s.N == 0 {
		return unknown(0, "no read followed an acknowledged write of its key")
	}
	r := reading{value: s.Max.Seconds(), n: s.N, of: "reads after a write"}
	if s.Stale > 0 {
		r.note = fmt.Sprintf("%d of %d reads were stale; the worst: %s/%s due at %v", s.Stale, s.N, s.Worst.Environment, s.Worst.Key, s.Worst.Due.Round(time.Millisecond))
	}
	return r
}
