package server

import (
	"fmt"

	"github.com/dunglas/httpsfv"
)

// Why a read went on to the database, in the words of RFC 9211, section 2.2.
const (
	forwardMiss   = "miss"   // the cache has nothing
	forwardStale  = "stale"  // what it has is older than a write of this server
	forwardBypass = "bypass" // it was not asked, or did not answer
)

// A source says where the answer to a read came from.
type source struct {
	backend string
	hit     bool
	reason  string // why the database was asked
	detail  string // more about it, or ""
	stored  bool   // the cache has it now
}

func (s source) forward(reason, detail string) source {
	s.reason, s.detail = reason, detail
	return s
}

// askedInVain reports whether the cache answered and had nothing to offer. Only
// then is it filled: one that did not answer would make the caller wait again.
func (s source) askedInVain() bool { return s.reason == forwardMiss || s.reason == forwardStale }

// header is the field Cache-Status (RFC 9211).
func (s source) header() (string, error) {
	item := httpsfv.NewItem(httpsfv.Token(s.backend))
	if s.hit {
		item.Params.Add("hit", true)
	} else {
		item.Params.Add("fwd", httpsfv.Token(s.reason))
	}
	if s.stored {
		item.Params.Add("stored", true)
	}
	if s.detail != "" {
		item.Params.Add("detail", httpsfv.Token(s.detail))
	}
	field, err := httpsfv.Marshal(httpsfv.List{item})
	if err != nil {
		return "", fmt.Errorf("encoding Cache-Status: %w", err)
	}
	return field, nil
}
