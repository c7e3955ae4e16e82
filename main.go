// Command brownout tells whether a service whose cache dies browns out (slower,
// staler, still right) or blacks out.
//
// Each subcommand has a file of its own beside this one: flags, wiring and exit
// codes. What they wire together stands in the rooms below: scenarios, chaos,
// loadtest, results and server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes. Over several scenarios fail comes before invalid, invalid before
// inconclusive, inconclusive before pass.
const (
	exitPass         = 0
	exitFail         = 1   // an expectation was missed
	exitUsage        = 2   // wrong use, or a wrong file
	exitInconclusive = 3   // the run does not allow a judgement
	exitInvalid      = 4   // the harness broke its own promise
	exitInterrupted  = 130 // Ctrl-C
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// An exitError carries an exit code up to main. Its error may be nil: then all
// has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// command runs the command line args and returns the exit code.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	understood := false // the command line; what is wrong after that, help does not help with
	root := &cobra.Command{
		Use:   "brownout",
		Short: "When the cache behind a service dies, does it brown out or black out?",
		Long: `brownout starts a real stack (Redis, PostgreSQL, a flag server), drives it with
open-model load, injures it, and says - with evidence - whether timeouts, backoff,
failover and fallback did what they promise.

Exit codes: 0 pass, 1 an expectation missed, 2 usage or bad file, 3 inconclusive
(the run does not allow a judgement), 4 invalid (the harness broke its own
promise), 130 interrupted. Over several scenarios: fail before invalid before
inconclusive before pass.`,
		PersistentPreRun: func(*cobra.Command, []string) { understood = true },

		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(runCommand(), reportCommand(), listCommand(), checkCommand(), serveCommand(), labCommand(), doctorCommand(), proveCommand())

	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitPass
	}
	var exit *exitError
	if !errors.As(err, &exit) {
		exit = &exitError{exitUsage, err}
		if !understood {
			exit.err = fmt.Errorf("%w\nbrownout: try 'brownout --help'", err)
		}
	}
	if exit.err != nil {
		fmt.Fprintf(stderr, "brownout: %v\n", exit.err)
	}
	return exit.code
}
