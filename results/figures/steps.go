package figures

import "brownout/results"

// A LoadStep is a phase after the last fault, and whether the target did its work in
// it.
type LoadStep struct {
	Phase string
	Rate  float64 // that was planned for its second half, per second
	Hits  int     // due there
	Good  float64 // the share of them that was answered as it should be
}

// StepsAfter returns what became of each phase that began when the last fault of the
// run had been taken away, or later. Only the second half of a phase counts: the first
// is for what had piled up. ok is false when no fault ended.
func StepsAfter(rec *results.Recording, load []results.Hit, windows []Window) (steps []LoadStep, ok bool) {
	end, ok := LastEnd(rec, Window{End: never})
	for _, w := range windows {
		if !ok || !w.Happened || w.Start < end {
			continue
		}
		hits := Due(load, w.Start+w.Length()/2, w.End)
		steps = append(steps, LoadStep{
			Phase: w.Phase.Name, Rate: (w.Phase.RateFrom + 3*w.Phase.RateTo) / 4,
			Hits: len(hits), Good: Share(Good(hits), len(hits)),
		})
	}
	return steps, ok
}
