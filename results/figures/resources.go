package figures

import (
	"maps"
	"slices"
	"time"

	"brownout/results"
)

// Resources is what the target's processes used in a stretch of time. Of several
// instances CPU is that of all, everything else that of the one with the most.
type Resources struct {
	Samples     int           // of the instance with the fewest
	Hits        int           // due between the first and the last sample
	CPU         time.Duration // user and system time between these
	PerThousand float64       // CPU seconds for 1,000 hits
	Memory      int64         // the most resident bytes
	// Growth is by how much the median of the last quarter of the samples is above that
	// of the first: one sample says little, a garbage collector's memory goes up and
	// down.
	MemoryGrowth      int64
	DescriptorsGrowth int
	GoroutinesGrowth  int
	Told              int // looks at which the target said how many goroutines it has; of the instance with the fewest
}

// ResourcesOf returns what the target used in [start, end). Why says why that cannot be
// known: nobody looked at the process, or it was started anew.
func ResourcesOf(rec *results.Recording, start, end time.Duration) (r Resources, why string) {
	of := map[string][]results.Sample{}
	for _, s := range rec.Samples {
		if results.IsTarget(s.Process) && s.At >= start && s.At < end {
			of[s.Process] = append(of[s.Process], s)
		}
	}
	if len(of) == 0 {
		return r, "nobody could look at the target's process"
	}
	first, last := end, start
	for i, process := range slices.Sorted(maps.Keys(of)) {
		samples := of[process]
		if anew(samples) {
			return r, "the process " + process + " was started anew"
		}
		first, last = min(first, samples[0].At), max(last, samples[len(samples)-1].At)
		r.add(samples, i == 0)
	}
	r.Hits = len(Load(Due(rec.Hits, first, last)))
	if r.Hits > 0 {
		r.PerThousand = r.CPU.Seconds() / float64(r.Hits) * 1000
	}
	return r, ""
}

// anew reports whether a process of the same name took over.
func anew(samples []results.Sample) bool {
	for i := 1; i < len(samples); i++ {
		if samples[i].CPU < samples[i-1].CPU {
			return true
		}
	}
	return false
}

func (r *Resources) add(samples []results.Sample, first bool) {
	r.CPU += samples[len(samples)-1].CPU - samples[0].CPU
	memory := growth(samples, func(s results.Sample) int64 { return s.Memory })
	descriptors := int(growth(samples, func(s results.Sample) int64 { return int64(s.Descriptors) }))
	goroutines, told := goroutineGrowth(samples)
	if first {
		r.Samples, r.MemoryGrowth, r.DescriptorsGrowth, r.GoroutinesGrowth, r.Told = len(samples), memory, descriptors, goroutines, told
	}
	r.Samples, r.Told = min(r.Samples, len(samples)), min(r.Told, told)
	r.MemoryGrowth, r.DescriptorsGrowth = max(r.MemoryGrowth, memory), max(r.DescriptorsGrowth, descriptors)
	r.GoroutinesGrowth = max(r.GoroutinesGrowth, goroutines)
	for _, s := range samples {
		r.Memory = max(r.Memory, s.Memory)
	}
}

// goroutineGrowth is taken of the looks at which the target told; others say nothing.
func goroutineGrowth(samples []results.Sample) (growing, told int) {
	samples = slices.DeleteFunc(slices.Clone(samples), func(s results.Sample) bool { return s.Goroutines == 0 })
	if len(samples) == 0 {
		return 0, 0
	}
	return int(growth(samples, func(s results.Sample) int64 { return int64(s.Goroutines) })), len(samples)
}

// growth is how much the median of the last quarter is above that of the first.
func growth(samples []results.Sample, of func(results.Sample) int64) int64 {
	quarter := max(1, len(samples)/4)
	return median(samples[len(samples)-quarter:], of) - median(samples[:quarter], of)
}

func median(samples []results.Sample, of func(results.Sample) int64) int64 {
	values := make([]int64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}
