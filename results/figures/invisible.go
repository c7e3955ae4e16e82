package figures

import (
	"sort"
	"time"

	"brownout/results"
)

// InvisibleAfter counts the acknowledged writes of the load (N) that could be seen to be
// visible or not once after had gone by since their acknowledgement, and those that
// were not (Misses): a read or readback sent by then or later returned something older.
// A write that a newer one replaced is visible where that one is.
//
// A key that nobody read so late tells nothing of its writes.
func InvisibleAfter(histories []History, after time.Duration) Check {
	var c Check
	for i := range histories {
		c.addInvisible(&histories[i], after)
	}
	return c
}

func (c *Check) addInvisible(h *History, after time.Duration) {
	seen := sightOf(h)
	for _, w := range h.Writes {
		if w.Op != results.OpWrite || !acknowledged(w) {
			continue
		}
		old, told := seen.olderThan(w, w.Done+after)
		if told {
			c.N++
		}
		if old {
			c.miss(w, "acknowledged, but a read sent %v later or later still returned something older", after)
		}
	}
}

// A sight is what the answers of one key showed from each of them on.
type sight []glance

// A glance is the oldest thing that was returned by an answer sent at a moment or
// later: the least version, and the earliest acknowledgement of a write that an
// answer without a version, or any answer, stemmed from.
type glance struct {
	sent                  time.Duration
	version               uint64        // noVersion: none was told
	unversioned, anything time.Duration // never: no answer told it
}

const noVersion = ^uint64(0)

func sightOf(h *History) sight {
	answers := h.answers()
	s := make(sight, len(answers))
	last := glance{version: noVersion, unversioned: never, anything: never}
	for i := len(answers) - 1; i >= 0; i-- {
		write := h.written(answers[i].Token)
		version := versionOf(answers[i], write)
		if write != nil && acknowledged(write) {
			last.anything = min(last.anything, write.Done)
			if version == 0 {
				last.unversioned = min(last.unversioned, write.Done)
			}
		}
		if version != 0 {
			last.version = min(last.version, version)
		}
		last.sent = answers[i].Sent
		s[i] = last
	}
	return s
}

// olderThan reports whether an answer sent at from or later returned something that w
// is newer than. told is false when none of them can tell.
func (s sight) olderThan(w *results.Hit, from time.Duration) (old, told bool) {
	i := sort.Search(len(s), func(i int) bool { return s[i].sent >= from })
	if i == len(s) {
		return false, false
	}
	g := s[i]
	if w.Version == 0 {
		return w.Sent > g.anything, g.anything != never
	}
	return w.Version > g.version || w.Sent > g.unversioned, g.version != noVersion || g.unversioned != never
}
