package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brownout/results/judge"
	"brownout/scenarios/proof"
)

// A defect and its clean twin, from the command line to the files; then the same
// proof once more, which has nothing left to do.
func TestProveKillsADefect(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole command")
	}
	dir := filepath.Join(t.TempDir(), "proof")
	for _, args := range [][]string{
		{"prove", "key-without-environment", "--again", "4", "--out", dir},
		{"prove", "key-without-environment", "--resume", dir},
	} {
		cmd := exec.CommandContext(t.Context(), "brownout", args...)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		t.Logf("brownout %s\n%s", strings.Join(args, " "), out.String())
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if code := cmd.ProcessState.ExitCode(); code != exitPass {
			t.Errorf("exit code = %d, want %d", code, exitPass)
		}
		if slices.Contains(args, "--resume") && strings.Contains(out.String(), "[1 of") {
			t.Error("the resumed proof runs again what has been run")
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "proof.json"))
	if err != nil {
		t.Fatal(err)
	}
	var proven proof.Proof
	if err := json.Unmarshal(data, &proven); err != nil {
		t.Fatal(err)
	}
	if proven.Verdict != judge.Pass || len(proven.Kills) != 1 || proven.Kills[0].Status != proof.Killed {
		t.Errorf("proof.json = %+v, want one kill, and pass", proven)
	}
	for file, want := range map[string]string{"proof.md": "| key-without-environment | steady | run wrong_answers |", "proof.jsonl": `"job":"clean steady`} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s = %q, %v; want %q in it", file, text, err, want)
		}
	}
}
