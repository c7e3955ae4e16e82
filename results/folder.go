package results

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// folderTime is the layout of the time that a run folder's name begins with.
const folderTime = "20060102T150405Z"

// runningGrace is how long a folder in the state running is taken for a run that
// still goes on. After it the owner is taken for dead.
const runningGrace = 24 * time.Hour

// A Run is a run folder.
type Run struct {
	Dir     string
	Started time.Time // from the folder's name, to the second
	Name    string    // the rest of the folder's name
	State   State
}

// makeFolder makes <dir>/<time>-<name>, with a suffix if that is taken.
func makeFolder(dir, name string, started time.Time) (string, error) {
	switch {
	case started.IsZero():
		return "", errors.New("the manifest has no start time")
	case name == "" || strings.ContainsAny(name, `/\`) || !fs.ValidPath(name):
		return "", fmt.Errorf("%q cannot be part of a folder's name; want a plain name without slashes", name)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	base := filepath.Join(dir, started.UTC().Format(folderTime)+"-"+name)
	folder := base
	for n := 2; ; n++ {
		err := os.Mkdir(folder, 0o755)
		if !errors.Is(err, fs.ErrExist) {
			return folder, err
		}
		folder = fmt.Sprintf("%s-%d", base, n)
	}
}

// Runs lists the run folders in dir, oldest first. What is not a run folder, or
// has no readable manifest, is left out. A dir that does not exist has no runs.
func Runs(dir string) ([]Run, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing runs: %w", err)
	}
	var runs []Run
	for _, e := range entries {
		if r, ok := readRun(dir, e); ok {
			runs = append(runs, r)
		}
	}
	slices.SortStableFunc(runs, func(a, b Run) int {
		// A longer name of the same second is a later run: it has a suffix.
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return runs, nil
}

func readRun(dir string, e fs.DirEntry) (Run, bool) {
	when, name, _ := strings.Cut(e.Name(), "-")
	started, err := time.Parse(folderTime, when)
	if err != nil || !e.IsDir() {
		return Run{}, false
	}
	path := filepath.Join(dir, e.Name())
	m, err := readManifest(path)
	// The manifest of a newer format still says that this is a run.
	if err != nil && !errors.Is(err, ErrNewerFormat) {
		return Run{}, false
	}
	return Run{Dir: path, Started: started, Name: name, State: m.State}, true
}

// Latest returns the newest run folder in dir.
func Latest(dir string) (string, error) {
	runs, err := Runs(dir)
	if err != nil {
		return "", err
	}
	if len(runs) == 0 {
		return "", fmt.Errorf("no run in %s", dir)
	}
	return runs[len(runs)-1].Dir, nil
}

// Prune removes the oldest run folders in dir until keep are left, and returns
// what it removed. It touches only folders whose name begins with a time and that
// hold a readable manifest. A folder in the state running is left alone until it
// is a day old at now: its owner may be alive.
func Prune(dir string, keep int, now time.Time) ([]string, error) {
	if keep < 1 {
		return nil, fmt.Errorf("pruning runs: keeping %d is not possible; want at least 1", keep)
	}
	runs, err := Runs(dir)
	if err != nil {
		return nil, fmt.Errorf("pruning runs: %w", err)
	}
	var removed []string
	for _, r := range runs[:max(len(runs)-keep, 0)] {
		if r.State == StateRunning && now.Sub(r.Started) < runningGrace {
			continue
		}
		if err := os.RemoveAll(r.Dir); err != nil {
			return removed, fmt.Errorf("pruning runs: %w", err)
		}
		removed = append(removed, r.Dir)
	}
	return removed, nil
}
