package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"brownout/results/judge"
	"brownout/scenarios"
	"brownout/scenarios/proof"
	"brownout/scenarios/run"

	"github.com/spf13/cobra"
)

// defaultProofs is where the folders of proofs are made.
const defaultProofs = "results/proofs"

type proveOptions struct {
	fast, twins, keepAll bool
	repeats, again       int
	undecided            int
	tags, twin           []string
	dir, resume          string
	stdout               io.Writer
}

func proveCommand() *cobra.Command {
	var o proveOptions
	cmd := &cobra.Command{
		Use:   "prove [DEFECT]...",
		Short: "Run the harness against servers with known defects: the kill matrix",
		Long: `Run the harness against itself. Each known defect of the reference server (see
brownout serve --help) runs against the one scenario that has to find it, and the
clean server against the same: the defect is killed when its named expectation is
missed with it and kept without it. An invalid run or a crash is no kill.

What is done is kept in a folder and can be gone on with (--resume), also to repeat
what was invalid. Exit codes as ever: 1 a defect survived or a twin did not flip,
3 something could not be judged, 4 a run was invalid.`,
		Example: `  brownout prove no-timeout
  brownout prove --fast
  brownout prove --twins --repeats 30
  brownout prove --twins --repeats 30 --resume results/proofs/20261123T110000Z`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.stdout = cmd.OutOrStdout()
			return o.prove(cmd.Context(), args)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.fast, "fast", false, "only the defects that are run for every change")
	f.BoolVar(&o.twins, "twins", false, "also run scenarios without their fault, in which they must be missed")
	f.StringSliceVar(&o.twin, "twin", nil, "only this `scenario` without its fault, and no defects unless they are named")
	f.IntVar(&o.repeats, "repeats", 0, "also run the clean server this `many` times in each scenario with --tag: false alarms")
	f.IntVar(&o.undecided, "undecided", 2, "how `many` of all those runs may be inconclusive or invalid; more than that is inconclusive as a whole")
	f.StringSliceVar(&o.tags, "tag", []string{"bench"}, "the scenarios that --repeats repeats")
	f.IntVar(&o.again, "again", 2, "repeat a run that was invalid at most this `many` times, each after a longer rest; those of --repeats never")
	f.StringVar(&o.dir, "out", "", "`folder` of the proof (default results/proofs/TIME)")
	f.StringVar(&o.resume, "resume", "", "go on with the proof in this `folder`, with the same arguments")
	f.BoolVar(&o.keepAll, "keep-all", false, "keep the recordings of runs that pass, too")
	cmd.MarkFlagsMutuallyExclusive("out", "resume")
	cmd.MarkFlagsMutuallyExclusive("twins", "twin")
	return cmd
}

// prove carries out the command.
func (o *proveOptions) prove(ctx context.Context, args []string) error {
	plan, err := o.plan(args)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	journal, err := o.open()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the brownout binary: %w", err)
	}
	show := newProgress(o.stdout)
	prover := proof.Prover{
		Plan: plan, Journal: journal, Again: o.again,
		Run: proof.Runner{Results: filepath.Join(o.dir, "runs"), Self: self, Status: show.status, KeepAll: o.keepAll}.Run,
		Rest: func(ctx context.Context, invalid int) error {
			show.done()
			fmt.Fprintf(o.stdout, "the run says nothing; the next one in %v\n", run.RestAfter(invalid))
			return run.Rest(ctx, invalid)
		},
		Say: func(done, all int, r proof.Record) {
			show.done()
			fmt.Fprintf(o.stdout, "[%d of %d] %s: %s, %s (%.0fs)\n", done, all, r.Job, r.Verdict, r.Why, r.Took.Seconds())
		},
	}
	proven := prover.Prove(ctx)
	show.done()
	shown := plan.Assess(journal)
	if err := errors.Join(journal.Close(), shown.Write(o.dir)); err != nil {
		return err
	}
	return o.finish(ctx, shown, proven)
}

func (o *proveOptions) plan(args []string) (proof.Plan, error) {
	plan := proof.Plan{Repeats: o.repeats, Undecided: o.undecided}
	var err error
	if len(o.twin) == 0 || len(args) > 0 || o.fast {
		if plan.Cases, err = proof.Choose(proof.Cases(), args, o.fast); err != nil {
			return plan, err
		}
		plan.Figures = proof.FiguresOf(plan.Cases)
	}
	if o.twins {
		plan.Twins = proof.Twins()
	} else if plan.Twins, err = proof.ChooseTwins(proof.Twins(), o.twin); err != nil {
		return plan, err
	}
	catalog, err := scenarios.Catalog()
	if err != nil {
		return plan, err
	}
	for _, s := range catalog {
		if o.repeats > 0 && tagged(s, o.tags) {
			plan.Alarms = append(plan.Alarms, s.Name)
		}
	}
	return plan, plan.Check()
}

// open opens the journal of a new proof, or of the one to go on with.
func (o *proveOptions) open() (*proof.Journal, error) {
	now := time.Now().UTC()
	if o.resume != "" {
		o.dir = o.resume
		return proof.ResumeJournal(o.dir, proof.NewOrigin(now))
	}
	if o.dir == "" {
		o.dir = filepath.Join(defaultProofs, now.Format("20060102T150405Z"))
	}
	return proof.NewJournal(o.dir, proof.NewOrigin(now))
}

// finish prints the proof and turns it into the exit code.
func (o *proveOptions) finish(ctx context.Context, shown proof.Proof, proven error) error {
	fmt.Fprintln(o.stdout)
	shown.Markdown(o.stdout)
	fmt.Fprintf(o.stdout, "\nkept in %s\n", o.dir)
	switch {
	case ctx.Err() != nil:
		return &exitError{exitInterrupted, fmt.Errorf("interrupted; --resume %s goes on", o.dir)}
	case proven != nil:
		return &exitError{exitInvalid, proven}
	}
	if code := judge.ExitCode(shown.Verdict); code != exitPass {
		return &exitError{code: code}
	}
	return nil
}
