package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestREADME runs each command of README.md's console blocks and holds what it
// prints against what the README shows. Numbers and the spaces around them may
// differ; a line that is "..." stands for any lines, and "..." at a line's end for
// any words. A line that begins with "lab> " is typed.
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```console\n(.*?)^```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) == 0 {
		t.Fatal("README.md has no console block")
	}
	for _, block := range blocks {
		for _, part := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			command, want, _ := strings.Cut(part, "\n")
			t.Run(command, func(t *testing.T) { runShown(t, command, want) })
		}
	}
}

// runShown runs command in a folder that has the README's files at hand.
func runShown(t *testing.T, command, want string) {
	if (strings.HasPrefix(command, "brownout run") || strings.HasPrefix(command, "brownout lab")) && testing.Short() {
		t.Skip("runs the whole command")
	}
	args := strings.Fields(command)
	if args[0] != "brownout" {
		t.Fatalf("the README shows %q; only brownout can be run here", command)
	}
	if args[1] == "lab" {
		args = append(args, "--name", "readme")
	}
	if args[1] == "run" {
		args = append(args, "--results", t.TempDir(), "--again", "2")
	}
	typed, want := session(want)
	cmd := exec.CommandContext(t.Context(), "brownout", args[1:]...)
	cmd.Stdin = strings.NewReader(typed)
	out, err := cmd.CombinedOutput()
	if !matches(lines(want), lines(string(out))) {
		t.Errorf("%s (%v) prints\n%s\nthe README shows\n%s", command, err, out, want)
	}
}

// session parts what is typed at the lab's prompt from what is printed.
func session(shown string) (typed, printed string) {
	for line := range strings.Lines(shown) {
		if command, ok := strings.CutPrefix(line, "lab> "); ok {
			typed += command
		} else {
			printed += line
		}
	}
	return typed, printed
}

var (
	number = regexp.MustCompile(`~?[0-9][0-9a-zTZ.:/]*( (µs|ms|s)\b)?%?`)
	spaces = regexp.MustCompile(`\s+`)
)

// lines normalises text: numbers with their units become N, runs of spaces one.
func lines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		line = spaces.ReplaceAllString(number.ReplaceAllString(line, "N"), " ")
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "recorded in") {
			list = append(list, line)
		}
	}
	return list
}

// matches reports whether got is want, where "..." in want stands for any lines.
func matches(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] == "..." {
		for i := range len(got) + 1 {
			if matches(want[1:], got[i:]) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && same(want[0], got[0]) && matches(want[1:], got[1:])
}

// same compares two lines; "..." at the end of want stands for any words.
func same(want, got string) bool {
	if start, open := strings.CutSuffix(want, "..."); open {
		return strings.HasPrefix(got, start)
	}
	return want == got
}

func TestMatches(t *testing.T) {
	tests := []struct {
		name, want, got string
		match           bool
	}{
		{"numbers differ", "p99 55.6 ms of 80ms", "p99 7 µs of 80ms", true},
		{"words differ", "PASS 1", "FAIL 1", false},
		{"a line too many", "a", "a\nb", false},
		{"any lines", "a\n...\nd", "a\nb\nc\nd", true},
		{"any words", "redis ok at ...", "redis ok at /usr/bin", true},
		{"any words, but the first differ", "redis ok at ...", "redis missing", false},
		{"any lines, but the last is missing", "a\n...\nd", "a\nb", false},
	}
	for _, test := range tests {
		if got := matches(lines(test.want), lines(test.got)); got != test.match {
			t.Errorf("%s: matches(%q, %q) = %v, want %v", test.name, test.want, test.got, got, test.match)
		}
	}
}

// TestREADMENamesTargetsOfMake holds that what the README tells to type exists.
func TestREADMENamesTargetsOfMake(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("(?:^|[`\n ])make ([a-z-]+)").FindAllStringSubmatch(string(readme), -1)
	if len(named) == 0 {
		t.Fatal("README.md names no target of make")
	}
	for _, m := range named {
		if !strings.Contains(string(makefile), "\n"+m[1]+":") {
			t.Errorf("README.md says make %s, which the Makefile does not have", m[1])
		}
	}
	ci, err := os.ReadFile(".ci/run")
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"make test", "make bench"} {
		if !strings.Contains(string(ci), command) || !strings.Contains(string(readme), command) {
			t.Errorf("README.md and .ci/run must both say %q", command)
		}
	}
}
