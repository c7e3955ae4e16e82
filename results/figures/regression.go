package figures

import (
	"cmp"
	"slices"

	"brownout/results"
)

func (c *Check) addRegressions(h *History) {
	answers := h.answers()
	byDone := slices.Clone(answers)
	slices.SortStableFunc(byDone, func(a, b results.Hit) int { return cmp.Compare(a.Done, b.Done) })
	var before uint64 // the greatest version that had been answered when answer was sent
	for _, answer := range answers {
		for len(byDone) > 0 && byDone[0].Done < answer.Sent {
			before = max(before, byDone[0].Version)
			byDone = byDone[1:]
		}
		if before == 0 || answer.Version == 0 {
			continue
		}
		c.N++
		if answer.Version < before {
			c.miss(answer, "answered version %d after version %d had been answered", answer.Version, before)
		}
	}
}
