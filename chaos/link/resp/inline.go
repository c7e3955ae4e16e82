package resp

import (
	"bytes"
	"strings"
)

// maxLine bounds an inline request, as in Redis (PROTO_INLINE_MAX_SIZE).
const maxLine = 64 << 10

// readLine consumes bytes of an inline request. Its line is kept until it is
// whole: quotes make it hard to read in pieces, and people type it, not programs.
func (r *request) readLine(b []byte) (int, status) {
	n, s := len(b), more
	if end := bytes.IndexByte(b, '\n'); end >= 0 {
		n, s = end+1, whole
	}
	if len(r.line)+n > maxLine || bytes.IndexByte(b[:n], 0) >= 0 { // Redis looks for the end with strchr
		r.line = nil
		return 0, broken
	}
	r.line = append(r.line, b[:n]...)
	if s == whole {
		args, ok := splitLine(r.line)
		if r.line = nil; !ok {
			return n, broken
		}
		r.take(args)
	}
	return n, s
}

// take takes the arguments of an inline request. Redis does not answer one
// without any.
func (r *request) take(args [][]byte) {
	r.argc = int64(len(args))
	for i, arg := range args {
		r.index = int64(i)
		if r.wanted() {
			r.length = copy(r.text[:], arg)
			r.use(r.kept())
		}
	}
}

// splitLine splits an inline request into its arguments as Redis does
// (sdssplitargs). It is not ok when quotes are not balanced.
func splitLine(line []byte) (args [][]byte, ok bool) {
	for {
		line = bytes.TrimLeft(line, spaces)
		if len(line) == 0 {
			return args, true
		}
		arg, rest, ok := splitArgument(line)
		if !ok {
			return nil, false
		}
		args, line = append(args, arg), rest
	}
}

const spaces = " \t\n\v\f\r"

// splitArgument splits the first argument off. A quote can begin within one, but
// what follows its end must be a space.
func splitArgument(line []byte) (arg, rest []byte, ok bool) {
	for len(line) > 0 {
		c := line[0]
		switch {
		case c == '"' || c == '\'':
			text, rest, ok := unquote(line[1:], c)
			return append(arg, text...), rest, ok
		case strings.IndexByte(spaces, c) >= 0:
			return arg, line, true
		}
		arg, line = append(arg, c), line[1:]
	}
	return arg, line, true
}

// unquote reads up to the quote that closes.
func unquote(line []byte, quote byte) (text, rest []byte, ok bool) {
	for len(line) > 0 {
		c := line[0]
		switch {
		case c == quote:
			rest = line[1:]
			return text, rest, len(rest) == 0 || strings.IndexByte(spaces, rest[0]) >= 0
		case c == '\\' && quote == '"' && len(line) > 1:
			c, line = unescape(line)
		case c == '\\' && len(line) > 1 && line[1] == '\'':
			c, line = '\'', line[1:]
		}
		text, line = append(text, c), line[1:]
	}
	return nil, nil, false
}

// unescape returns the byte that line, which begins with a backslash, stands for,
// and line from the last byte of the escape on.
func unescape(line []byte) (byte, []byte) {
	if len(line) > 3 && line[1] == 'x' {
		high, low := unhex(line[2]), unhex(line[3])
		if high >= 0 && low >= 0 {
			return byte(high<<4 | low), line[3:]
		}
	}
	if i := strings.IndexByte("nrtba", line[1]); i >= 0 {
		return "\n\r\t\b\a"[i], line[1:]
	}
	return line[1], line[1:]
}

// unhex returns the value of a hexadecimal digit, or -1.
func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
