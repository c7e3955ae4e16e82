package resp

import "bytes"

// open begins an element.
func (r *reply) open(kind byte) status {
	if r.top == 0 && kind != '|' {
		r.top = kind
	}
	if r.inString() != (kind == ';') || kind == '.' && !r.isStream() {
		return broken
	}
	r.kind, r.head, r.cr = kind, header{}, false
	switch kind {
	case '+', '-', ',', '(', '#', '_', '.':
		r.phase = inText
	case '$', '!', '=', '*', '~', '>', '%', '|', ':', ';':
		r.phase = inNumber
	default:
		return broken
	}
	r.capture = r.first && (kind == '$' || kind == '+' || kind == '=') || r.failed()
	r.first = false
	return more
}

// readNumber reads an integer or a length. The length of what is streamed is "?".
func (r *reply) readNumber(b []byte) (int, status) {
	if b[0] == '?' && r.head == (header{}) && r.kind != ':' {
		r.head = header{n: streamed, digits: maxDigits} // no digit may follow
		return 1, more
	}
	n, s := r.head.read(b)
	if s == whole {
		s = r.openBody(r.head.n)
	}
	return n, s
}

// openBody goes on behind the number n.
func (r *reply) openBody(n int64) status {
	switch r.kind {
	case ':':
		if r.depth == 1 {
			r.number = n
		}
		return r.close()
	case '$', '!', '=', ';':
		return r.openBytes(n)
	}
	return r.openAggregate(n)
}

// openBytes begins a string of n bytes.
func (r *reply) openBytes(n int64) status {
	switch {
	case n == -1 && r.kind == '$':
		return r.closeNull()
	case n == streamed && r.kind == '$':
		return r.push(streamed)
	case n < 0 || n > maxLength:
		return broken
	case n == 0 && r.kind == ';': // the last piece
		r.depth--
		return r.close()
	}
	r.phase, r.left = inBytes, n+2
	return more
}

// openAggregate begins what has n elements, or n pairs of them.
func (r *reply) openAggregate(n int64) status {
	switch {
	case n == -1 && r.kind == '*':
		return r.closeNull()
	case n == streamed && r.kind == '|', n != streamed && (n < 0 || n > maxCount):
		return broken
	case n != streamed && (r.kind == '%' || r.kind == '|'):
		n *= 2
	}
	if n == 0 {
		if r.kind == '|' {
			r.phase = beforeType
			return more
		}
		return r.close()
	}
	r.first = r.depth == 0 && (r.kind == '*' || r.kind == '>')
	return r.push(n)
}

func (r *reply) closeNull() status {
	r.null = r.null || r.depth == 0
	return r.close()
}

// readText reads a line.
func (r *reply) readText(b []byte) (int, status) {
	end := bytes.IndexByte(b, '\n')
	line := b[:max(end, 0)]
	if end < 0 {
		line = b
	}
	if r.capture {
		r.grab(line)
	}
	if len(line) > 0 {
		r.cr = line[len(line)-1] == '\r'
	}
	switch {
	case end < 0:
		return len(b), more
	case !r.cr:
		return end, broken
	case r.kind == '.':
		r.depth--
	case r.kind == '_':
		return end + 1, r.closeNull()
	}
	return end + 1, r.close()
}

func (r *reply) grab(b []byte) { r.length += copy(r.word[r.length:], b) }

// push begins an aggregate of n elements.
func (r *reply) push(n int64) status {
	r.phase = beforeType
	if r.depth == maxDepth {
		return broken
	}
	r.stack[r.depth] = frame{n, r.kind}
	r.depth++
	return more
}

// close ends an element, and the aggregates whose last one it is.
func (r *reply) close() status {
	r.phase = beforeType
	return r.frames.close()
}
