package judge

import (
	"brownout/results"
	"brownout/results/figures"
)

// resourceKinds are of the target's process, where the harness started it.
func resourceKinds() []Kind {
	kinds := []Kind{
		{Name: "cpu_per_1000", Unit: Seconds, measure: cpuPerThousand,
			Doc: "CPU time (user and system) of the target's process, of all instances, for 1,000 requests due between the first and the last look at it"},
		{Name: "memory_max", Unit: Bytes, measure: memoryMax,
			Doc: "the most resident memory of the target's process, its descendants included; of several instances the largest"},
		{Name: "memory_growth", Unit: Bytes, measure: memoryGrowth,
			Doc: "by how much the median resident memory of the target's process in the last quarter of the looks at it is above that in the first"},
		{Name: "descriptors_growth", Unit: Count, measure: descriptorsGrowth,
			Doc: "the same of the target's open file descriptors, sockets among them"},
		{Name: results.GoroutinesGrowth, Unit: Count, measure: goroutinesGrowth,
			Doc: "the same of the target's goroutines, where it tells: go_goroutines among the Prometheus metrics at the path that its file names (metrics)"},
	}
	for i := range kinds {
		kinds[i].Scope, kinds[i].Comparison = Phase|Run, "<="
	}
	return kinds
}

// looks is what the figures of a process are taken of.
const looks = "looks at the process"

// resources reads a figure of the target's process from at least so many looks at it.
func (q question) resources(least int, figure func(figures.Resources) float64) reading {
	r, why := figures.ResourcesOf(q.rec, q.window.Start, q.window.End)
	switch {
	case why != "":
		return reading{why: why}
	case r.Samples < least:
		return unknown(r.Samples, "%d %s are too few: want %d", r.Samples, looks, least)
	}
	return reading{value: figure(r), n: r.Samples, of: looks}
}

func cpuPerThousand(q question) reading {
	var hits int
	r := q.resources(2, func(r figures.Resources) float64 { hits = r.Hits; return r.PerThousand })
	if r.why == "" {
		r.n, r.of = hits, ""
	}
	return r
}

func memoryMax(q question) reading {
	return q.resources(1, func(r figures.Resources) float64 { return float64(r.Memory) })
}

func memoryGrowth(q question) reading {
	return q.resources(q.defaults.GrowthLooks, func(r figures.Resources) float64 { return float64(r.MemoryGrowth) })
}

func goroutinesGrowth(q question) reading {
	var told int
	r := q.resources(q.defaults.GrowthLooks, func(r figures.Resources) float64 { told = r.Told; return float64(r.GoroutinesGrowth) })
	switch {
	case r.why != "":
		return r
	case told == 0:
		return reading{why: "the target tells no goroutines; a target file names the path of its metrics (metrics: /metrics), which have go_goroutines"}
	case told < q.defaults.GrowthLooks:
		return unknown(told, "the target told its goroutines at %d looks, which are too few: want %d", told, q.defaults.GrowthLooks)
	}
	r.n = told
	return r
}

func descriptorsGrowth(q question) reading {
	return q.resources(q.defaults.GrowthLooks, func(r figures.Resources) float64 { return float64(r.DescriptorsGrowth) })
}
