package main

import (
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"

	"brownout/chaos/stack"

	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine can run, and what is missing",
		Long: `Say what this machine can run, and what is missing.
Exits with 0 when every scenario of the catalogue can run here with servers of this
machine, and with 2 when something is missing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			missing, err := diagnose(cmd.OutOrStdout(), stack.Doctor(cmd.Context()))
			if err != nil {
				return err
			}
			if missing > 0 {
				return &exitError{exitUsage, fmt.Errorf("%d of the servers that scenarios need cannot be started here; --cache-url and --database-url use running ones", missing)}
			}
			return nil
		},
	}
}

// diagnose prints a line for each server and returns how many are missing.
func diagnose(out io.Writer, list []stack.Diagnosis) (missing int, err error) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "machine\t%s/%s, %d CPUs, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	for _, d := range list {
		if d.Err != nil {
			missing++
			fmt.Fprintf(w, "%s\tmissing\t%v\n", d.Kind, d.Err)
			continue
		}
		fmt.Fprintf(w, "%s\tok\t%s %s at %s\n", d.Kind, d.Server.Kind, d.Server.Version, d.Server.Path)
	}
	return missing, w.Flush()
}
