// Package feature holds the words of the flag service: what a flag is, what an
// environment looks like at one revision, and which two things the service needs
// from outside, a Store and a Cache.
//
// The one idea is the revision: each environment has one number that grows with
// every write in it, and every snapshot carries it. So two copies of the same
// environment can be compared, wherever they were kept and however late they
// come: the lower revision is the older copy.
//
// Everything here is a value or a pure function. Rules (percentages, targeting)
// are not part of this form: a flag has one value.
package feature

import (
	"encoding/json"
	"fmt"
	"time"
)

// MaxName is the longest name of an environment or a flag, in bytes.
const MaxName = 100

// A Draft is what a caller may say about a flag.
type Draft struct {
	Enabled bool `json:"enabled"`
	// Value is any JSON. Nil stands for null.
	Value json.RawMessage `json:"value"`
	// Variants are further values by name. Nil: there are none.
	Variants    map[string]json.RawMessage `json:"variants,omitempty"`
	Description string                     `json:"description"`
}

// A Flag is a draft as it was stored.
type Flag struct {
	Key string `json:"key"`
	Draft
	// Version is one more at each write of this flag. A deletion is a write too,
	// and a flag that is made again goes on counting, so that no two states of a
	// flag ever share a version.
	Version   uint64    `json:"version"`
	UpdatedAt time.Time `json:"updated_at"`
}

// CheckName says why name cannot be an environment or a flag; nil: it can. what
// is the word for it in the message.
func CheckName(what, name string) error {
	switch {
	case name == "" || len(name) > MaxName:
		return fmt.Errorf("%s has %d characters, want 1 to %d", what, len(name), MaxName)
	case name == "." || name == "..":
		// These mean something else in a path.
		return fmt.Errorf("%s is %q, which is not a name", what, name)
	}
	for _, c := range []byte(name) {
		if !nameByte(c) {
			return fmt.Errorf("%s contains %q, want only letters, digits, '.', '_' and '-'", what, rune(c))
		}
	}
	return nil
}

func nameByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return c == '.' || c == '_' || c == '-'
}
