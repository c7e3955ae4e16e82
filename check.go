package main

import (
	"errors"
	"fmt"

	"brownout/results"
	"brownout/results/judge"
	"brownout/scenarios"

	"github.com/spf13/cobra"
)

func checkCommand() *cobra.Command {
	var (
		schema bool
		target string
		set    []string
	)
	cmd := &cobra.Command{
		Use:   "check [NAME|FILE]...",
		Short: "Validate scenario and target files",
		Long: `Validate scenario files, and with --target a target file, without starting anything.
What is wrong is named with file, line and column, and what would be right. For each
scenario the expectations are listed that the target's answers do not allow to judge.`,
		Example: `  brownout check my-scenario.yaml
  brownout check cache-blackhole --target my-app.yaml
  brownout check --schema > brownout.schema.json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if schema {
				data, err := scenarios.Schema()
				if err != nil {
					return fmt.Errorf("making the schema: %w", err)
				}
				fmt.Fprintln(cmd.OutOrStdout(), string(data))
				return nil
			}
			if len(args) == 0 && target == "" {
				return errors.New("name a scenario, a file or --target; --schema prints the JSON Schema")
			}
			return check(cmd, args, target, set)
		},
	}
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of scenario files, for editors")
	cmd.Flags().StringVar(&target, "target", "", "check against this `target` (name or file) instead of the scenario's")
	cmd.Flags().StringArrayVar(&set, "set", nil, "as for run: `path=value`")
	return cmd
}

// check validates everything named and goes on after an error, so that one call
// names all that is wrong.
func check(cmd *cobra.Command, args []string, targetName string, set []string) error {
	var overrides []scenarios.Override
	for _, text := range set {
		o, err := scenarios.ParseOverride(text)
		if err != nil {
			return err
		}
		overrides = append(overrides, o)
	}
	var errs []error
	if targetName != "" {
		if _, err := scenarios.FindTarget(targetName); err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: ok, a target\n", targetName)
	}
	for _, name := range args {
		if err := checkScenario(cmd, name, targetName, overrides); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func checkScenario(cmd *cobra.Command, name, targetName string, overrides []scenarios.Override) error {
	s, err := scenarios.Find(name, overrides...)
	if err != nil {
		return err
	}
	if targetName == "" {
		targetName = s.Target
	}
	target, err := scenarios.FindTarget(targetName)
	if err != nil {
		return err
	}
	if err := target.Check(s); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: ok, %d phases, %s, target %s\n", name, len(s.Phases), s.Duration(), target.Name)
	for _, line := range unjudgeable(s, target.Tells()) {
		fmt.Fprintf(cmd.OutOrStdout(), "  cannot be judged: %s\n", line)
	}
	return nil
}

// unjudgeable lists the expectations that need something which the target's
// answers do not tell.
func unjudgeable(s *scenarios.Scenario, tells results.Tells) []string {
	var lines []string
	add := func(where string, list []results.Expectation) {
		for _, e := range list {
			if why := judge.Unjudgeable(e, tells); why != "" {
				lines = append(lines, fmt.Sprintf("%s %s: %s", where, e.Text, why))
			}
		}
	}
	for _, p := range s.Phases {
		add(p.Name, p.Require)
		add(p.Name, p.Expect)
	}
	add("always", s.Always)
	return lines
}
