package resp

import (
	"time"

	"brownout/chaos/link/wire"
)

// Down takes what the dependency sent.
func (d *Dialog) Down(b []byte, at time.Duration) wire.Step {
	switch {
	case d.closed:
		return wire.Step{}
	case d.downAside:
	case d.queue.answers > 0:
		return d.interleave(b, at)
	default:
		for rest := b; len(rest) > 0 && !d.downAside; {
			rest = rest[d.listen(rest, at):]
			d.settle(at)
		}
	}
	return wire.Step{Forward: b, Close: d.closed}
}

// interleave puts answers between the replies in b.
func (d *Dialog) interleave(b []byte, at time.Duration) wire.Step {
	d.given = reuse(d.given)
	for len(b) > 0 && !d.closed && !d.downAside {
		head := d.queue.front()
		away := head != nil && head.replace
		n := d.listen(b, at)
		if !away || d.reply.top == '>' {
			d.given = append(d.given, b[:n]...)
		}
		b = b[n:]
		d.settle(at)
	}
	if !d.closed {
		d.given = append(d.given, b...)
	}
	return wire.Step{Forward: d.given, Close: d.closed}
}

// listen takes bytes of b up to the end of a reply, and returns how many.
func (d *Dialog) listen(b []byte, at time.Duration) int {
	n, s := d.reply.scan(b)
	switch s {
	case whole:
		d.arrived(at)
	case broken:
		d.lose(notReply, at)
	}
	return n
}

// arrived takes a reply or a push that is whole.
func (d *Dialog) arrived(at time.Duration) {
	head := d.queue.front()
	if d.pushed(head) {
		reply, last := d.confirmed(head)
		if !reply {
			return
		}
		if !last {
			head.down += d.reply.size
			return
		}
	}
	switch {
	case head != nil:
		head.down += d.reply.size
		d.learn(head.role)
		d.replied(head, at)
	case !d.reply.failed(): // errors come unasked before a server closes
		d.lose(unasked, at)
	}
}

// learn takes what a reply says of the connection.
func (d *Dialog) learn(r role) {
	switch {
	case r == hello && !d.reply.failed():
		d.resp3 = d.reply.top == '%'
	case r == reset && !d.reply.failed():
		d.resp3, d.subs = false, subscriptions{}
	}
}

// replied reports the first request, whose reply has arrived. If the dependency was
// told to discard a transaction, it is given its answer.
func (d *Dialog) replied(p *pending, at time.Duration) {
	if !p.replace {
		d.say(p, at, d.reply.class())
		d.queue.pop()
		return
	}
	d.say(&pending{kind: "DISCARD", sent: p.sent, up: int64(len(discardRequest)), down: p.down}, at, d.reply.class())
	p.replace = false
}

// settle does what is next without the dependency's doing: it gives the answers whose
// turn has come, and steps aside.
func (d *Dialog) settle(at time.Duration) {
	for p := d.queue.front(); p != nil && d.reply.idle() && !d.closed; p = d.queue.front() {
		if p.role == departs {
			d.lose(d.aside, at)
			return
		}
		if p.answer == nil || p.replace {
			return
		}
		d.given = append(d.given, p.answer...)
		d.answered(p, at)
		d.queue.pop()
	}
}
