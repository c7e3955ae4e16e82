package resp

import (
	"time"

	"brownout/chaos/link/wire"
)

// Down implements wire.Dialog.
func (d *Dialog) Down(b []byte, at time.Duration) wire.Step {
	switch {
	case d.closed:
		return wire.Step{}
	case d.aside != "":
		return wire.Step{Forward: b}
	case d.queue.made > 0:
		return d.weave(b, at)
	}
	for rest := b; len(rest) > 0 && d.aside == ""; {
		n, done, err := d.reply.scan(rest)
		rest = rest[n:]
		d.replied(done, err, at)
	}
	return wire.Step{Forward: b}
}

// weave puts replies of ours between the server's.
func (d *Dialog) weave(b []byte, at time.Duration) wire.Step {
	d.in = d.in[:0]
	for len(b) > 0 && d.aside == "" && !d.closed {
		instead := d.queue.len() > 0 && d.queue.head().instead
		n, done, err := d.reply.scan(b)
		if !instead || d.reply.push() {
			d.in = append(d.in, b[:n]...)
		}
		b = b[n:]
		d.replied(done, err, at)
		for d.queue.len() > 0 && d.queue.head().reply != nil && !d.queue.head().instead && !d.closed {
			d.in = d.give(d.in, d.queue.pop(), at)
		}
	}
	if d.aside != "" {
		d.in = append(d.in, b...)
	}
	return wire.Step{Forward: d.in, Close: d.closed}
}

// replied takes note of a reply of the server.
func (d *Dialog) replied(done bool, err error, at time.Duration) {
	switch {
	case err != nil:
		d.stepAside(at, "a reply "+notRESP)
	case !done || d.reply.push():
	case d.queue.len() == 0:
		if d.reply.top != '-' { // an error before the server hangs up is in order
			d.stepAside(at, "the server said something that nobody had asked for")
		}
	case d.queue.head().instead:
		d.queue.head().instead = false // weave gives its reply
	default:
		s := d.queue.pop()
		if s.hello {
			d.resp3 = d.reply.top == '%'
		}
		d.tell(s, at, d.reply.class(&d.names), d.reply.size)
	}
}
