package proof

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"brownout/results"
)

// journalFile is the name of the journal in the folder of a proof.
const journalFile = "proof.jsonl"

// An Origin says what a proof is a proof of. It is the journal's first line.
type Origin struct {
	Commit  string          `json:"commit"` // of brownout; "": it was built from no commit
	Dirty   bool            `json:"dirty"`  // built from changed files
	Go      string          `json:"go"`
	Started time.Time       `json:"started"`
	Machine results.Machine `json:"machine"`
}

// A Journal holds the records of a proof, in a file that only grows.
type Journal struct {
	Origin  Origin
	Records []Record
	file    *os.File
}

// NewJournal begins a journal in dir, which must not have one.
func NewJournal(dir string, o Origin) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("beginning the proof: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, journalFile), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s has a proof already; --resume %s goes on with it", dir, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("beginning the proof: %w", err)
	}
	j := &Journal{Origin: o, file: f}
	return j, j.write(o)
}

// ResumeJournal opens the journal in dir, to go on with it. Only the same brownout
// may: a proof is of one commit.
func ResumeJournal(dir string, o Origin) (*Journal, error) {
	path := filepath.Join(dir, journalFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("resuming the proof: %w", err)
	}
	// A line that was being written when the proof was killed has no end.
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	j, err := parseJournal(whole)
	if err != nil {
		return nil, fmt.Errorf("resuming the proof: %s: %w", path, err)
	}
	if j.Origin.Commit != o.Commit || j.Origin.Dirty != o.Dirty {
		return nil, fmt.Errorf("resuming the proof: %s is of commit %s, this brownout of %s", dir, j.Origin.commit(), o.commit())
	}
	if j.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
		return nil, fmt.Errorf("resuming the proof: %w", err)
	}
	if err := j.file.Truncate(int64(len(whole))); err != nil {
		return nil, errors.Join(fmt.Errorf("resuming the proof: %w", err), j.file.Close())
	}
	return j, nil
}

func parseJournal(data []byte) (*Journal, error) {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<24)
	j := &Journal{}
	for n := 1; lines.Scan(); n++ {
		var err error
		if n == 1 {
			err = json.Unmarshal(lines.Bytes(), &j.Origin)
		} else {
			j.Records = append(j.Records, Record{})
			err = json.Unmarshal(lines.Bytes(), &j.Records[n-2])
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	if len(data) == 0 {
		return nil, errors.New("it is empty, want a first line that says the commit")
	}
	return j, lines.Err()
}

// Append writes a record down.
func (j *Journal) Append(r Record) error {
	if err := j.write(r); err != nil {
		return err
	}
	j.Records = append(j.Records, r)
	return nil
}

func (j *Journal) write(v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}

// find returns the last record of a job.
func (j *Journal) find(job string) (Record, bool) {
	for _, r := range slices.Backward(j.Records) {
		if r.Job == job {
			return r, true
		}
	}
	return Record{}, false
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

func (o Origin) commit() string {
	text := o.Commit
	if text == "" {
		text = "unknown"
	}
	if o.Dirty {
		text += " with changes"
	}
	return text
}
