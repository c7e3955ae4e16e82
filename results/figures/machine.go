package figures

import (
	"time"

	"brownout/results"
)

// ClockJump returns the greatest jump of the wall clock against the run's clock
// between two looks in [start, end): forward is positive. ok is false when nobody
// looked twice.
func ClockJump(rec *results.Recording, start, end time.Duration) (jump, at time.Duration, ok bool) {
	looks := samplesOf(rec, results.ProcessMachine, start, end)
	for i := 1; i < len(looks); i++ {
		if by := looks[i].Drift - looks[i-1].Drift; i == 1 || by.Abs() > jump.Abs() {
			jump, at = by, looks[i].At
		}
	}
	return jump, at, len(looks) > 1
}

// A Pressure is what the machine's CPUs did in a stretch of time, as shares of all
// their time.
type Pressure struct {
	Stolen float64 // kept from the machine by its hypervisor
	Own    float64 // used by the harness itself
}

// PressureOf returns the pressure in [start, end). ok is false when nobody looked twice
// at the machine.
func PressureOf(rec *results.Recording, start, end time.Duration) (p Pressure, ok bool) {
	share := func(process string, of func(results.Sample) time.Duration) (float64, bool) {
		looks := samplesOf(rec, process, start, end)
		if len(looks) < 2 {
			return 0, false
		}
		first, last := looks[0], looks[len(looks)-1]
		all := (last.At - first.At) * time.Duration(max(1, rec.Manifest.Machine.CPUs))
		return float64(of(last)-of(first)) / float64(max(1, all)), true
	}
	p.Stolen, ok = share(results.ProcessMachine, func(s results.Sample) time.Duration { return s.Steal })
	p.Own, _ = share(results.ProcessHarness, func(s results.Sample) time.Duration { return s.CPU })
	return p, ok
}

func samplesOf(rec *results.Recording, process string, start, end time.Duration) []results.Sample {
	var all []results.Sample
	for _, s := range rec.Samples {
		if s.Process == process && s.At >= start && s.At < end {
			all = append(all, s)
		}
	}
	return all
}
