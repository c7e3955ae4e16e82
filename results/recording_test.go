package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// folder makes a run folder by hand.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOpen(t *testing.T) {
	const (
		running  = `{"format":1,"state":"running"}`
		complete = `{"format":1,"state":"complete"}`
		hit      = `{"seq":1,"op":"read","due":1,"sent":1,"done":2,"env":"e","key":"k"}` + "\n"
	)
	for _, row := range []struct {
		name      string
		manifest  string
		hits      string
		want      int // hits
		truncated bool
		err       string
	}{
		{"a whole run", complete, hit + hit, 2, false, ""},
		{"the last line of a killed run is cut off", running, hit + hit[:20], 1, true, ""},
		{"a whole last line without its newline is cut off too", running, hit + hit[:len(hit)-1], 1, true, ""},
		{"a complete run is never cut off", complete, hit + hit[:20], 0, false, "hits.jsonl:2: the last line is cut off"},
		{"a broken line within is an error, also in a killed run", running, hit + "{oops\n" + hit, 0, false, "hits.jsonl:2: decoding"},
		{"a broken last line with its newline is an error", running, hit + hit[:20] + "\n", 0, false, "hits.jsonl:2: decoding"},
		{"an empty line is an error", running, hit + "\n" + hit, 0, false, "hits.jsonl:2: decoding"},
		{"null is no hit", running, "null\n", 0, false, "hits.jsonl:1: decoding"},
		{"a wrong type is an error", running, `{"seq":-1}` + "\n", 0, false, "hits.jsonl:1: decoding"},
		{"a field that is not known is let pass", running, `{"seq":1,"colour":"red"}` + "\n", 1, false, ""},
		{"a newer format is refused", `{"format":2,"phases":"new"}`, hit, 0, false, "format 2, this brownout reads up to 1"},
		{"a manifest without a format is refused", `{}`, hit, 0, false, "format is 0"},
		{"a manifest that is no JSON is refused", `{`, hit, 0, false, "manifest.json"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := folder(t, map[string]string{fileManifest: row.manifest, fileHits: row.hits, fileEvents: "", fileSamples: ""})
			rec, err := Open(dir)
			if row.err != "" {
				if err == nil || !strings.Contains(err.Error(), row.err) {
					t.Fatalf("Open = %v, want an error with %q", err, row.err)
				}
				return
			}
			if err != nil {
				t.Fatalf("Open: %v", err)
			}
			if len(rec.Hits) != row.want || rec.Truncated != row.truncated {
				t.Errorf("Open = %d hits, truncated %v, want %d, %v", len(rec.Hits), rec.Truncated, row.want, row.truncated)
			}
		})
	}
}

func TestANewerFormatCanBeTold(t *testing.T) {
	dir := folder(t, map[string]string{fileManifest: `{"format":99}`})
	if _, err := Open(dir); !errors.Is(err, ErrNewerFormat) {
		t.Errorf("Open = %v, want ErrNewerFormat", err)
	}
}

func TestAMissingStream(t *testing.T) {
	killed := folder(t, map[string]string{fileManifest: `{"format":1,"state":"running"}`})
	if _, err := Open(killed); err != nil {
		t.Errorf("Open of a run killed at its start = %v, want none", err)
	}
	complete := folder(t, map[string]string{fileManifest: `{"format":1,"state":"complete"}`})
	if _, err := Open(complete); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Open of a complete run without streams = %v, want an error", err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a run folder") {
		t.Errorf("Open of another folder = %v, want: not a run folder", err)
	}
}

// FuzzReader checks that what can be read can be written and read again to the
// same values, and that nothing makes the reader hang or panic.
func FuzzReader(f *testing.F) {
	f.Add([]byte(`{"seq":1,"op":"read","due":1,"env":"e","key":"k","detail":"a\nb"}` + "\n" + `{"seq"`))
	f.Add([]byte(`{"seq":18446744073709551615,"due":-9223372036854775808}` + "\n"))
	f.Add([]byte("\n\n"))
	f.Add([]byte("null\n[]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := readAll(data)
		if err != nil {
			return
		}
		var again bytes.Buffer
		for _, h := range first {
			line, err := json.Marshal(h)
			if err != nil {
				t.Fatalf("encoding %+v: %v", h, err)
			}
			again.Write(append(line, '\n'))
		}
		second, err := readAll(again.Bytes())
		if err != nil {
			t.Fatalf("reading what was written: %v\n%s", err, again.Bytes())
		}
		if diff := cmp.Diff(first, second, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("second reading (-first +second):\n%s", diff)
		}
		if lines := bytes.Count(data, []byte("\n")); lines != len(first) {
			t.Errorf("%d values of %d whole lines", len(first), lines)
		}
	})
}

func readAll(data []byte) ([]Hit, error) {
	r := newReader[Hit](bytes.NewReader(data), "fuzz")
	var all []Hit
	for r.Scan() {
		all = append(all, r.Value())
	}
	return all, r.Err()
}
