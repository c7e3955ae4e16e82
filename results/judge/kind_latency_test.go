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
		{"lateness of one op", "steady", "max{op=write,time=lateness}", "1ms", nil, Inconclusive, "", "no hit could have violated it"},
	}
}
