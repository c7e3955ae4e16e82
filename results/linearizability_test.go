package results

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatASearchFoundStaysWithTheRun(t *testing.T) {
	files := map[string]string{fileManifest: `{"format":1,"state":"complete"}`, fileHits: "", fileEvents: "", fileSamples: ""}
	dir := folder(t, files)
	rec, err := Open(dir)
	if err != nil || rec.Linearizability != nil {
		t.Fatalf("Open before a search = %+v, %v, want none", rec.Linearizability, err)
	}
	want := Linearizability{Keys: 3, Violated: []FlagID{{"e", "k"}}, Undecided: []FlagID{{"e", "j"}}, Limit: 5}
	if err := WriteLinearizability(dir, want); err != nil {
		t.Fatal(err)
	}
	rec, err = Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, rec.Linearizability); diff != "" {
		t.Errorf("Open after a search: (-want +got)\n%s", diff)
	}
	files[fileLinearizability] = "{"
	if _, err := Open(folder(t, files)); err == nil || !strings.Contains(err.Error(), fileLinearizability) {
		t.Errorf("Open with a broken %s = %v, want an error that names it", fileLinearizability, err)
	}
}
