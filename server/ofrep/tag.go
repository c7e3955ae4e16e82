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
	in := make([]byte, 0, 10+len(s.Environment)+len(canonical))
	in = binary.BigEndian.AppendUint64(in, s.Revision)
	if s.Stale {
		in = append(in, 1)
	} else {
		in = append(in, 0)
	}
	in = append(append(in, s.Environment...), 0) // names have no such character
	sum := sha256.Sum256(append(in, canonical...))
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:tagBytes]) + `"`
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
