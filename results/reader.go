package results

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A reader reads a stream of JSON lines, one value a line:
//
//	for r.Scan() { use(r.Value()) }
//	if err := r.Err(); err != nil { … }
//
// A line counts when its newline is there. What follows the last newline is the
// part of a line that a killed run left, and is not an error.
type reader[T any] struct {
	in        *bufio.Reader
	name      string // for errors
	line      int
	value     T
	truncated bool
	err       error
}

func newReader[T any](in io.Reader, name string) *reader[T] {
	return &reader[T]{in: bufio.NewReader(in), name: name}
}

// Scan moves on to the next value, and reports whether there is one.
func (r *reader[T]) Scan() bool {
	if r.err != nil || r.truncated {
		return false
	}
	data, err := r.in.ReadBytes('\n')
	r.line++
	switch {
	case errors.Is(err, io.EOF):
		r.truncated = len(data) > 0
		return false
	case err != nil:
		r.err = fmt.Errorf("%s:%d: %w", r.name, r.line, err)
		return false
	}
	var v *T // null is no record
	if err := json.Unmarshal(data, &v); err != nil {
		r.err = fmt.Errorf("%s:%d: decoding %T: %w", r.name, r.line, r.value, err)
		return false
	}
	if v == nil {
		r.err = fmt.Errorf("%s:%d: decoding %T: the line says null", r.name, r.line, r.value)
		return false
	}
	r.value = *v
	return true
}

// Value returns the value that Scan found.
func (r *reader[T]) Value() T { return r.value }

// Truncated reports whether the stream ended within a line.
func (r *reader[T]) Truncated() bool { return r.truncated }

// Err returns the first error, with file and line.
func (r *reader[T]) Err() error { return r.err }
