package resp

import "math"

// maxDepth bounds how deep replies are nested. Clients stop much earlier.
const maxDepth = 64

// streamed is the length of what says its end when it comes. No header has it.
const streamed = math.MinInt64

// A frame is an aggregate that is read, or a string that comes in pieces.
type frame struct {
	left int64 // elements that are to come, or streamed
	kind byte  // its type
}

// frames are the aggregates around an element.
type frames struct {
	stack [maxDepth]frame
	depth int
}

// inString reports whether pieces of a string are to come.
func (f *frames) inString() bool { return f.isStream() && f.stack[f.depth-1].kind == '$' }

// isStream reports whether the end of the innermost aggregate will be said.
func (f *frames) isStream() bool { return f.depth > 0 && f.stack[f.depth-1].left == streamed }

// close counts an element that has ended, and the aggregates whose last one it is.
// Attributes are no elements: what they belong to follows.
func (f *frames) close() status {
	for f.depth > 0 {
		top := &f.stack[f.depth-1]
		if top.left == streamed {
			return more
		}
		if top.left--; top.left > 0 {
			return more
		}
		f.depth--
		if top.kind == '|' {
			return more
		}
	}
	return whole
}
