package judge

import "brownout/results"

func timeRows() []kindRow {
	return []kindRow{
		{"too few even for a median", "steady", "p50", "80ms", func(r *run) { r.thin(0, 5*sec, 100) }, Inconclusive, "", "15 hits are too few: p50 needs 20"},
		{"the greatest within its bound", "steady", "max", "80ms", nil, Pass, "10 ms", ""},
		{"too few for a maximum are none", "steady", "max", "80ms", func(r *run) { r.drop(0, 5*sec) }, Inconclusive, "", "no hit could have violated it"},
		{"p9999 needs a hundred thousand", "steady", "p9999", "80ms", nil, Inconclusive, "", "p99.99 needs 100000"},
		{"service time hides what was sent late", "steady", "p50{time=service}", "9ms", nil, Pass, "9 ms", ""},
		{"service time above its bound", "steady", "p99{time=service}", "9ms", func(r *run) { r.spoil(0, sec, slow) }, Fail, "300 ms", ""},
		{"a quantile of too few service times", "steady", "p99{time=service}", "9ms", func(r *run) { r.drop(sec, 5*sec) }, Inconclusive, "", "300 hits are too few"},
		{"lateness within its bound", "steady", "p99{time=lateness}", "1ms", nil, Pass, "1 ms", ""},
		{"lateness above its bound", "steady", "max{time=lateness}", "1ms", func(r *run) {
			r.spoil(sec, sec+ms, func(h *results.Hit) { h.Sent += 4 * ms })
		}, Fail, "5 ms", ""},
		{"no slower than before the fault", "recovery", "p99_over", "5ms", nil, Pass, "0 ms", "10 ms, and 10 ms in steady"},
		{"faster than before the fault", "recovery", "p50_over", "0", func(r *run) {
			r.spoil(10*sec, 15*sec, func(h *results.Hit) { h.Done = h.Sent + 4*ms })
		}, Pass, "-5 ms", ""},
		{"slower by more than allowed", "outage", "p99_over", "25ms", nil, Fail, "30 ms", "40 ms, and 10 ms in steady"},
		{"slower by less than three times and more", "outage", "p99_over{times=3}", "15ms", nil, Pass, "10 ms", ""},
		{"the median slower than one and a half times", "outage", "p50_over{times=1.5}", "20ms", nil, Fail, "25 ms", ""},
		{"the same reads are compared", "recovery", "p99_over{source=hit}", "0", func(r *run) {
			r.spoil(10*sec, 11*sec, func(h *results.Hit) { h.Source = results.SourceMiss; slow(h) })
		}, Pass, "0 ms", ""},
		{"too few to be compared with", "recovery", "p99_over", "5ms", func(r *run) { r.drop(sec, 5*sec) }, Inconclusive, "", "in steady: 300 hits are too few: p99 needs 1000"},
		{"none to be compared with", "outage", "p50_over{source=bypass}", "5ms", nil, Inconclusive, "", "steady has no hit to compare with"},
		{"too few to compare", "outage", "p99_over", "5ms", func(r *run) { r.drop(6*sec, 10*sec) }, Inconclusive, "", "300 hits are too few"},
		{"none to compare", "outage", "p50_over", "5ms", func(r *run) { r.drop(5*sec, 10*sec) }, Inconclusive, "", "no hit could have violated it"},
		{"the calm phase itself", "steady", "p50_over", "5ms", nil, Inconclusive, "", "no phase before the first fault"},
		{"a fault from the beginning", "recovery", "p50_over", "5ms", func(r *run) { r.m.Phases[0].Faults = []string{"x"} }, Inconclusive, "", "no phase before the first fault"},
		{"slow at first", "outage", "p99", "80ms", func(r *run) { r.spoil(5*sec, 6*sec, slow) }, Fail, "301 ms", ""},
		{"and not after that", "outage", "p99{after=1s}", "80ms", func(r *run) { r.spoil(5*sec, 6*sec, slow) }, Pass, "40 ms", ""},
		{"slow after that", "outage", "max{after=1s}", "80ms", func(r *run) { r.spoil(6*sec, 6*sec+5*ms, slow) }, Fail, "301 ms", ""},
		{"too few after that", "outage", "p99{after=5s}", "80ms", nil, Inconclusive, "", "no hit could have violated it"},
		{"slower than before the fault at first", "outage", "p99_over{after=1s}", "35ms", func(r *run) {
			r.spoil(5*sec, 6*sec, slow).spoil(0, sec, func(h *results.Hit) { h.Done = h.Sent + 20*ms })
		}, Pass, "19 ms", "40 ms, and 21 ms in steady"},
		{"lateness of one op", "steady", "max{op=write,time=lateness}", "1ms", nil, Inconclusive, "", "no hit could have violated it"},
	}
}
