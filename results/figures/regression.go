package figures

import (
	"cmp"
	"maps"
	"slices"

	"brownout/results"
)

// addRegressions looks at each instance by itself: what one has answered, another
// need not know yet. Whoever has several behind one address sees them all; for them
// there is Answers.OverAll.
func (c *Check) addRegressions(h *History) {
	for _, answers := range byInstance(h.answers()) {
		c.addRegressionsOf(answers)
	}
}

// byInstance splits hits by the instance of the target that answered.
func byInstance(hits []*results.Hit) [][]*results.Hit {
	of := map[int][]*results.Hit{}
	for _, h := range hits {
		of[h.Instance] = append(of[h.Instance], h)
	}
	var all [][]*results.Hit
	for _, instance := range slices.Sorted(maps.Keys(of)) {
		all = append(all, of[instance])
	}
	return all
}

func (c *Check) addRegressionsOf(answers []*results.Hit) {
	byDone := slices.Clone(answers)
	slices.SortStableFunc(byDone, func(a, b *results.Hit) int { return cmp.Compare(a.Done, b.Done) })
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
