package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"brownout/results"
	"brownout/results/figures"
	"brownout/results/judge"
)

// few marks a quantile of too few hits.
const few = "~"

func writePhases(w io.Writer, c Case) {
	t := table{left: []bool{true, false, false, false, false, false, false, false, true}}
	t.add("phase", "hits", "rate", "p50", "p99", "max", "errors", "cache hits", "fault in force")
	for _, win := range figures.Cut(c.Recording) {
		s := figures.Summarize(c.Recording.Hits, win.Start, win.End)
		tail := c.Judgment.Defaults.TailHits
		t.add(win.Phase.Name, strconv.Itoa(s.Hits), rate(s.Rate),
			quantile(s.Latency.P50, 0.5, s.Hits, tail), quantile(s.Latency.P99, 0.99, s.Hits, tail), quantile(s.Latency.Max, 1, s.Hits, tail),
			strconv.Itoa(s.Errors), share(s), inForce(win))
	}
	t.write(w)
}

func rate(r float64) string { return strconv.FormatFloat(r, 'f', 0, 64) + "/s" }

func quantile(d time.Duration, q float64, n, tail int) string {
	switch {
	case n == 0:
		return "-"
	case n < figures.Need(q, tail):
		return few + judge.Seconds.Format(d.Seconds())
	}
	return judge.Seconds.Format(d.Seconds())
}

func share(s figures.Summary) string {
	if s.Told == 0 {
		return "-"
	}
	return judge.Share.Format(s.CacheHits())
}

// inForce says which faults were in force in a window, and for how long.
func inForce(w figures.Window) string {
	var words []string
	for _, in := range w.Injections {
		words = append(words, fmt.Sprintf("%s (%v)", in.Fault, (in.End-in.Start).Round(10*time.Millisecond)))
	}
	return strings.Join(words, ", ")
}

// writeNotes writes what stands below the table.
func writeNotes(w io.Writer, c Case) {
	for _, win := range figures.Cut(c.Recording) {
		s := figures.Summarize(c.Recording.Hits, win.Start, win.End)
		if s.Errors > 0 {
			fmt.Fprintf(w, "  errors in %s: %s\n", win.Phase.Name, classes(s))
		}
	}
	writeSteps(w, c)
	late := figures.SpreadOf(figures.Load(c.Recording.Hits), results.Hit.Lateness)
	fmt.Fprintf(w, "  generator lateness p50 %s, p99 %s, max %s\n",
		judge.Seconds.Format(late.P50.Seconds()), judge.Seconds.Format(late.P99.Seconds()), judge.Seconds.Format(late.Max.Seconds()))
	if burst := figures.BurstOf(figures.Load(c.Recording.Hits)); burst.Caught() {
		fmt.Fprintf(w, "  the generator caught up: it sent %d hits within 100 ms, of which at most %d were due so close together\n", burst.Sent, burst.Due)
	}
	begin, end := time.Duration(0), c.length()+1
	if n := figures.Skipped(c.Recording.Hits, begin, end); n > 0 {
		fmt.Fprintf(w, "  the generator fell behind and skipped %d hits that would have been too late\n", n)
	}
	if cost, ok := figures.CostOf(c.Recording, results.ProcessTarget, begin, end); ok {
		fmt.Fprintf(w, "  target %.2f CPU s per 1000 hits, peak memory %.0f MB\n", cost.PerThousand, float64(cost.PeakMemory)/1e6)
	}
	if d := c.Judgment.Defaults; anyFew(c, d.TailHits) {
		fmt.Fprintf(w, "  %s of fewer hits than the quantile needs: %d/(1-q)\n", few, d.TailHits)
	}
	if c.Recording.Truncated {
		fmt.Fprintln(w, "  the recording was cut off: this is what is left of a killed run")
	}
}

// writeSteps lists what a failover did, and when after it began.
func writeSteps(w io.Writer, c Case) {
	for _, e := range c.Recording.Events {
		if e.Kind == results.EventStep && e.Step != nil {
			fmt.Fprintf(w, "  %8v  %s: %s\n", e.Step.Ended.Round(10*time.Millisecond), e.Step.Name, e.Text)
		}
	}
	if m := c.Recording.Manifest; m.Scale != 0 {
		fmt.Fprintf(w, "  the failover was shortened to %g of its times; not shortened: %s\n", m.Scale, m.Unscaled)
	}
}

func anyFew(c Case, tail int) bool {
	for _, win := range figures.Cut(c.Recording) {
		n := len(figures.Load(figures.Due(c.Recording.Hits, win.Start, win.End)))
		if n > 0 && n < figures.Need(0.99, tail) {
			return true
		}
	}
	return false
}

// classes lists the errors by class, by name.
func classes(s figures.Summary) string {
	var words []string
	for _, class := range slices.Sorted(maps.Keys(s.ByClass)) {
		words = append(words, fmt.Sprintf("%d %s", s.ByClass[class], class))
	}
	return strings.Join(words, ", ")
}
