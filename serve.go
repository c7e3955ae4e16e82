package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"

	"brownout/server"
	"brownout/server/defect"

	"github.com/spf13/cobra"
)

func serveCommand() *cobra.Command {
	var broken string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the reference flag server (settings from the environment)",
		Long:  "Run the reference flag server. It listens at once, says in /readyz what it still waits for,\nand ends on SIGTERM when the requests in flight are done.\n\nSettings, from the environment:\n\n" + settings() + "\nWith --defect, or " + defect.Variable + " in the environment, it is broken on purpose:\n\n" + defects(),
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("defect") {
				broken = os.Getenv(defect.Variable)
			}
			wrong, err := defect.Parse(broken)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			cfg, err := server.FromEnviron(os.LookupEnv)
			if err != nil {
				return &exitError{exitUsage, fmt.Errorf("settings: %w", err)}
			}
			cfg.Log = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: cfg.LogLevel}))
			s, err := server.New(defect.Build(cfg, wrong))
			if err != nil {
				return &exitError{exitUsage, fmt.Errorf("settings: %w", err)}
			}
			if err := s.Run(cmd.Context()); err != nil {
				return &exitError{exitFail, fmt.Errorf("serving: %w", err)}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&broken, "defect", "", "break the server on purpose: `names` of defects, joined by commas")
	return cmd
}

// defects is a table of everything that can be wrong on purpose.
func defects() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, d := range defect.All() {
		fmt.Fprintf(w, "  %s\t%s\n", d.Name, d.Does)
	}
	w.Flush() // into memory: it cannot fail
	return text.String()
}

// settings is a table of everything that can be set.
func settings() string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, s := range server.Settings() {
		fmt.Fprintf(w, "  %s\t%s", s.Name, s.Doc)
		if s.Default != "" {
			fmt.Fprintf(w, " (default %s)", s.Default)
		}
		fmt.Fprintln(w)
	}
	w.Flush() // into memory: it cannot fail
	return text.String()
}
