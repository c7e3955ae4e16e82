package server_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brownout/server"
)

// The columns of the table in CHECKS.md that name something.
const (
	columnSettings  = 2
	columnTests     = 3
	columnScenarios = 4
	columnDefects   = 5
)

// What CHECKS.md names is there: a promise whose test has gone is none.
func TestTheTableOfChecksHasNoDeadRows(t *testing.T) {
	text, err := os.ReadFile("CHECKS.md")
	if err != nil {
		t.Fatal(err)
	}
	there := map[int][]string{
		columnSettings:  settingNames(),
		columnTests:     matchesIn(t, ".", "_test.go", `(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`),
		columnScenarios: slices.Concat(scenarioNames(t, "../scenarios/catalog"), scenarioNames(t, "../scenarios/proof/scenarios")),
		columnDefects:   matchesIn(t, "../scenarios/proof", "table.go", `Defect: +"([a-z0-9-]+)"`),
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < 2 || strings.HasPrefix(cells[1], " **") || strings.HasPrefix(cells[1], " promise") || strings.HasPrefix(cells[1], "-") {
			continue
		}
		if len(cells) != 7 {
			t.Errorf("a row has %d cells, want 5: %s", len(cells)-2, line)
			continue
		}
		if !strings.Contains(cells[columnTests], "`") {
			t.Errorf("nothing tests this: %s", line)
		}
		for column, names := range there {
			for _, m := range regexp.MustCompile("`([A-Za-z][\\w-]*)(?:=[^`]*)?`").FindAllStringSubmatch(cells[column], -1) {
				named[m[1]] = true
				if !slices.Contains(names, m[1]) {
					t.Errorf("there is no %s, which CHECKS.md names: %s", m[1], line)
				}
			}
		}
	}
	for _, name := range there[columnTests] {
		if strings.HasPrefix(name, "Fuzz") && !named[name] {
			t.Errorf("%s stands in no row", name)
		}
	}
}

func settingNames() []string {
	var names []string
	for _, s := range server.Settings() {
		names = append(names, s.Name)
	}
	return names
}

func scenarioNames(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("scenarios in %s: %v, %v", dir, files, err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".yaml")
	}
	return files
}

// matchesIn is what the group of pattern matches in the files below dir whose name ends so.
func matchesIn(t *testing.T, dir, suffix, pattern string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.FromSlash(dir), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, suffix) {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			found = append(found, m[1])
		}
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("%s in %s*%s: %v, %v", pattern, dir, suffix, found, err)
	}
	return found
}
