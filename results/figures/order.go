package figures

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"brownout/results"
)

// never is later than everything.
const never = time.Duration(1<<63 - 1)

// An order answers quickly what newer answers one write after the other: when the
// first of the acknowledged writes that are newer than something was acknowledged.
// A history has as many questions as reads, and each would look at all writes.
type order struct {
	versioned, unversioned, all line
	written                     time.Duration // when the first write that is no seed was acknowledged
}

// orderOf puts the acknowledged writes of h in order.
func orderOf(h *History) *order {
	o := &order{written: never}
	for _, w := range h.Writes {
		if !acknowledged(w) {
			continue
		}
		if w.Op == results.OpWrite {
			o.written = min(o.written, w.Done)
		}
		if w.Version != 0 {
			o.versioned = append(o.versioned, mark{int64(w.Version), w.Done})
		} else {
			o.unversioned = append(o.unversioned, mark{int64(w.Sent), w.Done})
		}
		o.all = append(o.all, mark{int64(w.Sent), w.Done})
	}
	o.versioned.settle()
	o.unversioned.settle()
	o.all.settle()
	return o
}

// acknowledgedAfter returns when the first write that is newer than what was read
// (its version, or 0, and its write, or nil) was acknowledged, or never.
func (o *order) acknowledgedAfter(version uint64, write *results.Hit) time.Duration {
	first, bySent := never, o.all
	if version != 0 {
		first, bySent = o.versioned.beyond(int64(version)), o.unversioned
	}
	if write != nil && acknowledged(write) {
		first = min(first, bySent.beyond(int64(write.Done)))
	}
	return first
}

// A line is a row of marks in ascending order.
type line []mark

// A mark is a write: where it stands in its line, and when it, or one further on, was
// acknowledged first.
type mark struct {
	at    int64
	first time.Duration
}

func (l line) settle() {
	slices.SortFunc(l, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
	for i := len(l) - 2; i >= 0; i-- {
		l[i].first = min(l[i].first, l[i+1].first)
	}
}

// beyond returns when the first of the writes further on than at was acknowledged.
func (l line) beyond(at int64) time.Duration {
	i := sort.Search(len(l), func(i int) bool { return l[i].at > at })
	if i == len(l) {
		return never
	}
	return l[i].first
}
