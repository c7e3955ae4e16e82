package figures

import (
	"time"

	"brownout/results"
)

// A Recovery says when something was good again after a fault.
type Recovery struct {
	Reached bool
	After   time.Duration // from the fault's end to the start of the first good window; if Reached
	// Observed is how long after the fault's end a recovery could have begun and
	// still been seen; if not Reached, the recovery takes longer than this.
	Observed time.Duration
	Hits     int // hits looked at
}

// A Watch says how a recovery is looked for.
type Watch struct {
	From, To time.Duration // the fault's end, and where looking ends
	Width    time.Duration // of one window
	K        int           // how many windows in a row must be good
	// Good judges the hits that were due in one window; said is false when they
	// say nothing. Windows without hits are not asked and say nothing.
	Good func(hits []results.Hit) (good, said bool)
}

// Recover looks for the first of K good windows in a row. The windows lie side by
// side from w.From on; one that does not fit before w.To is not looked at. A
// window that says nothing neither counts nor breaks the row. The hits must be
// sorted by due and be load.
func Recover(hits []results.Hit, w Watch) Recovery {
	var r Recovery
	row, first := 0, time.Duration(0)
	for at := w.From; at+w.Width <= w.To; at += w.Width {
		in := Due(hits, at, at+w.Width)
		r.Hits += len(in)
		if len(in) == 0 {
			continue
		}
		good, said := w.Good(in)
		switch {
		case !said:
			continue
		case !good:
			// Windows before this one are known not to begin a recovery.
			row, r.Observed = 0, at+w.Width-w.From
			continue
		case row == 0:
			first = at
		}
		if row++; row == w.K {
			return Recovery{Reached: true, After: first - w.From, Hits: r.Hits}
		}
	}
	return r
}

// LastEnd returns the end of the fault that was taken away last before the window
// ended; that may be the moment at which the window starts. ok is false when none
// was.
func LastEnd(rec *results.Recording, w Window) (end time.Duration, ok bool) {
	for _, in := range Injections(rec) {
		if (in.End > in.Start || in.Passes) && in.End < w.End && (!ok || in.End > end) {
			end, ok = in.End, true
		}
	}
	return end, ok
}
