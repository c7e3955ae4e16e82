package figures

import (
	"cmp"
	"net/http"
	"slices"

	"brownout/results"
)

// A History is all that was written to and read from one key of one environment.
// Its hits are those of the recording, not copies.
type History struct {
	Environment, Key string
	Writes           []*results.Hit // seeds and writes, by sent; whatever became of them
	Reads            []*results.Hit // reads that were answered, by sent
	Readbacks        []*results.Hit // readbacks that were answered, by sent
	Unread           []*results.Hit // readbacks that failed, by sent
	Denied           []*results.Hit // reads and readbacks that were told that there is no such flag

	byToken map[string]*results.Hit // the first write of each token
}

// Histories returns the history of each key, by environment and key.
func Histories(hits []results.Hit) []History {
	type id struct{ env, key string }
	of := map[id]*History{}
	for i := range hits {
		h := &hits[i]
		k := id{h.Environment, h.Key}
		if of[k] == nil {
			of[k] = &History{Environment: h.Environment, Key: h.Key}
		}
		of[k].add(h)
	}
	all := make([]History, 0, len(of))
	for _, h := range of {
		h.sort()
		all = append(all, *h)
	}
	slices.SortFunc(all, func(a, b History) int {
		return cmp.Or(cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Key, b.Key))
	})
	return all
}

func (h *History) add(hit *results.Hit) {
	if denied(hit) {
		h.Denied = append(h.Denied, hit)
	}
	switch {
	case hit.Op == results.OpSeed || hit.Op == results.OpWrite:
		h.Writes = append(h.Writes, hit)
	case hit.Op == results.OpRead && hit.OK():
		h.Reads = append(h.Reads, hit)
	case hit.Op == results.OpReadback && hit.OK():
		h.Readbacks = append(h.Readbacks, hit)
	case hit.Op == results.OpReadback:
		h.Unread = append(h.Unread, hit)
	}
}

// denied reports whether the target says that it does not have what was asked for.
// Other than "not now" (5xx), this is an answer, which callers believe.
func denied(hit *results.Hit) bool {
	asked := hit.Op == results.OpRead || hit.Op == results.OpReadback
	return asked && (hit.Code == http.StatusNotFound || hit.Code == http.StatusGone)
}

func (h *History) sort() {
	for _, hits := range [][]*results.Hit{h.Writes, h.Reads, h.Readbacks, h.Unread, h.Denied} {
		slices.SortStableFunc(hits, bySent)
	}
	h.byToken = make(map[string]*results.Hit, len(h.Writes))
	for _, w := range h.Writes {
		if h.byToken[w.Token] == nil {
			h.byToken[w.Token] = w
		}
	}
}

func bySent(a, b *results.Hit) int {
	return cmp.Or(cmp.Compare(a.Sent, b.Sent), cmp.Compare(a.Seq, b.Seq))
}

// answers returns every answer, readbacks included, by sent.
func (h *History) answers() []*results.Hit {
	all := slices.Concat(h.Reads, h.Readbacks)
	if !slices.IsSortedFunc(all, bySent) { // readbacks come last
		slices.SortStableFunc(all, bySent)
	}
	return all
}

// written returns the write that token stems from, or nil.
func (h *History) written(token string) *results.Hit {
	if token == "" {
		return nil
	}
	return h.byToken[token]
}

// acknowledged reports whether a write is known to have happened. Every other
// write has an unknown outcome: it may have happened, may happen later, or never.
func acknowledged(w *results.Hit) bool { return w.OK() }

// versionOf is the version of what answer returned: its own, or else the one that
// was acknowledged for its write (nil: not known). 0 is not known.
func versionOf(answer, write *results.Hit) uint64 {
	if answer.Version == 0 && write != nil && acknowledged(write) {
		return write.Version
	}
	return answer.Version
}

// newer reports whether the acknowledged write w is certainly newer than what was
// read. Versions decide where both are known. Otherwise order does: w must have
// been sent after the read value was acknowledged. Of writes that overlap or touch, and
// after one of unknown outcome, none is certainly newer.
func newer(w *results.Hit, version uint64, read *results.Hit) bool {
	if w.Version != 0 && version != 0 {
		return w.Version > version
	}
	return read != nil && acknowledged(read) && w.Sent > read.Done && w.Token != read.Token
}
