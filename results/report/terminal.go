package report

import (
	"fmt"
	"io"
	"strings"

	"brownout/results"
	"brownout/results/judge"
)

// A Terminal writes reports for people.
type Terminal struct {
	Out   io.Writer // required
	Color bool      // default: plain text
}

// Scenario writes one run: its phases, what it missed or could not judge, and
// the verdict in one line.
func (t Terminal) Scenario(c Case) error {
	w := &errWriter{out: t.Out}
	m := c.Recording.Manifest
	fmt.Fprintln(w, m.Scenario)
	if m.Proves != "" {
		fmt.Fprintf(w, "  %s\n", m.Proves)
	}
	fmt.Fprintln(w)
	if len(c.Recording.Hits) > 0 {
		writePhases(w, c)
		writeNotes(w, c)
		fmt.Fprintln(w)
	}
	if m.State == results.StateComplete { // else the verdict's line says all
		t.list(w, "invalid", judge.Invalid, c.Judgment)
		t.list(w, missed(c.Judgment.Verdict), judge.Fail, c.Judgment)
		t.list(w, "not judged", judge.Inconclusive, c.Judgment)
	}
	fmt.Fprintf(w, "%s %s  %s\n", t.badge(c.Judgment.Verdict), m.Scenario, c.Judgment.Why)
	return w.err
}

// Defaults writes what the judgements took for granted, in one line.
func (t Terminal) Defaults(d judge.Defaults) error {
	_, err := fmt.Fprintf(t.Out, "judged by: %s\n", d)
	return err
}

// Summary writes one line for each scenario.
func (t Terminal) Summary(js []judge.Judgment) error {
	w := &errWriter{out: t.Out}
	wide, name := 0, 0
	for _, j := range js {
		wide, name = max(wide, len(j.Verdict.String())), max(name, len(j.Scenario))
	}
	for _, j := range js {
		pad := strings.Repeat(" ", wide-len(j.Verdict.String()))
		fmt.Fprintf(w, "%s%s  %-*s  %s\n", t.badge(j.Verdict), pad, name, j.Scenario, j.Why)
	}
	return w.err
}

// badge is the verdict in capitals, coloured when asked for.
func (t Terminal) badge(v judge.Verdict) string {
	text := strings.ToUpper(v.String())
	if !t.Color {
		return text
	}
	color := map[judge.Verdict]int{judge.Pass: 32, judge.Fail: 31, judge.Invalid: 35, judge.Inconclusive: 33}[v]
	return fmt.Sprintf("\x1b[1;%dm%s\x1b[0m", color, text)
}

// missed is the title over what was missed in a run with the verdict v.
func missed(v judge.Verdict) string {
	if v != judge.Fail {
		return "missed, but the run does not count"
	}
	return "missed"
}

// list writes the findings of one verdict, if there are any.
func (t Terminal) list(w io.Writer, title string, v judge.Verdict, j judge.Judgment) {
	rows := table{left: []bool{true, true, true}}
	for _, f := range append(append([]judge.Finding(nil), j.Checks...), j.Findings...) {
		if f.Verdict == v {
			rows.add(where(f), f.Expectation, explain(f))
		}
	}
	if len(rows.rows) > 0 {
		fmt.Fprintln(w, title)
		rows.write(w)
		fmt.Fprintln(w)
	}
}

func where(f judge.Finding) string {
	if f.Phase == "" {
		return "run"
	}
	return f.Phase
}

// explain says what was measured, why that is so, and what to do about it.
func explain(f judge.Finding) string {
	var parts []string
	if f.Measured != "" && f.Op != "" {
		of := f.Of
		if of == "" {
			of = "hits"
		}
		parts = append(parts, fmt.Sprintf("was %s (%d %s)", f.Measured, f.N, of))
	}
	for _, s := range []string{f.Why, f.Remedy} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "; ")
}

// An errWriter keeps the first error, so that a report can be written straight
// through.
type errWriter struct {
	out io.Writer
	err error
}

func (w *errWriter) Write(p []byte) (int, error) {
	if w.err == nil {
		_, w.err = w.out.Write(p)
	}
	return len(p), nil
}
