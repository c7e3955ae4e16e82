package resp

import (
	"bytes"
	"strconv"
)

// wanted reports whether the argument that begins says something: the name, the
// subcommand, the first key or where that stands.
func (r *request) wanted() bool {
	switch c := r.cmd; {
	case r.index == 0:
		return true
	case c == nil:
		return false
	case r.index == 1 && c.subs != nil:
		return true
	case r.keyAt != 0:
		return r.index == r.keyAt
	case c.key.counted:
		return r.index == c.key.at
	}
	return r.cmd.key.word != "" && r.index >= r.cmd.key.at
}

// use takes an argument that was wanted.
func (r *request) use(text []byte) {
	switch {
	case r.index == 0:
		r.setCommand(find(text))
	case r.index == 1 && r.cmd.subs != nil:
		r.setCommand(r.cmd.sub(text))
	case r.index == r.keyAt:
		r.keyed = true
	case r.cmd.key.counted:
		if n, err := strconv.Atoi(string(text)); err == nil && n > 0 {
			r.keyAt = r.index + 1
		}
	case equalFold(text, r.cmd.key.word):
		r.keyAt = r.index + 1
	}
}

func (r *request) setCommand(c *command) {
	r.cmd = c
	if !c.key.counted && c.key.word == "" {
		r.keyAt = c.key.at
	}
}

// find returns the command with a name, in whatever case. One that the table does
// not have is made up.
func find(name []byte) *command {
	var room [maxPattern]byte
	if c := commands()[string(upper(room[:], name))]; c != nil {
		return c
	}
	return &command{kind: unknownName(name)}
}

// sub returns the subcommand of a container.
func (c *command) sub(name []byte) *command {
	var room [maxPattern]byte
	if s := c.subs[string(upper(room[:], name))]; s != nil {
		return s
	}
	other := *c.other
	other.kind = c.kind + "|" + unknownName(name)
	return &other
}

// upper copies text into room, in upper case. Names are ASCII.
func upper(room, text []byte) []byte {
	n := copy(room, text)
	for i, c := range room[:n] {
		if c >= 'a' && c <= 'z' {
			room[i] = c - ('a' - 'A')
		}
	}
	return room[:n]
}

// equalFold compares text with word, which is in upper case.
func equalFold(text []byte, word string) bool {
	var room [maxPattern]byte
	return string(upper(room[:], text)) == word
}

// arguments returns the arguments of a whole request; nil: it has no bytes.
func arguments(raw []byte) (args [][]byte) {
	if len(raw) == 0 || raw[0] != '*' {
		args, _ = splitLine(raw)
		return args
	}
	for raw = raw[1+bytes.IndexByte(raw, '\n'):]; len(raw) > 0; {
		var h header
		n, _ := h.read(raw[1:]) // behind the $
		raw = raw[1+n:]
		args, raw = append(args, raw[:h.n]), raw[h.n+2:]
	}
	return args
}
