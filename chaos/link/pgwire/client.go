package pgwire

import "bytes"

// fromClient takes the whole message of the client that is at hand.
func (d *Dialog) fromClient() {
	if d.stage == opening {
		d.packet()
		return
	}
	kind, body := d.up.kind, d.up.body
	if d.copying && bytes.IndexByte([]byte("dcfHSX"), kind) < 0 {
		d.stepAside(foreign) // nor does the server understand this
		return
	}
	switch kind {
	case 'Q':
		d.extended = false
		d.statement(queryOf(body, d.up.size-5 > len(body)))
	case 'F':
		d.extended = false
		d.statement(request{what: doCall})
	case 'E':
		d.extended = true
		portal, _ := cstring(body)
		d.statement(request{what: doExecute, pattern: d.portals.get(portal)})
	case 'P', 'B', 'C', 'D', 'H':
		d.prepares(kind, body)
	case 'S':
		d.sync()
	case 'd', 'c', 'f':
		d.copied(kind)
	}
}

// queryOf is the request of a Query. Statements without a text get no reply.
func queryOf(body []byte, unseen bool) request {
	text, _ := cstring(body)
	r := request{what: doQuery, unseen: unseen}
	for len(text) > 0 {
		var p string
		switch p, text = pattern(text); {
		case p == "":
		case r.pattern == "":
			r.pattern = p
		default:
			r.more = append(r.more, p)
		}
	}
	return r
}

// statement takes what makes the server execute.
func (d *Dialog) statement(r request) {
	d.slowDown()
	r.sent, r.up = d.at, d.upBytes+int64(d.up.size)
	d.upBytes = 0
	switch {
	case !d.skipping:
		d.push(r)
	case d.blame != "" && r.what == doExecute:
		d.done(&r, keyword(r.pattern), d.blame, byServer)
		d.blame = ""
	}
}

// prepares takes a message of the extended protocol that leads up to an Execute.
func (d *Dialog) prepares(kind byte, body []byte) {
	d.extended = true
	d.upBytes += int64(d.up.size)
	if d.skipping {
		return // nor does the server
	}
	switch kind {
	case 'P':
		name, body := cstring(body)
		text, _ := cstring(body)
		p, _ := pattern(text)
		d.statements.set(name, p)
	case 'B':
		portal, body := cstring(body)
		name, _ := cstring(body)
		d.portals.set(portal, d.statements.get(name))
	case 'C':
		d.closes(body)
	}
}

// closes takes a Close: of a statement, or of a portal.
func (d *Dialog) closes(body []byte) {
	if len(body) == 0 {
		return
	}
	name, _ := cstring(body[1:])
	switch body[0] {
	case 'S':
		d.statements.remove(name)
	case 'P':
		d.portals.remove(name)
	}
}

// sync takes a Sync. To a server that reads a COPY it means nothing.
func (d *Dialog) sync() {
	if d.copying {
		return
	}
	d.extended, d.skipping, d.blame, d.upBytes = false, false, "", 0
	d.push(request{what: doSync})
}

// copied takes data of a COPY, or its end. A client may send them before it knows
// that the server wants them, and after the server has given up: then they are
// nobody's.
func (d *Dialog) copied(kind byte) {
	r := d.waiting.back() // while the server reads a COPY nothing waits behind that
	if r == nil {
		return
	}
	if r.statement() {
		r.up += int64(d.up.size)
	}
	switch {
	case kind == 'd':
	case d.copying:
		d.copying = false
	default:
		d.push(request{what: endCopy})
	}
}

func (d *Dialog) push(r request) {
	if !d.waiting.push(r) {
		d.stepAside(tooMuch)
	}
}

// cstring returns the string that b begins with, which a zero byte ends, and what is
// behind it. A string that is not whole is all there is.
func cstring(b []byte) (s, rest []byte) {
	s, rest, _ = bytes.Cut(b, []byte{0})
	return s, rest
}
