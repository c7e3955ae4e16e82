package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
)

// A Recorder writes a run folder while the run goes on. Its methods are safe for
// concurrent use. It has no goroutine of its own: whoever owns it calls Flush
// every now and then (each 200 ms, say), so that a killed run stays readable up
// to that moment.
type Recorder struct {
	dir string

	mu        sync.Mutex
	manifest  Manifest
	streams   []*stream  // hits, events, samples, exchanges
	exchanges []Exchange // kept since the last flush
	encoding  error      // the first record that could not be encoded
	closed    bool
	closeErr  error // what Close returned
}

// The positions in Recorder.streams.
const (
	streamHits = iota
	streamEvents
	streamSamples
	streamExchanges
)

// Create makes the folder <dir>/<time>-<name>, writes m there with the state
// running, and opens the streams. The time is m.Started; a second run of the same
// name and second gets a suffix.
func Create(dir, name string, m Manifest) (*Recorder, error) {
	folder, err := makeFolder(dir, name, m.Started)
	if err != nil {
		return nil, fmt.Errorf("creating a run folder: %w", err)
	}
	r := &Recorder{dir: folder}
	m.State, m.Problem = StateRunning, ""
	if err := r.SetManifest(m); err != nil {
		return nil, err
	}
	for _, file := range []string{fileHits, fileEvents, fileSamples, fileExchanges} {
		s, err := openStream(filepath.Join(folder, file))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("creating a run folder: %w", err), r.closeStreams())
		}
		r.streams = append(r.streams, s)
	}
	return r, nil
}

// Dir returns the run folder.
func (r *Recorder) Dir() string { return r.dir }

// Hit records h. It is buffered.
func (r *Recorder) Hit(h Hit) { r.record(streamHits, h, false) }

// Event records e and everything before it: events are few, and a killed run is
// of no use without them.
func (r *Recorder) Event(e Event) { r.record(streamEvents, e, true) }

// Sample records s. It is buffered.
func (r *Recorder) Sample(s Sample) { r.record(streamSamples, s, false) }

// Exchange records e. It is kept as it is until the next flush: the link that saw
// it is not to be slowed by its encoding.
func (r *Recorder) Exchange(e Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.exchanges = append(r.exchanges, e)
	}
}

// encodeExchanges encodes what is kept. r.mu is held.
func (r *Recorder) encodeExchanges() {
	for _, e := range r.exchanges {
		data, err := json.Marshal(e)
		if err != nil {
			r.encoding = errors.Join(r.encoding, fmt.Errorf("encoding %T: %w", e, err))
			continue
		}
		r.streams[streamExchanges].line(data)
	}
	r.exchanges = r.exchanges[:0]
}

// record drops v after Close: what comes then is no part of the run.
func (r *Recorder) record(to int, v any, flush bool) {
	data, err := json.Marshal(v) // outside the lock: this is the slow part
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if err != nil {
		r.encoding = errors.Join(r.encoding, fmt.Errorf("encoding %T: %w", v, err))
		return
	}
	r.streams[to].line(data)
	if flush {
		r.flush()
	}
}

// Flush writes what is buffered. Its error, if any, is kept for Close too.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.flush()
	return r.err()
}

func (r *Recorder) flush() {
	r.encodeExchanges()
	for _, s := range r.streams {
		s.flush()
	}
}

func (r *Recorder) err() error {
	err := r.encoding
	for _, s := range r.streams {
		err = errors.Join(err, s.err)
	}
	return err
}

// Manifest returns the manifest as it was written last.
func (r *Recorder) Manifest() Manifest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.manifest
}

// SetManifest replaces the manifest. Its format is set to Format.
func (r *Recorder) SetManifest(m Manifest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.setManifest(m)
}

func (r *Recorder) setManifest(m Manifest) error {
	m.Format = Format
	r.manifest = m
	return WriteJSON(r.dir, fileManifest, m)
}

// Close writes what is buffered, ends the streams and sets the state of the run.
// It returns every error of the recording. A run whose streams could not be
// written is failed, whatever state is asked for. Closing again does nothing and
// returns the same.
func (r *Recorder) Close(state State, problem string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return r.closeErr
	}
	r.closed = true
	r.encodeExchanges()
	err := errors.Join(r.encoding, r.closeStreams())
	if err != nil {
		err = fmt.Errorf("recording the run: %w", err)
		state, problem = StateFailed, joinText(problem, err.Error())
	}
	m := r.manifest
	m.State, m.Problem = state, problem
	r.closeErr = errors.Join(err, r.setManifest(m))
	return r.closeErr
}

func (r *Recorder) closeStreams() error {
	var err error
	for _, s := range r.streams {
		err = errors.Join(err, s.close())
	}
	return err
}

func joinText(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
