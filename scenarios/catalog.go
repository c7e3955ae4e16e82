package scenarios

import (
	"embed"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"brownout/results/judge"
)

//go:embed catalog/*.yaml targets/*.yaml
var embedded embed.FS

// Catalog returns the embedded scenarios in the order of their names.
func Catalog(overrides ...Override) ([]*Scenario, error) {
	var all []*Scenario
	for _, name := range names("catalog") {
		s, err := find(name, overrides)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Find returns the scenario that name means: one of the catalogue, or the file of
// that path.
func Find(name string, overrides ...Override) (*Scenario, error) {
	if slices.Contains(names("catalog"), name) {
		return find(name, overrides)
	}
	if strings.ContainsAny(name, "/.") {
		return ReadFile(name, overrides...)
	}
	if _, err := os.Stat(name); err == nil {
		return ReadFile(name, overrides...)
	}
	hint := ""
	if near := judge.Nearest(name, names("catalog")); near != "" {
		hint = fmt.Sprintf("did you mean %s? ", near)
	}
	return nil, fmt.Errorf("there is no scenario %q; %sthe catalogue has %s, and a file is named by its path",
		name, hint, strings.Join(names("catalog"), ", "))
}

func find(name string, overrides []Override) (*Scenario, error) {
	file := path.Join("catalog", name+".yaml")
	data, err := embedded.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the catalogue: %w", err)
	}
	return Parse("scenarios/"+file, data, overrides...)
}

// TargetNames lists the embedded targets.
func TargetNames() []string { return names("targets") }

// names lists the embedded files of a folder without their ending.
func names(folder string) []string {
	entries, err := embedded.ReadDir(folder)
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		list = append(list, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	return list
}
