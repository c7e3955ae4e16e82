package figures

import "brownout/results"

func (c *Check) addLost(h *History, tells results.Tells) {
	var last *results.Hit // the last acknowledged write
	written := false
	for _, w := range h.Writes {
		if acknowledged(w) && (last == nil || w.Done > last.Done) {
			last = w
		}
		written = written || acknowledged(w) && w.Op == results.OpWrite
	}
	if last == nil {
		return
	}
	if len(h.Readbacks) == 0 {
		c.addUnread(h, last, written)
		return
	}
	back := h.Readbacks[len(h.Readbacks)-1]
	write := h.written(back.Token)
	version := versionOf(back, write)
	if back.Token == "" && version == 0 && !tells.Token {
		return // the target does not say what it returned
	}
	if written {
		c.N++
	}
	if write == nil && version == 0 {
		c.miss(last, "the readback returned nothing that is known (token %q)", back.Token)
		return
	}
	for _, w := range h.Writes {
		if acknowledged(w) && newer(w, version, write) {
			c.miss(w, "acknowledged, but the readback returned the older token %s version %d", back.Token, back.Version)
		}
	}
}

// addUnread adds a key of which no readback was answered: the target says that it
// has no such flag, or does not say anything.
func (c *Check) addUnread(h *History, last *results.Hit, written bool) {
	if len(h.Unread) == 0 {
		return
	}
	switch back := h.Unread[len(h.Unread)-1]; {
	case denied(back):
		c.N++
		c.miss(last, "acknowledged, but the readback answered %d", back.Code)
	case written:
		c.Open++
	}
}
