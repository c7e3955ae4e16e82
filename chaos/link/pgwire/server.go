package pgwire

import "brownout/results"

// An origin is who wrote a reply.
type origin bool

const (
	byServer origin = false
	byUs     origin = true
)

// fromServer takes the whole message of the server that is at hand.
func (d *Dialog) fromServer() {
	kind, body := d.down.kind, d.down.body
	switch kind {
	case 'N', 'A', 'S', 'K', 'v': // to no statement
	default:
		d.downBytes += int64(d.down.size)
	}
	switch kind {
	case 'C':
		d.completed(kindOfTag(body))
	case 'I':
		d.completed(KindEmpty)
	case 's':
		d.suspended()
	case 'V':
		d.called()
	case 'E':
		d.failed(sqlstate(body), byServer)
	case 'Z':
		d.ready(body)
	case 'G':
		d.copyIn()
	case 'R':
		d.authentication()
	case 'W':
		d.stepAside(replicates)
	}
}

// completed takes a CommandComplete or EmptyQueryResponse.
func (d *Dialog) completed(kind string) {
	switch r := d.waiting.front(); {
	case r != nil && r.what == doExecute:
		d.done(r, kind, results.ReplyOK, byServer)
		d.waiting.pop()
	case r != nil && r.what == doQuery:
		d.done(r, kind, results.ReplyOK, byServer)
		r.next()
	default:
		d.stepAside(unasked)
		return
	}
	if kind == kindDeallocateAll || kind == kindDiscardAll {
		d.statements.removeAll()
	}
}

// next goes on to the next statement of a query.
func (r *request) next() {
	r.up = 0
	if len(r.more) == 0 {
		r.pattern, r.done = "", !r.unseen
		return
	}
	r.pattern, r.more = r.more[0], r.more[1:]
}

// suspended takes a PortalSuspended: the client wanted no more rows.
func (d *Dialog) suspended() {
	r := d.waiting.front()
	if r == nil || r.what != doExecute {
		d.stepAside(unasked)
		return
	}
	d.done(r, keyword(r.pattern), results.ReplyOK, byServer)
	d.waiting.pop()
}

// called takes a FunctionCallResponse.
func (d *Dialog) called() {
	r := d.waiting.front()
	if r == nil || r.what != doCall {
		d.stepAside(unasked)
		return
	}
	d.done(r, KindCall, results.ReplyOK, byServer)
	r.done = true
}

// failed takes an ErrorResponse.
func (d *Dialog) failed(code string, by origin) {
	switch r := d.waiting.front(); {
	case r == nil:
		if d.extended && !d.skipping {
			d.skipping, d.blame = true, code
		}
	case r.what == doExecute:
		d.done(r, keyword(r.pattern), code, by)
		d.waiting.pop()
		d.skipping = !d.waiting.skip()
	case r.what == doQuery && !r.done, r.what == doCall && !r.done:
		d.done(r, r.kind(), code, by)
		r.more, r.done = nil, true
	}
}

// kind is the kind of a request that got no tag.
func (r *request) kind() string {
	if r.what == doCall {
		return KindCall
	}
	return keyword(r.pattern)
}

// ready takes a ReadyForQuery.
func (d *Dialog) ready(state []byte) {
	r := d.waiting.front()
	if r == nil || r.what == doExecute {
		d.stepAside(unasked)
		return
	}
	d.waiting.pop()
	d.downBytes = 0
	if string(state) == "I" && d.waiting.front() == nil && !d.extended {
		d.portals.removeAll() // no portal outlives its transaction
	}
}

// copyIn takes a CopyInResponse: the server reads what the client sends as data.
func (d *Dialog) copyIn() {
	r := d.waiting.front()
	if r == nil || r.what != doExecute && r.what != doQuery {
		d.stepAside(unasked)
		return
	}
	d.copying = !d.waiting.dropCopied()
}

// done reports that a statement is over.
func (d *Dialog) done(r *request, kind, reply string, by origin) {
	d.report(results.Exchange{
		Sent: r.sent, Done: d.at, Kind: kind, Pattern: r.pattern,
		Up: r.up, Down: d.downBytes, Reply: reply, Injected: bool(by),
	})
	d.downBytes, d.copying = 0, false
}

// abandon reports the statements that get no reply any more.
func (d *Dialog) abandon() {
	for r := d.waiting.front(); r != nil; r = d.waiting.front() {
		if r.statement() && !r.done {
			d.done(r, r.kind(), results.ReplyNone, byServer)
		}
		d.waiting.pop()
	}
}
