// Package resp follows what a client and a Redis say to each other, in RESP2 or
// RESP3, and answers in the Redis' name when it is told to.
//
// The one idea: values are counted, not kept. A scanner for each direction
// remembers the name, the first arguments and the length of a request, and the
// type and first word of a reply, however the bytes are cut; the rest goes by. So
// memory is bounded and bytes are never held back, except that a request is held
// until it is whole while an answer is in force.
//
// What the answers do, to requests that come while they are in force (an answered
// request never reaches the server, its reply stands in its place):
//
//   - readonly: commands that write are answered READONLY, as by a replica. In a
//     transaction the error comes when the command is queued, and EXEC is answered
//     EXECABORT. Scripts (EVAL, EVALSHA, FCALL) count as writing, for what they do
//     cannot be seen; their error has the words that Redis adds in a script.
//   - readonly_close: the same, and the connection is closed after the answer, as
//     ElastiCache does (parameter close-on-replica-write). Not after a script's.
//   - err_readonly: the same with the error ERR READONLY, as some proxies send.
//   - loading: commands are answered LOADING, but for those that Redis allows then.
//   - masterdown: commands are answered MASTERDOWN, but for those that Redis allows.
//   - clusterdown: commands that have keys are answered CLUSTERDOWN.
//   - oom: commands that may need memory are answered OOM.
//   - noauth: commands are answered NOAUTH, but for AUTH and the like. HELLO is let
//     through when it brings a password.
//   - garbage: every request is answered with a line of noise.
//   - max_clients: a new connection is told so and closed. Live ones are left alone.
//
// A dialog steps aside, and lets everything through for the rest of the
// connection, from what it does not understand: replication (SYNC, PSYNC),
// MONITOR, CLIENT REPLY, subscriptions in RESP2 (in RESP3 they are understood),
// streamed values, and whatever is no RESP.
package resp

import (
	"time"

	"brownout/chaos/link/wire"
	"brownout/results"
)

// Protocol is RESP, for a link.
func Protocol() wire.Protocol {
	return wire.Protocol{Name: "redis", New: func(r wire.Report) wire.Dialog { return New(r) }}
}

// A Dialog follows one connection. It implements wire.Dialog.
type Dialog struct {
	report  wire.Report
	answers []*wire.Answer // in force, oldest first
	aside   string         // why nothing is followed any more
	closed  bool           // an answer has closed the connection
	over    bool

	request request
	holding bool   // the request that is being read is held until it is whole
	held    []byte // of it, so far
	multi   transaction
	noises  uint64

	reply reply
	resp3 bool
	queue queue // requests without a reply

	out, back, in []byte // memory for steps: of Up (out, back), of Down (in)
	names         interned
	patterns      interned
}

var _ wire.Dialog = (*Dialog)(nil)

// New returns the dialog of a connection on which nothing has been said. report
// gets each exchange when its reply is whole.
func New(report wire.Report) *Dialog { return &Dialog{report: report} }

// Aside implements wire.Dialog.
func (d *Dialog) Aside() string { return d.aside }

// Inject implements wire.Dialog.
func (d *Dialog) Inject(a *wire.Answer, fresh bool, _ time.Duration) wire.Step {
	if a.Kind == maxClients {
		if !fresh || d.closed {
			return wire.Step{}
		}
		a.Chance()
		a.Bite()
		d.closed = true
		return wire.Step{Back: []byte("-ERR max number of clients reached\r\n"), Close: true}
	}
	d.answers = append(d.answers, a)
	return wire.Step{}
}

// Lift implements wire.Dialog. What is held of a request flows on with the rest of
// the request, which must come for the request to be one.
func (d *Dialog) Lift(a *wire.Answer) {
	for i, other := range d.answers {
		if other == a {
			d.answers = append(d.answers[:i:i], d.answers[i+1:]...)
			return
		}
	}
}

// End implements wire.Dialog.
func (d *Dialog) End(at time.Duration) {
	d.over = true
	d.abandon(at)
}

// abandon reports the requests whose replies will not be seen.
func (d *Dialog) abandon(at time.Duration) {
	for d.queue.len() > 0 {
		s := d.queue.pop()
		d.tell(s, at, results.ReplyNone, 0)
	}
}

// stepAside gives up following the connection.
func (d *Dialog) stepAside(at time.Duration, why string) {
	if d.aside == "" {
		d.aside = why
	}
	d.abandon(at)
}

func (d *Dialog) tell(s *slot, at time.Duration, class string, down int64) {
	d.report(results.Exchange{
		Sent: s.sent, Done: at, Kind: s.kind, Pattern: s.pattern, Up: s.up, Down: down,
		Reply: class, Injected: s.reply != nil,
	})
}
