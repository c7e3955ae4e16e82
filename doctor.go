package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"brownout/chaos/stack"

	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine can run, and what is missing",
		Long: `Say what this machine can run, and what is missing.
Servers come from binaries of this machine or, where there is none, from containers of
a Docker engine; BROWNOUT_PROVIDER=local or docker insists on one of the two.
Exits with 0 when every scenario of the catalogue can run here with them, and with 2
when something is missing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			missing, err := diagnose(cmd.OutOrStdout(), stack.Doctor(cmd.Context()), diagnoseDocker(cmd.Context()))
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

// diagnose prints a line for each server and one for the Docker engine, and returns how
// many servers are missing.
func diagnose(out io.Writer, list []stack.Diagnosis, engine string) (missing int, err error) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "machine\t%s/%s, %d CPUs, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	for _, d := range list {
		if d.Err != nil {
			missing++
			fmt.Fprintf(w, "%s\tmissing\t%v\n", d.Kind, d.Err)
			continue
		}
		if d.Server.Image != "" {
			fmt.Fprintf(w, "%s\tok\t%s, in a container\n", d.Kind, d.Server.Image)
			continue
		}
		fmt.Fprintf(w, "%s\tok\t%s %s at %s\n", d.Kind, d.Server.Kind, d.Server.Version, d.Server.Path)
	}
	fmt.Fprintf(w, "docker\t%s\n", engine)
	return missing, w.Flush()
}

// diagnoseDocker says how the Docker engine is. None is no problem by itself.
func diagnoseDocker(ctx context.Context) string {
	version, missing, err := stack.DockerEngine(ctx)
	switch {
	case err != nil:
		return fmt.Sprintf("none\t%v", err)
	case len(missing) > 0:
		return fmt.Sprintf("ok\tengine %s; will be pulled when needed: %s", version, strings.Join(missing, ", "))
	}
	return "ok\tengine " + version
}
