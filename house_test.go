package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport says which rooms a room may import: imports run downward only. A room
// that is missing here may import nothing and must be added, for a reviewer to see.
var mayImport = map[string][]string{
	"": { // the command wires everything
		"chaos", "chaos/ca", "chaos/lab", "chaos/lab/console", "chaos/stack", "results", "results/judge", "results/report",
		"scenarios", "scenarios/proof", "scenarios/run", "server", "server/defect",
	},
	"scenarios":         {"chaos", "chaos/failover", "loadtest", "results", "results/judge"},
	"scenarios/run":     {"chaos", "chaos/ca", "chaos/failover", "chaos/lab", "chaos/process", "chaos/stack", "chaos/toxiproxy", "loadtest", "results", "results/figures", "results/linear", "scenarios"},
	"scenarios/proof":   {"results", "results/judge", "results/report", "scenarios", "scenarios/run"},
	"chaos":             {"results"},
	"chaos/ca":          {},
	"chaos/failover":    {},
	"chaos/lab":         {"chaos", "chaos/failover", "chaos/lab/names", "chaos/link", "chaos/link/pgwire", "chaos/link/resp", "chaos/link/wire", "chaos/stack", "results"},
	"chaos/lab/names":   {},
	"chaos/lab/console": {"chaos", "chaos/failover", "chaos/lab", "chaos/process", "chaos/stack", "chaos/stack/admin"},
	"chaos/link":        {"chaos", "chaos/link/wire", "results"},
	"chaos/toxiproxy":   {"chaos", "results"},
	"chaos/link/resp":   {"chaos", "chaos/link/wire", "results"},
	"chaos/link/wire":   {"results"},
	"chaos/process":     {"chaos", "chaos/stack", "chaos/stack/admin", "results"},
	"chaos/stack":       {"chaos/ca", "chaos/stack/admin", "chaos/stack/docker", "results"},
	"loadtest":          {"results"},
	"results":           {},
	"results/figures":   {"results"},
	"results/judge":     {"results", "results/figures"},
	"results/linear":    {"results", "results/figures"}, // has a clock: its search has a limit
	"results/report":    {"results", "results/figures", "results/judge"},

	// A protocol of a link's dependency knows what a link says to it, and no link.
	"chaos/link/pgwire": {"chaos/link/wire", "results"},

	// The server knows nothing of the harness, and the harness nothing of it.
	"server":         {"server/feature", "server/cache", "server/metrics", "server/ofrep", "server/pgstore"},
	"server/defect":  {"server", "server/cache", "server/feature"}, // from outside: the server knows nothing of its defects
	"server/feature": {},
	"server/cache":   {"server/feature"},
	"server/metrics": {}, // knows nothing of what it counts
	"server/ofrep":   {"server/feature"},
	"server/pgstore": {"server/feature"},
	// For tests only: their servers come from where the harness gets its own.
	"server/servertest": {"chaos/link", "chaos/stack", "server", "server/feature", "server/cache"},

	"chaos/stack/admin":  {},
	"chaos/stack/docker": {}, // a container knows nothing of what runs in it
}

// mayDepend says which packages may import an outside module: one dependency,
// one room. Exceptions carry their reason.
var mayDepend = map[string][]string{
	"github.com/spf13/cobra":              {""},
	"golang.org/x/term":                   {""}, // is this a terminal?
	"github.com/goccy/go-yaml":            {"scenarios"},
	"github.com/tsenart/vegeta/v12":       {"loadtest"},
	"github.com/dunglas/httpsfv":          {"loadtest", "server"},            // Cache-Status: one writes it, the other reads it
	"github.com/Shopify/toxiproxy/v2":     {"chaos/link", "chaos/toxiproxy"}, // its toxics; the client of its server
	"github.com/miekg/dns":                {"chaos/lab/names"},
	"github.com/prometheus/procfs":        {"chaos/stack"},
	"github.com/redis/go-redis/v9":        {"server/cache"},
	"github.com/maypok86/otter/v2":        {"server/cache"},
	"github.com/prometheus/client_golang": {"server/metrics"},
	"github.com/jackc/pgx/v5":             {"server/pgstore", "chaos/stack"},                                                      // chaos/stack: readiness is asked, not slept for
	"golang.org/x/sync":                   {"chaos/lab", "chaos/lab/names", "chaos/stack", "loadtest", "scenarios/run", "server"}, // groups of goroutines, single-flight
	"golang.org/x/sys":                    {"chaos/link", "chaos/stack", "loadtest"},                                              // sockets; processes; nanosleep

	"github.com/anishathalye/porcupine":  {"results/linear"},
	"github.com/failsafe-go/failsafe-go": {"server/cache"}, // the state of its circuit breaker

	// Containers: what testcontainers-go does not wrap is asked of the engine.
	"github.com/testcontainers/testcontainers-go": {"chaos/stack/docker"},
	"github.com/moby/moby/api":                    {"chaos/stack/docker"},
	"github.com/moby/moby/client":                 {"chaos/stack/docker"},
	"github.com/containerd/errdefs":               {"chaos/stack/docker"}, // what an engine's error means
}

type pkg struct {
	ImportPath string
	Imports    []string
	Module     struct{ Path string }
}

// packages lists the packages of this module with what they import outside tests.
func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("reading go list: %v", err)
		}
		all = append(all, p)
	}
}

// room is the path of a package of ours below the module, "" for the command.
func room(importPath string) (string, bool) {
	if importPath == "brownout" {
		return "", true
	}
	return strings.CutPrefix(importPath, "brownout/")
}

func TestImportsRunDownward(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := room(p.ImportPath)
		allowed, known := mayImport[from]
		if !known {
			t.Errorf("package %q stands in no row of mayImport", from)
		}
		for _, path := range p.Imports {
			if to, ours := room(path); ours && !slices.Contains(allowed, to) {
				t.Errorf("%q imports %q, which mayImport does not allow", from, to)
			}
		}
	}
}

func TestOneOutsideDependencyOneRoom(t *testing.T) {
	for _, p := range packages(t) {
		from, _ := room(p.ImportPath)
		for _, path := range p.Imports {
			module, outside := moduleOf(path)
			if outside && !slices.Contains(mayDepend[module], from) {
				t.Errorf("%q imports %s (module %q), which mayDepend does not allow", from, path, module)
			}
		}
	}
}

// moduleOf finds the row of mayDepend that path belongs to; a path outside every
// row is its own module. Standard packages have no dot in their first element.
func moduleOf(path string) (module string, outside bool) {
	if _, ours := room(path); ours {
		return "", false
	}
	if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
		return "", false
	}
	for module := range mayDepend {
		if path == module || strings.HasPrefix(path, module+"/") {
			return module, true
		}
	}
	return path, true
}

func TestTheTablesOfImportsHaveNoDeadRows(t *testing.T) {
	used := map[string]bool{}
	for _, p := range packages(t) {
		from, _ := room(p.ImportPath)
		used["room "+from] = true
		for _, path := range p.Imports {
			if to, ours := room(path); ours {
				used[from+" -> "+to] = true
			} else if module, outside := moduleOf(path); outside {
				used[from+" => "+module] = true
			}
		}
	}
	for from, tos := range mayImport {
		if !used["room "+from] {
			t.Errorf("mayImport has a row for %q, which is no package", from)
		}
		for _, to := range tos {
			if !used[from+" -> "+to] {
				t.Errorf("mayImport allows %q to import %q, which it does not", from, to)
			}
		}
	}
	for module, froms := range mayDepend {
		for _, from := range froms {
			if !used[from+" => "+module] {
				t.Errorf("mayDepend allows %q to import %s, which it does not", from, module)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}}\t{{.Doc}}", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if path, doc, _ := strings.Cut(strings.TrimSpace(line), "\t"); doc == "" {
			t.Errorf("package %s has no package comment", path)
		}
	}
}
