package pgwire

import (
	"slices"
	"time"

	"brownout/chaos/link/wire"
)

// The kinds of wire.Answer that a Dialog knows. It takes no notice of others.
const (
	AdminShutdown      = "admin_shutdown"
	TooManyConnections = "too_many_connections"
	SlowQuery          = "slow_query"
)

// answers are what is in force on a connection.
type answers struct {
	doors  []*wire.Answer // are given to the StartupMessage
	slow   []*wire.Answer // SlowQuery
	doomed *wire.Answer   // an AdminShutdown that waits for the end of a message

	delay time.Duration // of the chunk at hand
	out   []byte        // what is given in the server's name
}

// Inject implements wire.Dialog.
func (d *Dialog) Inject(a *wire.Answer, fresh bool, at time.Duration) wire.Step {
	if d.stage == closed || d.stage == cancelling {
		return wire.Step{}
	}
	d.at = at
	switch a.Kind {
	case SlowQuery:
		d.answers.slow = append(d.answers.slow, a)
	case TooManyConnections, AdminShutdown:
		if fresh {
			d.answers.doors = append(d.answers.doors, a)
		} else if a.Kind == AdminShutdown {
			return d.shutDown(a)
		}
	}
	return wire.Step{}
}

// Lift implements wire.Dialog.
func (d *Dialog) Lift(a *wire.Answer) {
	is := func(other *wire.Answer) bool { return other == a }
	d.answers.doors = slices.DeleteFunc(d.answers.doors, is)
	d.answers.slow = slices.DeleteFunc(d.answers.slow, is)
	if d.answers.doomed == a {
		d.answers.doomed = nil
	}
}

// shutDown ends a live connection, at the next boundary.
func (d *Dialog) shutDown(a *wire.Answer) wire.Step {
	a.Chance()
	switch {
	case d.stage == aside:
		return wire.Step{}
	case !d.down.between():
		d.answers.doomed = a
		return wire.Step{}
	}
	d.answers.out = d.terminate(nil, a)
	return wire.Step{Back: d.answers.out, Close: true}
}

// cut ends a live connection behind before, the last of what the server said.
func (d *Dialog) cut(before []byte) wire.Step {
	d.answers.out = d.terminate(append(d.answers.out[:0], before...), d.answers.doomed)
	return wire.Step{Forward: d.answers.out, Close: true}
}

// terminate ends the connection and appends what the client is told. The statement
// that the server was at has failed; those behind it get no reply.
func (d *Dialog) terminate(out []byte, a *wire.Answer) []byte {
	a.Bite()
	d.stage = closed
	if !d.authenticated {
		return out
	}
	f := terminating()
	message := f.appendTo(nil)
	d.downBytes += int64(len(message))
	d.failed(f.code, byUs)
	return append(out, message...)
}

// refuse answers a StartupMessage. It reports whether there is an answer in force.
func (d *Dialog) refuse() bool {
	if len(d.answers.doors) == 0 {
		return false
	}
	a := d.answers.doors[0]
	a.Chance()
	a.Bite()
	f := tooMany()
	if a.Kind == AdminShutdown {
		f = shuttingDown()
	}
	d.answers.out = f.appendTo(nil)
	d.stage = closed
	return true
}

// missDoor counts a connection that goes past its answer unseen.
func (d *Dialog) missDoor() {
	if d.stage < session && len(d.answers.doors) > 0 {
		d.answers.doors[0].Chance()
	}
}

// slowDown keeps the chunk at hand, for a statement that ends in it. Others that end
// in it wait at the same time.
func (d *Dialog) slowDown() {
	d.answers.delay = 0
	for _, a := range d.answers.slow {
		a.Chance()
		a.Bite()
		d.answers.delay += a.Delay
	}
}
