package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes commands of the test binary: brownout itself, and apps that are not
// ours (see plainapp_test.go and redialapp_test.go). Tests find them in PATH.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"brownout":  main,
		"plainapp":  func() { untilStopped(servePlainApp) },
		"redialapp": func() { untilStopped(serveRedialApp) },
	})
}

// untilStopped runs an app until it is told to stop.
func untilStopped(serve func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := serve(ctx)
	stop()
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			// The private cache of fetched servers is found from HOME.
			for _, name := range []string{"HOME", "XDG_CACHE_HOME", "BROWNOUT_CACHE", "BROWNOUT_SERVERS"} {
				env.Setenv(name, os.Getenv(name))
			}
			return nil
		},
	})
}
