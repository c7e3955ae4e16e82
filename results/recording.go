package results

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// ErrNewerFormat means that a run was written by a newer brownout.
var ErrNewerFormat = errors.New("written by a newer brownout")

// A Recording is one run, read back whole.
type Recording struct {
	Dir      string // empty: it was never in a folder
	Manifest Manifest
	Hits     []Hit    // by due, then by sequence
	Events   []Event  // by time
	Samples  []Sample // by time
	// Exchanges are what passed the links, by when they were sent.
	Exchanges []Exchange
	// Linearizability is nil unless the scenario asked for a search.
	Linearizability *Linearizability
	// Truncated reports that a stream of a killed run ended within a line. The
	// part of a line is left out.
	Truncated bool
}

// NewRecording makes a recording of values in memory. It sorts the slices that it
// is given.
func NewRecording(m Manifest, hits []Hit, events []Event, samples []Sample) *Recording {
	// Equal times stay in the order in which they were written.
	slices.SortStableFunc(hits, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(a.Due, b.Due), cmp.Compare(a.Seq, b.Seq))
	})
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	slices.SortStableFunc(samples, func(a, b Sample) int { return cmp.Compare(a.At, b.At) })
	return &Recording{Manifest: m, Hits: hits, Events: events, Samples: samples}
}

// Open reads the run folder dir. The last line of a stream may be cut off unless
// the run is complete; any other line that cannot be read is an error with file
// and line. A stream that is missing is empty in a run that was killed, and an
// error in a complete one.
func Open(dir string) (*Recording, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, fmt.Errorf("opening run %s: %w", dir, err)
	}
	known := words{}
	hits, cutHits, err1 := readStream(dir, fileHits, m.State, known.hit)
	events, cutEvents, err2 := readStream(dir, fileEvents, m.State, func(*Event) {})
	samples, cutSamples, err3 := readStream(dir, fileSamples, m.State, known.sample)
	exchanges, cutExchanges, err4 := readStream(dir, fileExchanges, m.State, known.exchange)
	if errors.Is(err4, fs.ErrNotExist) {
		err4 = nil
	}
	order, err5 := readLinearizability(dir)
	if err := cmp.Or(err1, err2, err3, err4, err5); err != nil {
		return nil, fmt.Errorf("opening run %s: %w", dir, err)
	}
	rec := NewRecording(m, hits, events, samples)
	rec.Dir, rec.Linearizability = dir, order
	rec.Exchanges = exchanges
	slices.SortStableFunc(rec.Exchanges, func(a, b Exchange) int { return cmp.Compare(a.Sent, b.Sent) })
	rec.Truncated = cutHits || cutEvents || cutSamples || cutExchanges
	return rec, nil
}

func readManifest(dir string) (Manifest, error) {
	data, err := os.ReadFile(filepath.Join(dir, fileManifest))
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, fmt.Errorf("no %s: this is not a run folder: %w", fileManifest, err)
	}
	if err != nil {
		return Manifest{}, err
	}
	// The format first: a newer manifest may not fit the types of this one.
	var version struct {
		Format int   `json:"format"`
		State  State `json:"state"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", fileManifest, err)
	}
	if version.Format > Format {
		return Manifest{State: version.State}, fmt.Errorf("%s: format %d, this brownout reads up to %d: %w", fileManifest, version.Format, Format, ErrNewerFormat)
	}
	if version.Format < 1 {
		return Manifest{}, fmt.Errorf("%s: format is %d, want 1 to %d", fileManifest, version.Format, Format)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w", fileManifest, err)
	}
	return m, nil
}

// readStream reads a stream whole. Each of its values is put through keep.
func readStream[T any](dir, name string, state State, keep func(*T)) (values []T, truncated bool, err error) {
	f, err := os.Open(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) && state == StateRunning {
		return nil, false, nil // killed before the stream was opened
	}
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	r := newReader[T](f, name)
	for r.Scan() {
		values = append(values, r.Value())
		keep(&values[len(values)-1])
	}
	if r.Err() == nil && r.Truncated() && state == StateComplete {
		return nil, true, fmt.Errorf("%s:%d: the last line is cut off, but the run says that it is complete", name, r.line)
	}
	return values, r.Truncated(), r.Err()
}
