package server

import (
	"fmt"
	"time"

	"github.com/dunglas/httpsfv"
)

// Why a read went on to the database, in the words of RFC 9211, section 2.2.
const (
	forwardMiss   = "miss"   // the cache has nothing
	forwardStale  = "stale"  // what it has is older than a write of this server
	forwardBypass = "bypass" // it was not asked, or did not answer
)

// What answers inside the server besides the cache.
const (
	backendKept   = "snapshot" // the last good copy
	backendAbsent = "absent"   // the memory of what nobody wrote
)

// A source says where the answer to a read came from.
type source struct {
	backend string
	hit     bool
	reason  string // why the database was asked
	detail  string // more about it, or ""
	stored  bool   // the cache has it now
	// stale is how long ago the answer was right, for one that was kept because the
	// database failed; 0: it is not such an answer.
	stale      time.Duration
	staleCause string // how the database failed
}

// old is s, answered by a copy of that age.
func (s source) old(age time.Duration, cause string) source {
	s.stale, s.staleCause = max(age, time.Second), cause
	return s
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
	if s == (source{backend: s.backend, hit: true}) {
		return s.backend + ";hit", nil // what httpsfv says, too, for a tenth of the time of the answer
	}
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
	list := httpsfv.List{item}
	if s.stale > 0 {
		list = append(list, s.keptItem())
	}
	field, err := httpsfv.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("encoding Cache-Status: %w", err)
	}
	return field, nil
}

// keptItem is the member of a copy that is past its time: a hit with a negative ttl
// (RFC 9211, section 2.4), in seconds. It stands last, nearest to the caller.
func (s source) keptItem() httpsfv.Item {
	item := httpsfv.NewItem(httpsfv.Token(backendKept))
	item.Params.Add("hit", true)
	item.Params.Add("ttl", -int64(s.stale/time.Second))
	item.Params.Add("detail", httpsfv.Token("database-"+s.staleCause))
	return item
}
