// Package wire is what a link and the protocols that it understands say to each
// other. A protocol (chaos/link/resp, chaos/link/pgwire) implements Dialog; the
// link moves the bytes.
//
// The one idea: a dialog is a pure transformer. It is given what was read, in
// order, and says what is to be sent on. It has no clock, no socket and no
// goroutine. As long as no answer is in force it gives back exactly what it was
// given; bytes that it does not understand it lets through for the rest of the
// connection.
package wire

import (
	"time"

	"brownout/results"
)

// A Dialog follows the two streams of one connection. The methods are called by
// one goroutine at a time, At is an offset from the start of the run. What they
// return is valid until the next call of the same method.
type Dialog interface {
	// Up takes what the client sent.
	Up(b []byte, at time.Duration) Step
	// Down takes what the dependency sent.
	Down(b []byte, at time.Duration) Step
	// Inject puts a in force. fresh says that the connection was accepted after a
	// was, and has not sent anything yet. Forward of the step is always empty.
	Inject(a *Answer, fresh bool, at time.Duration) Step
	// Lift takes a away. Requests that were answered already stay answered.
	Lift(a *Answer)
	// Aside says why the dialog does not follow the streams any more, "" while it does.
	Aside() string
	// End says that the connection is over: requests without a reply are reported.
	End(at time.Duration)
}

// A Step says what is to be done with bytes, in this order: Back is given to the
// client, then Delay is waited, then Forward is sent on.
type Step struct {
	Forward []byte        // in the direction of travel; may alias the input
	Back    []byte        // to the client, in the dependency's name; from Up and Inject only
	Delay   time.Duration // before Forward is sent; from Up only
	// Close says that both sides of the connection are to be closed with FIN, after
	// the client has been given everything before.
	Close bool
}

// An Answer is a fault that answers in the dependency's name. Chance and Bite are
// called for each request, or connection, that it could have hit, and did hit.
type Answer struct {
	Kind   string        // of the fault: "readonly", …
	Delay  time.Duration // slow_query: how long each query is kept
	Seed   uint64        // garbage: of the noise
	Chance func()
	Bite   func()
}

// Report receives an exchange when it is over. On and Conn are not set.
type Report func(results.Exchange)

// A Protocol is what a link needs to understand what passes.
type Protocol struct {
	Name string // "redis", "postgres"; empty: bytes are carried unseen
	New  func(Report) Dialog
	// AskTLS is what a client sends before TLS begins, AgreeTLS the byte that agrees
	// to it. Empty: TLS begins at once.
	AskTLS   []byte
	AgreeTLS byte
}
