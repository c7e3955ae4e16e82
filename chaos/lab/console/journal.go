package console

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// An Entry is something that was done to a lab.
type Entry struct {
	At    time.Time     `json:"at"` // when it had been done
	Did   string        `json:"did"`
	Took  time.Duration `json:"took,omitempty"` // nanoseconds
	Error string        `json:"error,omitempty"`
}

// A Journal writes entries as JSON lines. It is safe for concurrent use.
type Journal struct {
	mu  sync.Mutex
	out io.Writer
	err error
}

// NewJournal returns a journal that writes to out; nil: nowhere.
func NewJournal(out io.Writer) *Journal {
	if out == nil {
		out = io.Discard
	}
	return &Journal{out: out}
}

// Note writes e, with the time of now. Its error is kept for Err.
func (j *Journal) Note(e Entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.At = time.Now()
	data, err := json.Marshal(e)
	if err == nil {
		_, err = j.out.Write(append(data, '\n'))
	}
	if err != nil && j.err == nil {
		j.err = fmt.Errorf("writing the journal: %w", err)
	}
}

// Err is the first error of writing.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}
