package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"brownout/results"
	"brownout/results/judge"
	"brownout/results/report"

	"github.com/spf13/cobra"
)

type reportOptions struct {
	results, junit string
	judge          bool
	stdout         io.Writer
}

func reportCommand() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report [RUN]...",
		Short: "Show the report of run folders again, or judge them again",
		Long: `Show the report of stored runs (default: the newest) from their folders, with the
verdict that is stored there. With --judge they are judged again, by this brownout and
the defaults stored with the old verdict, and the new verdict replaces it. Nothing is
started and nothing is measured: the same recording gives the same verdict.`,
		Example: `  brownout report
  brownout report --judge results/runs/20260102T030405Z-steady`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.stdout = cmd.OutOrStdout()
			return o.run(args)
		},
	}
	cmd.Flags().BoolVar(&o.judge, "judge", false, "judge the recording again, and store the verdict")
	cmd.Flags().StringVar(&o.results, "results", defaultResults, "`folder` of run folders, of which the newest is shown when none is named")
	cmd.Flags().StringVar(&o.junit, "junit", "", "write the verdicts to this `file` as JUnit XML")
	return cmd
}

// run shows each run and turns the verdicts into the exit code.
func (o *reportOptions) run(folders []string) error {
	if len(folders) == 0 {
		latest, err := results.Latest(o.results)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		folders = []string{latest}
	}
	var cases []report.Case
	var verdicts []judge.Verdict
	for _, folder := range folders {
		c, err := o.one(folder)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		cases, verdicts = append(cases, c), append(verdicts, c.Judgment.Verdict)
	}
	if err := writeJUnit(o.junit, cases); err != nil {
		return err
	}
	if code := judge.ExitCode(judge.Worst(verdicts...)); code != exitPass {
		return &exitError{code: code}
	}
	return nil
}

// one shows one run.
func (o *reportOptions) one(folder string) (report.Case, error) {
	rec, err := results.Open(folder)
	if err != nil {
		return report.Case{}, err
	}
	stored, err := report.ReadVerdict(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist) && o.judge:
		stored.Defaults = judge.Standard()
	case errors.Is(err, fs.ErrNotExist):
		return report.Case{}, fmt.Errorf("%s has no %s; judge it with --judge", folder, report.VerdictFile)
	case err != nil:
		return report.Case{}, err
	}
	c := report.Case{Recording: rec, Judgment: stored}
	if o.judge {
		c.Judgment = judge.Judge(rec, stored.Defaults)
		if err := report.WriteVerdict(folder, c.Judgment); err != nil {
			return c, fmt.Errorf("writing the verdict: %w", err)
		}
	}
	fmt.Fprintln(o.stdout)
	if err := (report.Terminal{Out: o.stdout, Color: colours(o.stdout)}).Scenario(c); err != nil {
		return c, fmt.Errorf("printing the report: %w", err)
	}
	if was := stored; o.judge && was.Why != "" && (was.Verdict != c.Judgment.Verdict || was.Why != c.Judgment.Why) {
		fmt.Fprintf(o.stdout, "  it was judged before as %s  %s\n", was.Verdict, was.Why)
	}
	fmt.Fprintf(o.stdout, "  recorded in %s\n", folder)
	return c, nil
}

// writeJUnit writes the verdicts to file, unless that is empty.
func writeJUnit(file string, cases []report.Case) error {
	if file == "" {
		return nil
	}
	var text bytes.Buffer
	if err := report.JUnit(&text, cases); err != nil {
		return err
	}
	return results.WriteFile(filepath.Dir(file), filepath.Base(file), text.Bytes())
}
