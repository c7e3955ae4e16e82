package resp

import (
	"time"

	"brownout/chaos"
	"brownout/chaos/link/wire"
)

// refused answers the current request, whose bytes are raw, if an answer in force
// is about it.
func (d *Dialog) refused(raw []byte, at time.Duration) bool {
	q := d.question(raw)
	for _, f := range d.force {
		if f.concerns(q) {
			f.Chance()
			f.Bite()
			d.refuse(f.reply(q), f.closes(q), at)
			return true
		}
	}
	if d.tx.dirty && q.role == exec {
		d.refuse(errorReply(dirtyText), false, at)
		return true
	}
	return false
}

// missed tells the answer that is about the current request that it was let
// through.
func (d *Dialog) missed() {
	if d.request.cmd == nil {
		return
	}
	q := d.question(nil)
	for _, f := range d.force {
		if f.concerns(q) {
			f.Chance()
			return
		}
	}
}

// refuse answers the current request: at once if no reply is due before.
func (d *Dialog) refuse(answer []byte, closes bool, at time.Duration) {
	p := d.pending(at)
	p.role, p.answer, p.closes = ordinary, answer, closes
	switch {
	case d.tx.ends(d.request.cmd.role) && !closes:
		d.forward = append(d.forward, discardRequest...)
		p.replace = true
		d.tx = transaction{}
	case d.tx.open:
		d.tx.dirty = true
	}
	d.closing = closes
	if p.replace || d.queue.front() != nil || !d.reply.idle() {
		d.queue.push(p)
		return
	}
	d.back = append(d.back, answer...)
	d.answered(&p, at)
}

// answered reports a request that was answered in the dependency's name.
func (d *Dialog) answered(p *pending, at time.Duration) {
	p.down = int64(len(p.answer))
	d.say(p, at, answerClass(p.answer))
	d.closed = d.closed || p.closes
}

// turnsAway reports whether the refusal is about connections.
func (f *refusal) turnsAway() bool { return f.kind == chaos.MaxClients }

// turnAway closes a fresh connection.
func (d *Dialog) turnAway(f *refusal, fresh bool) wire.Step {
	if !fresh {
		return wire.Step{}
	}
	f.Chance()
	f.Bite()
	d.closed = true
	return wire.Step{Back: errorReply(maxClientsText), Close: true}
}
