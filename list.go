package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"brownout/chaos"
	"brownout/results/judge"
	"brownout/scenarios"

	"github.com/spf13/cobra"
)

func listCommand() *cobra.Command {
	var tags []string
	var faults, expectations bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the scenarios of the catalogue, and the targets",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if faults {
				return listFaults(cmd.OutOrStdout())
			}
			if expectations {
				return listExpectations(cmd.OutOrStdout())
			}
			catalog, err := scenarios.Catalog()
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, s := range catalog {
				if tagged(s, tags) {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Name, s.Duration(), strings.Join(s.Tags, ","), s.Proves)
				}
			}
			fmt.Fprintf(w, "\ntargets: %s\n", strings.Join(scenarios.TargetNames(), ", "))
			return w.Flush()
		},
	}
	cmd.Flags().StringSliceVar(&tags, "tag", nil, "only scenarios with this `tag` (may be given several times: any of them)")
	cmd.Flags().BoolVar(&faults, "faults", false, "list the kinds of fault, with their parameters")
	cmd.Flags().BoolVar(&expectations, "expectations", false, "list the figures that an expectation can bound, with their definitions")
	return cmd
}

// listFaults lists the kinds of fault. Those that need a link which understands its
// protocol name it; those on the server itself say so.
func listFaults(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, k := range chaos.Kinds() {
		on := "any link"
		if (chaos.Fault{Kind: k.Kind}).OnProcess() {
			on = "any server"
		}
		if k.Protocol != "" {
			on = k.Protocol
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.Kind, on, k.Doc, strings.Join(k.Parameters, ", "))
	}
	return w.Flush()
}

// listExpectations lists the kinds of figure: where each can stand, what can be in its
// braces, the comparison of a bound without an operator, the unit, and the definition.
func listExpectations(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, k := range judge.Kinds() {
		name, where := k.Name, map[judge.Scope]string{judge.Phase: "phase", judge.Run: "run", judge.Phase | judge.Run: "phase, run"}[k.Scope]
		if len(k.Labels) > 0 {
			name += "{" + strings.Join(k.Labels, ",") + "}"
		}
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\n", name, where, k.Comparison, k.Unit, k.Doc)
	}
	return w.Flush()
}

// tagged reports whether s has one of the tags; no tags mean every scenario.
func tagged(s *scenarios.Scenario, tags []string) bool {
	return len(tags) == 0 || slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(s.Tags, tag) })
}
