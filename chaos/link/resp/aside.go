package resp

import (
	"time"

	"brownout/results"
)

// Why a dialog steps aside, beside the commands that make it do so.
const (
	notRequest = "the client sends what is no RESP"
	notReply   = "the server sends what is no RESP"
	unasked    = "the server replies without a request"
	tooMany    = "65536 requests have no reply"
)

// leave stops following the client's stream. What it asked before is still
// replied to.
func (d *Dialog) leave(why string) {
	d.upAside = true
	if d.aside == "" {
		d.aside = why
	}
}

// lose stops following both streams.
func (d *Dialog) lose(why string, at time.Duration) {
	d.leave(why)
	d.downAside = true
	d.closed = d.closed || d.closing // or it would neither be answered nor closed
	d.abandon(at)
}

// abandon reports the requests that will have no reply.
func (d *Dialog) abandon(at time.Duration) {
	for p := d.queue.front(); p != nil; p = d.queue.front() {
		d.say(p, at, results.ReplyNone)
		d.queue.pop()
	}
}

// say reports an exchange.
func (d *Dialog) say(p *pending, at time.Duration, class string) {
	d.report(results.Exchange{
		Sent: p.sent, Done: at, Kind: p.kind, Pattern: p.pattern,
		Up: p.up, Down: p.down, Reply: class, Injected: p.answer != nil,
	})
}
