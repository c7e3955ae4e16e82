package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"brownout/results"
	"brownout/results/judge"
	"brownout/results/report"
	"brownout/scenarios"
	"brownout/scenarios/run"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// overhead is about what a run needs beside its load: stack, target, filling,
// reading back. Only the estimate uses it.
const overhead = 3 * time.Second

// defaultResults is where run folders are made.
const defaultResults = "results/runs"

type runOptions struct {
	tags, set             []string
	target                string
	results, junit        string
	keep, again           int
	seed                  uint64
	cacheURL, databaseURL string
	toxiproxy             string
	stdout, stderr        io.Writer
}

func runCommand() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [NAME|FILE]...",
		Short: "Run scenarios, judge them, write a run folder for each",
		Long: `Run scenarios of the catalogue (by name or --tag) or from files, one after the other.
Each leaves a folder with everything that happened, and ends in one line: verdict and why.`,
		Example: `  brownout run cache-blackhole
  brownout run --tag bench
  brownout run cache-blackhole --set server.profile=seed
  brownout run my.yaml --target my-app.yaml --set load.rate=500/s`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.stdout, o.stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.run(cmd.Context(), args)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.tags, "tag", nil, "run the scenarios of the catalogue with this `tag` (several: any of them)")
	f.StringArrayVar(&o.set, "set", nil, "replace a value of the scenario file: `path=value`, as in server.profile=seed or phases.outage.for=3s")
	f.StringVar(&o.target, "target", "", "name or file of the `target`, instead of the scenario's")
	f.StringVar(&o.results, "results", defaultResults, "`folder` in which run folders are made")
	f.StringVar(&o.junit, "junit", "", "write the verdicts to this `file` as JUnit XML")
	f.IntVar(&o.keep, "keep", 50, "keep at most this `many` run folders; the oldest go first (0: keep all)")
	f.IntVar(&o.again, "again", 0, "repeat a run that was invalid at most this `many` times, each after a longer rest: it says nothing of the target; a fail is never repeated")
	f.Uint64Var(&o.seed, "seed", 0, "`number` from which all that is random is drawn (0: a new one, which is printed)")
	f.StringVar(&o.cacheURL, "cache-url", "", "`URL` of an existing Redis to use instead of one of our own (its data is not cleared)")
	f.StringVar(&o.toxiproxy, "toxiproxy", "", "`URL` of the API of a Toxiproxy that --cache-url and --database-url lead through: faults on links are put on its proxies cache and database")
	f.StringVar(&o.databaseURL, "database-url", "", "`URL` of an existing PostgreSQL to use instead of one of our own")
	return cmd
}

// run carries out the command.
func (o *runOptions) run(ctx context.Context, args []string) error {
	list, err := o.choose(args)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()>>1 | 1
	}
	var estimate time.Duration
	for _, s := range list {
		estimate += s.Duration() + overhead
	}
	fmt.Fprintf(o.stdout, "%d %s, about %s, seed %d\n", len(list), plural(len(list), "scenario"), estimate.Round(time.Second), o.seed)

	var done []report.Case
	for _, s := range list {
		c, err := o.attempt(ctx, s)
		if err != nil {
			return err
		}
		done = append(done, c)
		if ctx.Err() != nil {
			break
		}
	}
	return o.finish(ctx, done)
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// choose finds the scenarios that were asked for, and their targets' settings.
func (o *runOptions) choose(args []string) ([]*scenarios.Scenario, error) {
	var overrides []scenarios.Override
	for _, text := range o.set {
		override, err := scenarios.ParseOverride(text)
		if err != nil {
			return nil, err
		}
		overrides = append(overrides, override)
	}
	var list []*scenarios.Scenario
	for _, name := range args {
		s, err := scenarios.Find(name, overrides...)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(o.tags) > 0 {
		catalog, err := scenarios.Catalog(overrides...)
		if err != nil {
			return nil, err
		}
		for _, s := range catalog {
			if tagged(s, o.tags) {
				list = append(list, s)
			}
		}
	}
	if o.toxiproxy != "" && o.cacheURL == "" && o.databaseURL == "" {
		return nil, errors.New("--toxiproxy needs --cache-url or --database-url, which lead through its proxies")
	}
	lent := map[string]string{results.LinkCache: o.cacheURL, results.LinkDatabase: o.databaseURL}
	for _, s := range list {
		if _, err := o.targetOf(s); err != nil {
			return nil, err
		}
		if err := s.CheckLent(lent); err != nil {
			return nil, err
		}
	}
	if _, err := os.Stat(filepath.Dir(o.junit)); err != nil {
		return nil, fmt.Errorf("--junit %s: its folder is not there: %w", o.junit, err)
	}
	if len(list) == 0 {
		return nil, errors.New("name a scenario, a file or --tag; 'brownout list' shows what there is")
	}
	return list, nil
}

// worthRepeating reports whether a whole run says nothing of the target. One that
// could not be carried through would fail in the same way again.
func (o *runOptions) worthRepeating(c report.Case) bool {
	return c.Judgment.Verdict == judge.Invalid && c.Recording.Manifest.State == results.StateComplete
}

// attempt runs a scenario, and again as long as the run is invalid and --again
// allows. Only the harness's own failures get another chance, never the target's.
func (o *runOptions) attempt(ctx context.Context, s *scenarios.Scenario) (report.Case, error) {
	for repeats := 0; ; repeats++ {
		c, err := o.one(ctx, s)
		if err != nil || ctx.Err() != nil || !o.worthRepeating(c) || repeats >= o.again {
			return c, err
		}
		fmt.Fprintf(o.stdout, "  the run does not count; once more in %v (%d of at most %d)\n", run.RestAfter(repeats+1), repeats+1, o.again)
		if run.Rest(ctx, repeats+1) != nil {
			return c, nil
		}
	}
}

// one runs, judges and reports one scenario.
func (o *runOptions) one(ctx context.Context, s *scenarios.Scenario) (report.Case, error) {
	target, err := o.targetOf(s)
	if err != nil {
		return report.Case{}, &exitError{exitUsage, err}
	}
	self, err := os.Executable()
	if err != nil {
		return report.Case{}, fmt.Errorf("finding the brownout binary: %w", err)
	}
	fmt.Fprintln(o.stdout)
	show := newProgress(o.stdout)
	folder, err := run.Run(ctx, run.Config{
		Scenario: s, Target: target, Results: o.results, Seed: o.seed, Self: self,
		CacheURL: o.cacheURL, DatabaseURL: o.databaseURL, Toxiproxy: o.toxiproxy,
		Status: show.status, Interval: show.interval,
	})
	show.done()
	if folder == "" {
		return report.Case{}, &exitError{exitInvalid, err}
	}
	return o.judge(folder) // an error of the run is in the recording, and in the verdict
}

// targetOf finds the target of s and holds the scenario's settings against it.
func (o *runOptions) targetOf(s *scenarios.Scenario) (*scenarios.Target, error) {
	name := s.Target
	if o.target != "" {
		name = o.target
	}
	target, err := scenarios.FindTarget(name)
	if err != nil {
		return nil, err
	}
	return target, target.Check(s)
}

// judge judges a run folder, leaves the verdict in it and prints the report.
func (o *runOptions) judge(folder string) (report.Case, error) {
	rec, err := results.Open(folder)
	if err != nil {
		return report.Case{}, &exitError{exitInvalid, fmt.Errorf("reading the recording: %w", err)}
	}
	c := report.Case{Recording: rec, Judgment: judge.Judge(rec, judge.Standard())}
	if err := report.WriteVerdict(folder, c.Judgment); err != nil {
		return c, fmt.Errorf("writing the verdict: %w", err)
	}
	if err := o.terminal().Scenario(c); err != nil {
		return c, fmt.Errorf("printing the report: %w", err)
	}
	fmt.Fprintf(o.stdout, "  recorded in %s\n", folder)
	return c, nil
}

func (o *runOptions) terminal() report.Terminal {
	return report.Terminal{Out: o.stdout, Color: colours(o.stdout)}
}

// finish prints one line a scenario, writes what other tools read, prunes old
// runs and turns the verdicts into the exit code.
func (o *runOptions) finish(ctx context.Context, done []report.Case) error {
	var judged []judge.Judgment
	var verdicts []judge.Verdict
	for _, c := range done {
		judged, verdicts = append(judged, c.Judgment), append(verdicts, c.Judgment.Verdict)
	}
	fmt.Fprintln(o.stdout)
	err := errors.Join(o.terminal().Defaults(judge.Standard()), o.terminal().Summary(judged))
	if err != nil {
		return fmt.Errorf("printing the summary: %w", err)
	}
	if err := writeJUnit(o.junit, done); err != nil {
		return err
	}
	if o.keep > 0 {
		if _, err := results.Prune(o.results, o.keep, time.Now()); err != nil {
			fmt.Fprintf(o.stderr, "brownout: pruning old runs: %v\n", err)
		}
	}
	if ctx.Err() != nil {
		return &exitError{exitInterrupted, errors.New("interrupted; what was recorded until then is kept")}
	}
	if code := judge.ExitCode(judge.Worst(verdicts...)); code != exitPass {
		return &exitError{code: code}
	}
	return nil
}

// colours reports whether w is a terminal that wants colours (https://no-color.org).
func colours(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}
