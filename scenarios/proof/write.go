package proof

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"brownout/results"
)

// The files of a proof, beside its journal.
const (
	jsonFile     = "proof.json"
	markdownFile = "proof.md"
)

// Write writes the proof to dir, as JSON and as Markdown.
func (p Proof) Write(dir string) error {
	if err := results.WriteJSON(dir, jsonFile, p); err != nil {
		return err
	}
	var text bytes.Buffer
	p.Markdown(&text)
	return results.WriteFile(dir, markdownFile, text.Bytes())
}

// Markdown writes the proof for people. Errors of w are not told.
func (p Proof) Markdown(w io.Writer) {
	fmt.Fprintf(w, "# Proof\n\nCommit %s, %s, %s/%s with %d CPUs, begun %s. Verdict: **%s**.\n",
		p.Origin.commit(), p.Origin.Go, p.Origin.Machine.OS, p.Origin.Machine.Arch, p.Origin.Machine.CPUs,
		p.Origin.Started.Format("2006-01-02 15:04 MST"), p.Verdict)
	p.killMatrix(w)
	p.figures(w)
	p.twins(w)
	p.alarms(w)
}

func (p Proof) killMatrix(w io.Writer) {
	if len(p.Kills) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Known defects\n\n%d defects, %s.\n\n", len(p.Kills), counts(p.Kills))
	row(w, "Defect", "Scenario", "Has to be missed", "With the defect", "Without", "Status", "Missed as well")
	row(w, slices.Repeat([]string{"---"}, 7)...)
	for _, k := range p.Kills {
		others := slices.DeleteFunc(slices.Clone(k.By), func(by string) bool { return by == k.Named })
		row(w, k.Defect, k.Scenario, k.Named, k.Measured, k.Clean, k.outcome(), strings.Join(others, ", "))
	}
	fmt.Fprint(w, "\nWhat the scenarios were changed by, for both servers:\n\n")
	for _, k := range p.Kills {
		k.changes(w)
	}
}

// outcome is the status, and why it is not killed.
func (k Kill) outcome() string {
	if k.Status == Killed || k.Why == "" {
		return string(k.Status)
	}
	return string(k.Status) + ": " + k.Why
}

func (k Kill) changes(w io.Writer) {
	if len(k.Set) > 0 {
		fmt.Fprintf(w, "- %s: `%s`\n", k.Defect, strings.Join(k.Set, "`, `"))
	}
}

func (p Proof) figures(w io.Writer) {
	if len(p.Figures) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Other kinds of figure\n\nWhat these defects have to miss as well: %s of %d.\n\n", counts(p.Figures), len(p.Figures))
	row(w, "Has to be missed", "Defect", "Scenario", "With the defect", "Without", "Status")
	row(w, slices.Repeat([]string{"---"}, 6)...)
	for _, k := range p.Figures {
		row(w, k.Named, k.Defect, k.Scenario, k.Measured, k.Clean, k.outcome())
	}
	fmt.Fprintln(w)
	for _, k := range p.Figures {
		if !p.runs(k) {
			k.changes(w)
		}
	}
}

// runs reports whether k is about a run of the first table, where its changes stand.
func (p Proof) runs(k Kill) bool {
	return slices.ContainsFunc(p.Kills, func(other Kill) bool { return other.Defect == k.Defect && other.Scenario == k.Scenario })
}

// counts says how many there are of each status.
func counts(kills []Kill) string {
	var order []Status
	n := map[Status]int{}
	for _, k := range kills {
		if n[k.Status] == 0 {
			order = append(order, k.Status)
		}
		n[k.Status]++
	}
	var words []string
	for _, s := range order {
		words = append(words, fmt.Sprintf("%d %s", n[s], s))
	}
	return strings.Join(words, ", ")
}

func (p Proof) twins(w io.Writer) {
	if len(p.Flips) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Null twins\n\nEach scenario with its fault and without it. Without it the judge, told that there was one, must call the run invalid.\n\n")
	row(w, "Scenario", "Has to flip", "With the fault", "Without", "Status")
	row(w, slices.Repeat([]string{"---"}, 5)...)
	for _, f := range p.Flips {
		status := string(f.Status)
		if f.Why != "" {
			status += ": " + f.Why
		}
		row(w, f.Scenario, f.Named, f.With, f.Without, status)
	}
}

func (p Proof) alarms(w io.Writer) {
	if len(p.Alarms) == 0 {
		return
	}
	undecided := 0
	for _, a := range p.Alarms {
		undecided += a.undecided()
	}
	fmt.Fprintf(w, "\n## False alarms\n\nThe clean server, again and again. Runs that say nothing: %d, of which there may be %d.\n\n", undecided, p.Undecided)
	row(w, "Scenario", "Runs", "Pass", "Fail", "Inconclusive", "Invalid")
	row(w, slices.Repeat([]string{"---"}, 6)...)
	for _, a := range p.Alarms {
		row(w, a.Scenario, fmt.Sprint(a.Repeats), fmt.Sprint(a.Pass), share(a.Fail, a.Repeats), share(a.Inconclusive, a.Repeats), share(a.Invalid, a.Repeats))
	}
	fmt.Fprintln(w)
	for _, a := range p.Alarms {
		for _, why := range a.Why {
			fmt.Fprintf(w, "- %s, %s\n", a.Scenario, why)
		}
	}
}

// share says n of all, in percent where there is something to say.
func share(n, all int) string {
	if n == 0 || all == 0 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d (%.0f%%)", n, 100*float64(n)/float64(all))
}

// row writes a row of a table. A bar would end its cell.
func row(w io.Writer, cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}
