package figures

import "brownout/results"

func (c *Check) addLost(h *History, tells results.Tells) {
	var last *results.Hit // the last acknowledged write
	written := false
	for i, w := range h.Writes {
		if acknowledged(w) && (last == nil || w.Done > last.Done) {
			last = &h.Writes[i]
		}
		written = written || acknowledged(w) && w.Op == results.OpWrite
	}
	if last == nil || len(h.Readbacks) == 0 {
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
		c.miss(*last, "the readback returned nothing that is known (token %q)", back.Token)
		return
	}
	for _, w := range h.Writes {
		if acknowledged(w) && newer(w, version, write) {
			c.miss(w, "acknowledged, but the readback returned the older token %s version %d", back.Token, back.Version)
		}
	}
}
