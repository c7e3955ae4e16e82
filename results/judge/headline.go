package judge

import (
	"fmt"
	"strings"

	"brownout/results"
)

// headline says the first of some findings that are alike in verdict, and how
// many more there are.
func headline(fs []Finding) string {
	f := fs[0]
	text := f.Why
	switch {
	case f.Verdict == Fail || f.Require && f.Measured != "":
		text = f.Short() + in(f.Phase)
		if f.Limit == 0 && f.Why != "" {
			text += " (" + f.Why + ")"
		}
	case f.Require || f.Verdict == Inconclusive && f.Op != "": // an expectation, not a check
		text = f.Expectation + in(f.Phase) + ": " + f.Why
	}
	if f.Require {
		text = "required of the run: " + text
	}
	if more := len(fs) - 1; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

func in(phase string) string {
	if phase == "" {
		return ""
	}
	return " in " + phase
}

// praise says the most telling of the expectations that a run kept: those of the
// phase under fault, or else of the last phase that expects something, or else of
// the whole run. Of these it names the errors, and the bound that was nearest to
// being missed.
func praise(rec *results.Recording, fs []Finding) string {
	phase := ""
	for _, p := range rec.Manifest.Phases {
		if len(p.Expect) == 0 {
			continue
		}
		phase = p.Name
		if len(p.Faults) > 0 {
			break
		}
	}
	var words []string
	var nearest *Finding
	for i, f := range fs {
		switch {
		case f.Phase != phase || f.Require:
			continue
		case f.Figure == "errors":
			words = append(words, f.Short())
		case nearest == nil || f.strain() > nearest.strain():
			nearest = &fs[i]
		}
	}
	if nearest != nil {
		words = append(words, nearest.Short())
	}
	return strings.Join(words, ", ") + in(phase)
}

// strain says how near a value is to its bound: 1 at the bound, less within it.
func (f Finding) strain() float64 {
	less, more := f.Value, f.Limit
	if f.Op == ">=" || f.Op == ">" {
		less, more = f.Limit, f.Value
	}
	if more == 0 {
		return 0
	}
	return less / more
}
