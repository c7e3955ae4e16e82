// Package resp follows what a client and Redis say to each other, in RESP2 and
// RESP3, and answers in Redis' name. It is a dialog of chaos/link/wire.
//
// The one idea: two scanners read the streams in whatever pieces they come, and
// keep no values. Requests that wait for their reply stand in a queue. An answer in
// Redis' name is one that stands in the queue with its reply: it is given when its
// turn comes, behind the replies before it and before those behind it.
//
// # What is recorded
//
// Each exchange, when its reply is whole: by the name of its command, that of
// INFO commandstats in upper case ("GET", "CLIENT|SETINFO"), and by the pattern of
// its first key ("feature_flags:*", "flag*"). The number of exchanges that are not
// injected is that of commandstats: of a command calls + rejected_calls, if no
// script has called it. What commandstats does not have: a command or subcommand
// that the server does not know is in no row of it, and what MULTI queues is in its
// calls when EXEC has run it, and never after DISCARD or an EXEC that failed.
// Pushes are no exchanges. SUBSCRIBE and its kin are one, which ends with the
// reply for the last channel. Requests that wait when the connection ends, or when
// its streams are followed no longer, have the reply "none"; garbage has "garbage".
//
// A dialog steps aside when it meets what is no RESP, what is too large (a
// request of more than 2^31-1 arguments, a value of more than 4 GiB, replies nested
// 64 deep, 65536 requests without a reply), and behind SYNC, PSYNC, REPLCONF,
// MONITOR, CLIENT REPLY, and SUBSCRIBE or HELLO within MULTI. What passes then is
// not counted, and not answered; replies to what was asked before still are.
//
// # What is answered
//
// A fault answers the requests that a Redis in that state would refuse, with the
// words of Redis 7.0, by the flags that its COMMAND says:
//
//   - readonly: what writes. readonly_close closes the connection behind the reply,
//     as ElastiCache does (close-on-replica-write), but not behind a script's: what
//     is reported of long READONLY there comes from scripts (spring-data-redis#3431,
//     redisson#3897). err_readonly says ERR READONLY.
//   - loading: all but what is flagged loading (INFO, CLIENT, HELLO, MULTI, …).
//   - masterdown: all but what is flagged stale.
//   - clusterdown: what has a key.
//   - oom: what is flagged denyoom, and whatever would be queued behind MULTI.
//   - noauth: all but QUIT and RESET. AUTH and HELLO with a password hear WRONGPASS:
//     it has changed.
//   - max_clients: connections that were accepted after the fault came are told so
//     and closed; others live on.
//   - garbage: everything, with a line of noise that is no RESP.
//
// What COMMAND of Redis 7.0 does not have is answered as by loading, masterdown,
// noauth and garbage, and let through otherwise: nothing is known of it. So are
// subcommands, if their siblings agree. A request that Redis would not take whatever
// its state (too few arguments) reaches it.
//
// A transaction with a refused command fails like in Redis: EXEC is answered
// EXECABORT, and so is EXEC when what was queued before the fault is refused now.
// The dependency gets DISCARD in its place, which is recorded as an exchange beside
// the injected EXEC, and its reply is taken away. EXEC is a chance and a bite of the
// answer that refuses it, and none when it fails for a command before.
//
// Scripts are refused as if they read and write and need memory (FCALL, EVAL,
// EVALSHA; those with _RO do not write): what they do is not to be seen. EVAL with
// a first line like "#!lua flags=no-writes" is believed, as in Redis. Redis runs a
// script without such a line up to the command that it refuses, and names script
// and line in the error. Here it is not run, the line is always 1, and a script that
// only reads is refused, too; behind MULTI it is refused when it is queued.
//
// While an answer is in force a request is held back until it is whole, up to
// 1 MiB: a larger one is let through, as is one whose beginning has passed before.
// What is held when the last answer is lifted flows on with the rest of its
// request, of which it is a part: the dependency could not have done anything with
// it before. Of several answers the one that came first takes a request, and the
// others do not hear of it.
//
// Not done here: sockets, clocks, and what a fault does to bytes; see chaos/link.
package resp

import (
	"time"

	"brownout/chaos"
	"brownout/chaos/link/wire"
)

// Protocol is RESP, as a link needs it.
func Protocol() wire.Protocol {
	return wire.Protocol{Name: chaos.ProtocolRedis, New: func(r wire.Report) wire.Dialog { return New(r) }}
}

// A Dialog follows one connection; see wire.Dialog.
type Dialog struct {
	report wire.Report

	request request
	reply   reply
	queue   queue
	names   patterns
	tx      transaction
	subs    subscriptions
	resp3   bool

	force []*refusal // in the order in which they came
	begun bool       // the current request was forwarded in part

	aside     string // why the streams are not followed any more
	upAside   bool   // the client's stream is not
	downAside bool   // the dependency's stream is not
	closing   bool   // an answer will close the connection: nothing of the client counts
	closed    bool   // nothing counts

	held    []byte // of the current request, not forwarded
	forward []byte // by Up
	back    []byte // by Up
	given   []byte // by Down
}

// New returns a Dialog that reports its exchanges to report. It starts nothing.
func New(report wire.Report) *Dialog {
	return &Dialog{report: report, names: patterns{}}
}

// Inject puts a in force. Only max_clients has something to say at once.
func (d *Dialog) Inject(a *wire.Answer, fresh bool, _ time.Duration) wire.Step {
	if d.closed {
		return wire.Step{}
	}
	f := newRefusal(a)
	if f.turnsAway() {
		return d.turnAway(f, fresh)
	}
	d.force = append(d.force, f)
	return wire.Step{}
}

// Lift takes a away.
func (d *Dialog) Lift(a *wire.Answer) {
	for i, f := range d.force {
		if f.Answer == a {
			d.force = append(d.force[:i:i], d.force[i+1:]...)
			return
		}
	}
}

// Aside says why the streams are not followed any more, "" while they are.
func (d *Dialog) Aside() string { return d.aside }

// End reports the requests that will have no reply.
func (d *Dialog) End(at time.Duration) { d.abandon(at) }
