package resp

import (
	"time"

	"brownout/chaos/link/wire"
)

// maxHeld bounds what is held of a request until it is whole, in bytes.
const maxHeld = 1 << 20

// Up takes what the client sent.
func (d *Dialog) Up(b []byte, at time.Duration) wire.Step {
	switch {
	case d.closed || d.closing:
		return wire.Step{}
	case len(d.force) > 0 || d.tx.dirty || len(d.held) > 0:
		return d.judge(b, at)
	case !d.upAside:
		d.follow(b, at)
	}
	return wire.Step{Forward: b}
}

// follow counts the requests in b, all of which is forwarded.
func (d *Dialog) follow(b []byte, at time.Duration) {
	for len(b) > 0 && !d.upAside {
		n, s := d.request.scan(b)
		b = b[n:]
		switch s {
		case whole:
			d.forwarded(at)
		case broken:
			d.leave(notRequest)
		}
	}
	d.begun = !d.request.idle()
}

// judge forwards what is in b, request by request, or answers it.
func (d *Dialog) judge(b []byte, at time.Duration) wire.Step {
	d.forward, d.back = reuse(d.forward), reuse(d.back)
	for len(b) > 0 && !d.closing && !d.upAside {
		n, s := d.request.scan(b)
		part := b[:n]
		b = b[n:]
		switch s {
		case more:
			d.hold(part)
		case whole:
			d.decide(part, at)
		case broken:
			d.hold(part)
			d.leave(notRequest)
		}
	}
	if d.upAside {
		d.pass(b)
	}
	return wire.Step{Forward: d.forward, Back: d.back, Close: d.closed}
}

// pass forwards what is held, and b.
func (d *Dialog) pass(b []byte) {
	d.forward = append(append(d.forward, d.held...), b...)
	d.held = reuse(d.held)
}

// hold keeps part of a request until it is whole, if that may matter then.
func (d *Dialog) hold(part []byte) {
	switch {
	case d.begun:
	case len(d.force) == 0 && !d.tx.dirty:
		d.begun = true
	case len(d.held)+len(part) > maxHeld:
		d.begun = true
		d.missed()
	default:
		d.held = append(d.held, part...)
		return
	}
	d.pass(part)
}

// decide forwards a request that is whole with its last part, or answers it.
func (d *Dialog) decide(last []byte, at time.Duration) {
	raw := last
	if len(d.held) > 0 {
		d.held = append(d.held, last...)
		raw = d.held
	}
	if d.request.size > maxHeld && !d.begun {
		d.begun = true
		d.missed()
	}
	if d.begun || d.request.argc == 0 || d.queue.full() || !d.refused(raw, at) {
		d.forward = append(d.forward, raw...)
		d.forwarded(at)
	}
	d.held, d.begun = reuse(d.held), false
}

// forwarded takes note of a request that the dependency gets.
func (d *Dialog) forwarded(at time.Duration) {
	r := &d.request
	if r.argc == 0 {
		return
	}
	if d.queue.full() {
		d.leave(tooMany)
		return
	}
	p := d.pending(at)
	if d.tx.open && (p.role == subscribes || p.role == hello) {
		p.role = departs
	}
	if p.role == departs {
		d.leave(p.kind)
		d.queue.push(p)
		d.settle(at)
		return
	}
	d.tx.note(r)
	d.queue.push(p)
}

// pending returns the current request as one that waits for its reply.
func (d *Dialog) pending(at time.Duration) pending {
	r := &d.request
	p := pending{kind: r.cmd.kind, role: r.cmd.role, sent: at, up: r.size}
	if r.keyed {
		p.pattern = d.names.of(r.kept())
	}
	if p.role == subscribes {
		p.left = r.argc - 1
	}
	return p
}

// smallBuffer is how much a connection keeps for its next step, in bytes.
const smallBuffer = 64 << 10

// reuse empties b, or drops it if it has become large.
func reuse(b []byte) []byte {
	if cap(b) > smallBuffer {
		return nil
	}
	return b[:0]
}
