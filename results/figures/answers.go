package figures

import (
	"fmt"
	"slices"

	"brownout/results"
)

// Answers is what the history of a run says of the target's answers.
type Answers struct {
	Wrong       Check
	Lost        Check
	Regressions Check // each instance by itself
	OverAll     Check // regressions over all instances
	Stale       Staleness
	// Unknown counts the writes of unknown outcome. They widen what reads may return.
	Unknown int
}

// A Check counts what could have gone wrong and what did.
type Check struct {
	N      int // occasions on which a miss would have been seen
	Open   int // occasions on which one could not be seen, though it might have been there
	Misses []Miss
}

// A Miss is one hit that went wrong.
type Miss struct {
	Hit results.Hit
	Why string
}

func (c *Check) miss(h *results.Hit, format string, args ...any) {
	c.Misses = append(c.Misses, Miss{*h, fmt.Sprintf(format, args...)})
}

// AnswersOf judges each answer of the run by the writes of its key.
//
// Wrong: an answer with a token that no write of its key carried that was sent
// before the answer was done; one with another version than was acknowledged for
// its token; one without a token, or that there is no such flag (404, 410), although
// the key had been written to, if the target says tokens. The first value of a key that was not seeded is not known:
// a token that nobody wrote is then let pass, and not counted in N. Readbacks are
// answers too.
//
// Stale: for a read, the time from the acknowledgement of the first write that is
// newer than what was read to when the read was sent. Only writes acknowledged
// before the read was sent count. Zero if there is none. An answer that stems
// from no known write and has no version has no age.
//
// Lost: an acknowledged write that is newer than what the last readback of its
// key returned; readbacks come after all faults. A flag that the target says it
// does not have (404, 410) has lost all its writes; a key whose readback failed
// otherwise is open. A readback of nothing known
// loses the last acknowledged write. N counts keys with an acknowledged write (a
// seed alone is not enough) and a readback.
//
// Regression: an answer with a smaller version than that of another answer of the
// same key which was done before it was sent. N counts answers that have such a
// predecessor.
func AnswersOf(rec *results.Recording) Answers {
	return AnswersIn(Histories(rec.Hits), rec.Manifest.Tells)
}

// AnswersIn is AnswersOf of histories that are there. tells is what the target's
// answers say.
func AnswersIn(all []History, tells results.Tells) Answers {
	var a Answers
	writers := map[string]string{} // token → key that it was written to, for reasons
	for _, h := range all {
		for _, w := range h.Writes {
			if !acknowledged(w) {
				a.Unknown++
			}
			writers[w.Token] = h.Key
		}
	}
	for i := range all {
		h := &all[i]
		a.Wrong.addWrong(h, tells, writers)
		a.Lost.addLost(h, tells)
		a.Regressions.addRegressions(h)
		a.OverAll.addRegressionsOf(h.answers())
		a.Stale.add(h)
	}
	a.Stale.sort()
	return a
}

func (c *Check) addWrong(h *History, tells results.Tells, writers map[string]string) {
	for _, answer := range h.answers() {
		write := h.written(answer.Token)
		switch {
		case answer.Token == "" && !(tells.Token && h.writtenBefore(answer)):
			continue // it need not have one
		case write == nil && writers[answer.Token] == "" && answer.Token != "" && !h.seeded():
			continue // may be the value from before the run
		}
		c.N++
		switch {
		case answer.Token == "":
			c.miss(answer, "answered without a token, but the key had been written to")
		case write == nil && writers[answer.Token] != "":
			c.miss(answer, "answered token %s, which was written to key %s", answer.Token, writers[answer.Token])
		case write == nil:
			c.miss(answer, "answered token %s, which nobody wrote", answer.Token)
		case write.Sent > answer.Done:
			c.miss(answer, "answered token %s before it was written", answer.Token)
		case acknowledged(write) && write.Version != 0 && answer.Version != 0 && write.Version != answer.Version:
			c.miss(answer, "answered token %s as version %d, but it was acknowledged as %d", answer.Token, answer.Version, write.Version)
		}
	}
	for _, answer := range h.Denied {
		if tells.Token && h.writtenBefore(answer) {
			c.N++
			c.miss(answer, "answered %d, but the key had been written to", answer.Code)
		}
	}
}

// seeded reports whether the first value of the key came from this run.
func (h *History) seeded() bool {
	return len(h.Writes) > 0 && h.Writes[0].Op == results.OpSeed
}

// writtenBefore reports whether a write was acknowledged before answer was sent.
func (h *History) writtenBefore(answer *results.Hit) bool {
	return slices.ContainsFunc(h.Writes, func(w *results.Hit) bool {
		return acknowledged(w) && w.Done < answer.Sent
	})
}
