package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brownout/results"
	"brownout/results/judge"
	"brownout/results/report"
)

// TestAScenarioRunsInALab attaches an app that runs already to a lab, and runs a
// scenario there from another shell.
func TestAScenarioRunsInALab(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole command")
	}
	dir := t.TempDir()
	appAddr := freeAddr(t)
	target := filepath.Join(dir, "attached.yaml")
	text := fmt.Sprintf("name: attached\naddress: http://%s\nread:\n  url: /counter/{key}\n", appAddr)
	if err := os.WriteFile(target, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(dir) + fmt.Sprint(os.Getpid())
	addresses := startLab(t, dir, "elasticache", "--name", name, "--json", "--attach", target)
	startApp(t, appAddr, addresses)

	scenario, err := filepath.Abs("testdata/attached-scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rec *results.Recording
	var judged judge.Judgment
	for range 3 { // a busy machine makes runs invalid
		out, _ := exec.CommandContext(t.Context(), "brownout", "lab", "do", "--name", name, "run", scenario).CombinedOutput()
		t.Logf("%s", out)
		rec, judged = lastRun(t, filepath.Join(dir, defaultResults))
		if judged.Verdict != judge.Invalid {
			break
		}
	}
	if judged.Verdict != judge.Pass {
		t.Errorf("verdict = %s (%s), want pass", judged.Verdict, judged.Why)
	}
	moved := false
	for _, e := range rec.Events {
		moved = moved || e.Kind == results.EventStep && e.Step.Name == "move"
	}
	if !moved || len(rec.Exchanges) == 0 {
		t.Errorf("the run knows of a move: %v, of %d commands; want what happened in the lab", moved, len(rec.Exchanges))
	}
	plain, err := filepath.Abs("testdata/plain-scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	refused(t, name, plain, "plain needs a cache of kind redis, and this lab has replicated")
}

// refused holds that the lab does not run a scenario, and why.
func refused(t *testing.T, name, scenario, why string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "brownout", "lab", "do", "--name", name, "run", scenario).CombinedOutput()
	if err == nil || !strings.Contains(string(out), why) {
		t.Errorf("run %s says %q, %v; want an error with %q", scenario, out, err, why)
	}
}

// startLab starts a lab that prints its addresses as JSON, and reads them.
func startLab(t *testing.T, dir string, args ...string) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "brownout", append([]string{"lab"}, args...)...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		fmt.Fprintln(in, "quit")
		if err := cmd.Wait(); err != nil {
			t.Errorf("the lab ended with %v: %s", err, errs.String())
		}
	})
	addresses := map[string]string{}
	if err := json.NewDecoder(out).Decode(&addresses); err != nil {
		t.Fatalf("reading the lab's addresses: %v", err)
	}
	return addresses
}

// startApp starts the app that is not ours, and waits until it listens.
func startApp(t *testing.T, addr string, lab map[string]string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "plainapp")
	cmd.Env = append(os.Environ(), "APP_LISTEN="+addr, "APP_CACHE_HOST="+lab["REDIS_HOST"], "APP_CACHE_PORT="+lab["REDIS_PORT"])
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was killed
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the app does not listen: %v", err)
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// lastRun reads the newest run folder of dir.
func lastRun(t *testing.T, dir string) (*results.Recording, judge.Judgment) {
	t.Helper()
	var o outcome
	o.read(t, dir)
	var j judge.Judgment
	data, err := os.ReadFile(filepath.Join(o.folder, report.VerdictFile))
	if err == nil {
		err = json.Unmarshal(data, &j)
	}
	if err != nil {
		t.Fatalf("reading the verdict: %v", err)
	}
	return o.rec, j
}
