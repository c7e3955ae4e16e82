// Package pgwire understands PostgreSQL's frontend/backend protocol 3.x (chapter 55
// of the manual of PostgreSQL 15), as far as it takes to tell the statements of a
// connection and to answer in the server's name. It implements wire.Dialog.
//
// The one idea: the two streams are scanned message by message and nothing is kept
// but what waits for a reply. The server replies in the order in which it was
// asked, so a queue of what was asked says what a reply belongs to. Bodies are not
// buffered; of a message that carries a statement or a name the first 2 KiB are
// looked at. Passwords are not looked at.
//
// What is an exchange: a statement that the server answered, one for each statement
// of a Query, for each Execute and for each FunctionCall.
//
//   - It is sent when its Query, Execute or FunctionCall is whole, and done with
//     CommandComplete, EmptyQueryResponse, PortalSuspended, FunctionCallResponse or
//     ErrorResponse. While COPY runs, the exchange does.
//   - Kind is the tag of the command without its counts ("INSERT", "CREATE TABLE"),
//     KindEmpty for an empty query (pgx pings with one) and KindCall for a
//     FunctionCall. A statement without a tag (it failed, was suspended, or the
//     connection ended) has the first word of its text, or KindUnknown.
//   - Pattern is the text of the statement without what varies (see pattern). It is
//     empty for a text that was never seen: one that begins behind the first 2 KiB
//     of its Query, or a prepared statement beyond the first 1024 of a connection.
//   - Up counts the client's messages since the statement or Sync before it: Parse,
//     Bind and Describe go with their Execute, COPY's data with their COPY. A Query
//     of several statements counts with the first. Down counts the server's messages
//     since the reply or ReadyForQuery before, without asynchronous ones. Sync and
//     ReadyForQuery count nowhere.
//   - An error before a statement is executed (in Parse, Bind, Describe) is the reply
//     to the first Execute behind it. What the server skips then, up to the next
//     Sync, is no exchange, and neither is an error that no Execute was meant for: a
//     client that only prepares. Nor is an error at a Sync, which ends the implicit
//     transaction of statements that were answered before (a deferred constraint).
//
// The scan ends, and everything is let through unseen for the rest of the
// connection, with what it does not understand: TLS and GSS encryption, a message
// of an unknown type or an impossible length, replies that nobody asked for, COPY in
// both directions (replication), more than 65536 requests without a reply. What
// waits for a reply then is not reported.
//
// What the answers do:
//
//   - AdminShutdown: as in a fast shutdown of the server. Live connections get FATAL
//     57P01 at the next message boundary of the server's stream and are closed. As
//     from PostgreSQL, a client that has not been authenticated is told nothing. New
//     connections get FATAL 57P03 after their StartupMessage. The server itself goes
//     on: a statement at work runs, and keeps its locks, until the server finds that
//     its client is gone.
//   - TooManyConnections: new connections get FATAL 53300 after their StartupMessage
//     and are closed; live ones are left alone.
//   - SlowQuery: the chunk in which a Query, Execute or FunctionCall ends is kept for
//     the delay, with everything in it. So a batch that comes in one chunk waits
//     once; a part of a statement that came earlier is forwarded at once, which the
//     server cannot tell from a slow network. Connecting and preparing take no longer.
//     The time counts in the exchange. A CancelRequest for a statement that is still
//     being kept is early: the server then runs the statement.
//
// Connections that only bring a CancelRequest are never answered. Encrypted ones
// cannot be: they count as a chance, and not as a bite.
//
// Not done here: moving bytes and waiting (chaos/link), protocol 2, and strings in
// which a backslash escapes without an E before them (standard_conforming_strings
// off): a pattern may show a part of such a string.
package pgwire

import (
	"encoding/binary"
	"time"

	"brownout/chaos/link/wire"
)

// A stage is how far a connection has come.
type stage byte

const (
	opening    stage = iota // the client's packets have no type; StartupMessage is to come
	asking                  // the server's next byte says whether it encrypts
	session                 // messages with a type, in both directions
	cancelling              // the client brings a CancelRequest
	aside                   // not understood: let through
	closed                  // by an answer, or the connection has ended
)

// A Dialog follows one connection. See wire.Dialog.
type Dialog struct {
	report wire.Report
	at     time.Duration // of the bytes at hand

	stage         stage
	lost          string // why the dialog stepped aside
	authenticated bool
	up, down      framer

	waiting    queue
	statements names
	portals    names
	extended   bool   // there is a message of the extended protocol behind the last Sync
	skipping   bool   // the server skips what comes before the next Sync
	blame      string // SQLSTATE of the error whose Execute is still to come; "": none
	copying    bool   // the server reads a COPY: a Sync means nothing to it
	upBytes    int64  // of the statement to come
	downBytes  int64  // of the reply to come

	answers answers
}

var _ wire.Dialog = (*Dialog)(nil)

// New returns the dialog of a new connection. What it finds goes to report, from
// within its methods.
func New(report wire.Report) *Dialog {
	return &Dialog{report: report, up: framer{wants: ofPacket, untyped: true}, down: framer{wants: ofServer}}
}

// Protocol is PostgreSQL's, for a link.
func Protocol() wire.Protocol {
	ask := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 8}, codeTLS)
	return wire.Protocol{
		Name: "postgres", New: func(r wire.Report) wire.Dialog { return New(r) },
		AskTLS: ask, AgreeTLS: agreeTLS,
	}
}

// Up implements wire.Dialog.
func (d *Dialog) Up(b []byte, at time.Duration) wire.Step {
	if d.stage == closed {
		return wire.Step{}
	}
	d.at, d.answers.delay = at, 0
	for rest := b; len(rest) > 0 && d.follows(); {
		if d.stage == asking {
			d.stepAside(foreign) // a client of ours waits for the answer
			break
		}
		var found outcome
		switch rest, found = d.up.next(rest); found {
		case broken:
			d.stepAside(foreign)
		case whole:
			d.fromClient()
		}
	}
	if d.stage == closed {
		return wire.Step{Back: d.answers.out, Close: true}
	}
	return wire.Step{Forward: b, Delay: d.answers.delay}
}

// Down implements wire.Dialog.
func (d *Dialog) Down(b []byte, at time.Duration) wire.Step {
	if d.stage == closed {
		return wire.Step{}
	}
	d.at = at
	for rest := b; len(rest) > 0 && d.follows(); {
		if d.stage == asking {
			rest = d.encryption(rest)
			continue
		}
		var found outcome
		switch rest, found = d.down.next(rest); found {
		case broken:
			d.stepAside(foreign)
		case whole:
			d.fromServer()
			if d.answers.doomed != nil {
				return d.cut(b[:len(b)-len(rest)])
			}
		}
	}
	return wire.Step{Forward: b}
}

// End implements wire.Dialog.
func (d *Dialog) End(at time.Duration) {
	d.at = at
	d.abandon()
	d.stage = closed
	d.forget()
}
