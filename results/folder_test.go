package results

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// runFolders makes folders in a new directory; a manifest of "" makes none.
func runFolders(t *testing.T, manifests map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range manifests {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name, fileManifest), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	doneRun    = `{"format":1,"state":"complete"}`
	runningRun = `{"format":1,"state":"running"}`
)

func TestPrune(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name      string
		manifests map[string]string
		keep      int
		removed   []string
	}{
		{
			"the oldest go", map[string]string{"20260301T000000Z-b": doneRun, "20260302T000000Z-a": doneRun, "20260303T000000Z-a": doneRun},
			2, []string{"20260301T000000Z-b"},
		},
		{"nothing goes within the cap", map[string]string{"20260301T000000Z-a": doneRun}, 1, nil},
		{
			"a folder without a manifest is nobody's run",
			map[string]string{"20260301T000000Z-a": "", "20260302T000000Z-a": doneRun}, 1, nil,
		},
		{
			"a folder with another name is never touched",
			map[string]string{"notes": doneRun, "2026-old": doneRun, "20260302T000000Z-a": doneRun}, 1, nil,
		},
		{
			"a run that still goes on stays",
			map[string]string{"20260310T110000Z-a": runningRun, "20260310T113000Z-a": doneRun}, 1, nil,
		},
		{
			"a run that was running a day ago is dead",
			map[string]string{"20260309T110000Z-a": runningRun, "20260310T113000Z-a": doneRun}, 1, []string{"20260309T110000Z-a"},
		},
		{
			"a run of a newer format is a run",
			map[string]string{"20260301T000000Z-a": `{"format":9,"state":"complete"}`, "20260302T000000Z-a": doneRun}, 1, []string{"20260301T000000Z-a"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := runFolders(t, row.manifests)
			removed, err := Prune(dir, row.keep, now)
			if err != nil {
				t.Fatalf("Prune: %v", err)
			}
			var got []string
			for _, path := range removed {
				got = append(got, filepath.Base(path))
			}
			if diff := cmp.Diff(row.removed, got); diff != "" {
				t.Errorf("Prune(%d) (-want +got):\n%s", row.keep, diff)
			}
			left, err := os.ReadDir(dir)
			if want := len(row.manifests) - len(row.removed); err != nil || len(left) != want {
				t.Errorf("%d folders left (%v), want %d", len(left), err, want)
			}
		})
	}
}

func TestPruneDoesNotFollowLinks(t *testing.T) {
	elsewhere := runFolders(t, map[string]string{"20260301T000000Z-a": doneRun})
	dir := runFolders(t, map[string]string{"20260302T000000Z-a": doneRun})
	if err := os.Symlink(filepath.Join(elsewhere, "20260301T000000Z-a"), filepath.Join(dir, "20260301T000000Z-a")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if removed, err := Prune(dir, 1, started()); len(removed) != 0 || err != nil {
		t.Errorf("Prune = %v, %v, want nothing", removed, err)
	}
}

func TestPruneKeepsAtLeastOne(t *testing.T) {
	dir := runFolders(t, map[string]string{"20260301T000000Z-a": doneRun})
	if _, err := Prune(dir, 0, started()); err == nil {
		t.Error("Prune(0) = nil, want an error")
	}
}

func TestNoRuns(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	if runs, err := Runs(missing); len(runs) != 0 || err != nil {
		t.Errorf("Runs = %v, %v, want none", runs, err)
	}
	if _, err := Latest(missing); err == nil {
		t.Error("Latest = nil, want an error")
	}
}

func TestWriteFileLeavesTheOldFileWhenItCannotWrite(t *testing.T) {
	dir := t.TempDir()
	if err := WriteFile(dir, "a", []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "missing"), "a", []byte("new")); err == nil {
		t.Error("WriteFile into a missing folder = nil, want an error")
	}
	if err := WriteJSON(dir, "a", func() {}); err == nil {
		t.Error("WriteJSON of a function = nil, want an error")
	}
	data, err := os.ReadFile(filepath.Join(dir, "a"))
	if string(data) != "old" || err != nil {
		t.Errorf("file = %q, %v, want old", data, err)
	}
}
