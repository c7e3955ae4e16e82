package judge

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brownout/results"
)

// A Finding is what was found of one expectation, or of one promise of the
// harness.
type Finding struct {
	Verdict     Verdict `json:"verdict"`
	Phase       string  `json:"phase,omitempty"` // empty: the whole run
	Expectation string  `json:"expectation"`     // as the scenario wrote it; for a check, what was promised
	At          string  `json:"at,omitempty"`    // file:line:column in the scenario
	Require     bool    `json:"require,omitempty"`
	Figure      string  `json:"figure,omitempty"`   // "p99{op=read}"; empty for some checks
	Measured    string  `json:"measured,omitempty"` // with its unit; empty: there is no value
	Value       float64 `json:"value"`              // the same in the figure's base unit; 0 without Measured
	Bound       string  `json:"bound,omitempty"`    // with its unit
	Op          string  `json:"op,omitempty"`
	Limit       float64 `json:"limit"` // Bound in the figure's base unit
	N           int     `json:"n"`     // hits, or what Of says, that could have violated it
	Of          string  `json:"of,omitempty"`
	Why         string  `json:"why,omitempty"`    // what makes the verdict plain
	Remedy      string  `json:"remedy,omitempty"` // what to change; of checks
}

func newFinding(k Kind, e results.Expectation) Finding {
	f := Finding{
		Expectation: e.Text, At: e.At, Figure: figureName(e),
		Op: e.Op, Limit: e.Bound, Bound: k.Unit.Format(e.Bound),
	}
	if f.Expectation == "" {
		f.Expectation = fmt.Sprintf("%s: %s %s", f.Figure, e.Op, f.Bound)
	}
	return f
}

// figureName writes figure and selector as a scenario does.
func figureName(e results.Expectation) string {
	if len(e.Where) == 0 {
		return e.Figure
	}
	var parts []string
	for label, value := range e.Where {
		parts = append(parts, label+"="+value)
	}
	slices.Sort(parts)
	return e.Figure + "{" + strings.Join(parts, ",") + "}"
}

// weigh compares what was read with the bound.
func (f *Finding) weigh(k Kind, e results.Expectation, r reading) {
	f.N, f.Of = r.n, r.of
	switch {
	case r.n == 0 && r.why == "":
		f.Why = "no hit could have violated it"
		return
	case r.why != "":
		f.Why = r.why
		return
	}
	f.Value, f.Why = r.value, r.note
	f.Measured = apart(k.Unit, r.value, e.Bound)
	if r.more {
		f.Measured = "more than " + f.Measured
	}
	f.Verdict = compare(e, r)
	if f.Verdict == Inconclusive {
		f.Why = "the phase ended too early to tell: " + r.note
	}
}

// compare holds the value against the bound. Of a value that is only known to be
// no less than something, both ends are held against it.
func compare(e results.Expectation, r reading) Verdict {
	low, high := holds(e.Op, r.value, e.Bound), holds(e.Op, r.value, e.Bound)
	if r.more {
		high = holds(e.Op, math.Inf(1), e.Bound)
	}
	switch {
	case low && high:
		return Pass
	case low || high:
		return Inconclusive
	}
	return Fail
}

// apart formats value so that it does not look like a bound that it is not.
func apart(u Unit, value, bound float64) string {
	text := u.Format(value)
	if value == bound || text != u.Format(bound) {
		return text
	}
	switch u {
	case Seconds:
		return time.Duration(math.Round(value * 1e9)).String()
	case Share:
		return fmt.Sprintf("%g%%", value*100)
	case Ratio:
		return fmt.Sprintf("%.6g", value)
	case Bytes:
		return fmt.Sprintf("%.0f B", value)
	}
	return fmt.Sprintf("%g/s", value)
}

// Short says a finding in few words: "p99 62 ms of 80 ms", "0 errors".
func (f Finding) Short() string {
	switch {
	case f.Measured == "":
		return f.Expectation
	case strings.HasPrefix(f.Figure, "errors"):
		noun := "errors"
		if f.Value == 1 {
			noun = "error"
		}
		return f.Measured + " " + noun + strings.TrimPrefix(f.Figure, "errors")
	case f.Limit == 0:
		return f.Figure + " " + f.Measured
	}
	return fmt.Sprintf("%s %s of %s", f.Figure, f.Measured, f.Bound)
}
