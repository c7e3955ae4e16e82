package resp

import (
	"time"

	"brownout/chaos/link/wire"
	"brownout/results"
)

// maxHeld bounds what is held of a request while an answer is in force. A longer
// one goes by unanswered.
const maxHeld = 1 << 20

// discard is sent in the place of an EXEC that must not be carried out.
const discard = "*1\r\n$7\r\nDISCARD\r\n"

// Up implements wire.Dialog.
func (d *Dialog) Up(b []byte, at time.Duration) wire.Step {
	switch {
	case d.closed:
		return wire.Step{}
	case d.aside != "" && len(d.held) == 0:
		return wire.Step{Forward: b}
	case d.aside != "" || len(d.answers) > 0 || len(d.held) > 0:
		return d.sift(b, at)
	}
	for rest := b; len(rest) > 0 && d.aside == ""; {
		n, done, empty, err := d.request.scan(rest)
		rest = rest[n:]
		if err != nil {
			d.stepAside(at, "a request "+notRESP)
		} else if done && !empty {
			d.forwarded(d.command(&d.request), at)
		}
	}
	return wire.Step{Forward: b}
}

const notRESP = "is not RESP"

// sift reads b request by request, and lets through what is not answered.
func (d *Dialog) sift(b []byte, at time.Duration) wire.Step {
	d.out, d.back = d.out[:0], d.back[:0]
	for len(b) > 0 && d.aside == "" && !d.closed {
		if d.request.fresh() {
			d.holding = len(d.answers) > 0
		}
		n, done, empty, err := d.request.scan(b)
		d.take(b[:n])
		b = b[n:]
		switch {
		case err != nil:
			d.stepAside(at, "a request "+notRESP)
		case done && !empty:
			d.whole(at)
		case done, len(d.held) > maxHeld:
			d.release()
		}
	}
	if d.aside != "" {
		d.release()
		d.out = append(d.out, b...)
	}
	return wire.Step{Forward: d.out, Back: d.back, Close: d.closed && d.queue.len() == 0}
}

// take puts bytes of a request where they belong.
func (d *Dialog) take(b []byte) {
	if d.holding {
		d.held = append(d.held, b...)
		return
	}
	d.release() // of a request whose answer was lifted
	d.out = append(d.out, b...)
}

// release lets through what is held.
func (d *Dialog) release() {
	d.out = append(d.out, d.held...)
	d.held, d.holding = d.held[:0], false
}

// whole decides about the request that has ended.
func (d *Dialog) whole(at time.Duration) {
	c := d.command(&d.request)
	if !d.holding { // it was under way before the answer
		d.release()
		d.forwarded(c, at)
		return
	}
	v := d.decide(c, &d.request)
	if v.reply == nil {
		d.release()
		d.forwarded(c, at)
		return
	}
	d.held, d.holding = d.held[:0], false
	d.multi.follow(c)
	s := slot{
		kind: c.name, pattern: d.patternOf(c, &d.request), sent: at, up: d.request.size,
		reply: v.reply, instead: v.instead, hangUp: v.hangUp,
	}
	if v.instead {
		d.out = append(d.out, discard...)
	}
	if d.queue.len() > 0 || v.instead {
		d.enqueue(s, at)
		return
	}
	d.back = d.give(d.back, &s, at)
}

// give appends the reply of s, and reports it.
func (d *Dialog) give(to []byte, s *slot, at time.Duration) []byte {
	d.tell(s, at, classOf(s.reply, &d.names), int64(len(s.reply)))
	d.closed = d.closed || s.hangUp
	return append(to, s.reply...)
}

// classOf is the class of a reply of ours.
func classOf(b []byte, names *interned) string {
	var r reply
	if _, done, err := r.scan(b); err != nil || !done {
		return results.ReplyGarbage
	}
	return r.class(names)
}

// forwarded takes note of a request that the server gets.
func (d *Dialog) forwarded(c command, at time.Duration) {
	d.multi.follow(c)
	s := slot{kind: c.name, pattern: d.patternOf(c, &d.request), sent: at, up: d.request.size, hello: c.name == "HELLO"}
	if why := d.beyond(c); why != "" {
		d.enqueue(s, at)
		d.stepAside(at, why)
		return
	}
	if d.resp3 && subscribes(c) { // its replies are pushes
		d.tell(&s, at, results.ReplyOK, 0)
		return
	}
	d.enqueue(s, at)
}

func (d *Dialog) enqueue(s slot, at time.Duration) {
	if d.over {
		d.tell(&s, at, results.ReplyNone, 0)
	} else if !d.queue.push(s) {
		d.stepAside(at, "more requests were sent at once than are followed")
	}
}

// beyond says why what comes after c is not followed, "" if it is.
func (d *Dialog) beyond(c command) string {
	switch {
	case c.name == "SYNC" || c.name == "PSYNC":
		return "it is replication"
	case c.name == "MONITOR":
		return "it is MONITOR's"
	case c.name == "CLIENT|REPLY":
		return "its replies are switched off"
	case subscribes(c) && !d.resp3:
		return "it is subscribed in RESP2"
	}
	return ""
}

func subscribes(c command) bool {
	switch c.name {
	case "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE":
		return true
	}
	return false
}
