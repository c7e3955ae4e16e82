package judge

import (
	"time"

	"brownout/results"
)

// looked adds looks at the target's process, each 200 ms of the whole run, with what
// one did to it.
func looked(change func(i int, s *results.Sample)) func(*run) {
	return func(r *run) {
		for i := range 75 {
			s := results.Sample{
				At: time.Duration(i) * 200 * ms, Process: results.ProcessTarget,
				CPU: time.Duration(i) * 30 * ms, Memory: 50e6, Descriptors: 40, Goroutines: 20,
			}
			if change != nil {
				change(i, &s)
			}
			r.samples = append(r.samples, s)
		}
	}
}

func resourceRows() []kindRow {
	leak := looked(func(i int, s *results.Sample) { s.Memory += int64(i) * 1e6; s.Descriptors += i; s.Goroutines += 2 * i })
	sawtooth := looked(func(i int, s *results.Sample) {
		s.Memory += int64(i%5) * 10e6
		s.Descriptors += i % 3
		s.Goroutines += i % 2
	})
	restarted := looked(func(i int, s *results.Sample) {
		if i > 10 {
			s.CPU -= 300 * ms
		}
	})
	second := func(r *run) {
		looked(nil)(r)
		leak(r)
		for i := range r.samples[75:] {
			r.samples[75+i].Process = "target-2"
		}
	}
	mute := looked(func(_ int, s *results.Sample) { s.Goroutines = 0 })
	shy := looked(func(i int, s *results.Sample) { s.Goroutines *= (i + 1) % 7 / 6 }) // it tells at each seventh look
	return []kindRow{
		{"half a second for a thousand requests", "steady", "cpu_per_1000", "500ms", looked(nil), Pass, "500 ms", ""},
		{"more than allowed", "", "cpu_per_1000", "400ms", looked(nil), Fail, "500 ms", ""},
		{"the CPU of all instances", "steady", "cpu_per_1000", "1s", second, Pass, "1 s", ""},
		{"nobody looked", "steady", "cpu_per_1000", "1s", nil, Inconclusive, "", "nobody could look at the target's process"},
		{"a process that was started anew", "steady", "cpu_per_1000", "1s", restarted, Inconclusive, "", "the process target was started anew"},
		{"no request between the looks", "steady", "cpu_per_1000", "1s", func(r *run) { looked(nil)(r); r.drop(0, 5*sec) }, Inconclusive, "", "no hit could have violated it"},

		{"memory within", "steady", "memory_max", "64MB", looked(nil), Pass, "50 MB", ""},
		{"memory above", "", "memory_max", "64MB", leak, Fail, "124 MB", ""},
		{"memory that nobody saw", "", "memory_max", "64MB", nil, Inconclusive, "", "nobody could look"},

		{"memory that goes up and down", "", "memory_growth", "11MB", sawtooth, Pass, "0 B", ""},
		{"memory that grows", "", "memory_growth", "11MB", leak, Fail, "57 MB", ""},
		{"the instance that grows", "", "memory_growth", "11MB", second, Fail, "57 MB", ""},
		{"growth of too few looks", "", "memory_growth", "11MB", func(r *run) { leak(r); r.samples = r.samples[:7] }, Inconclusive, "", "7 looks at the process are too few: want 8"},
		{"growth of a process that was started anew", "", "memory_growth", "11MB", restarted, Inconclusive, "", "was started anew"},

		{"descriptors that come and go", "", "descriptors_growth", "0", sawtooth, Pass, "0", ""},
		{"descriptors that leak", "outage", "descriptors_growth", "5", leak, Fail, "19", ""},
		{"descriptors that nobody saw", "outage", "descriptors_growth", "5", nil, Inconclusive, "", "nobody could look"},

		{"goroutines that come and go", "", "goroutines_growth", "0", sawtooth, Pass, "0", ""},
		{"goroutines that leak", "outage", "goroutines_growth", "30", leak, Fail, "38", ""},
		{"the instance whose goroutines leak", "outage", "goroutines_growth", "30", second, Fail, "38", ""},
		{"a target that tells no goroutines", "outage", "goroutines_growth", "30", mute, Inconclusive, "", "a target file names the path of its metrics"},
		{"goroutines that were told too rarely", "outage", "goroutines_growth", "30", shy, Inconclusive, "", "looks, which are too few: want 8"},
		{"goroutines that nobody saw", "outage", "goroutines_growth", "30", nil, Inconclusive, "", "nobody could look"},
	}
}
