package ofrep

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// A State is what the answer about all flags of an environment depends on, besides the
// context.
type State struct {
	Environment string
	Revision    uint64 // of the environment; grows with every write
	Stale       bool   // the answer says that it may be old
}

// tagBytes of a SHA-256 are more than enough to tell states apart.
const tagBytes = 16

// Tag is the entity tag of the answer, quotes included. It is strong: the same tag
// means the same bytes.
func (s State) Tag(canonical []byte) string {
	h := sha256.New()
	var fixed [9]byte
	binary.BigEndian.PutUint64(fixed[:], s.Revision)
	if s.Stale {
		fixed[8] = 1
	}
	h.Write(fixed[:])
	h.Write([]byte(s.Environment + "\x00")) // names have no such character
	h.Write(canonical)
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:tagBytes]) + `"`
}

// Matches reports whether the field If-None-Match (RFC 9110, section 13.1.2) names
// tag. What cannot be read names nothing.
func Matches(field, tag string) bool {
	if strings.TrimSpace(field) == "*" {
		return true
	}
	for {
		field = strings.TrimPrefix(strings.TrimLeft(field, " \t,"), "W/") // compared weakly
		if !strings.HasPrefix(field, `"`) {
			return false
		}
		end := strings.IndexByte(field[1:], '"')
		if end < 0 {
			return false
		}
		if field[:end+2] == tag {
			return true
		}
		field = field[end+2:]
	}
}
