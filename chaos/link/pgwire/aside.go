package pgwire

// follows reports whether the streams are still understood.
func (d *Dialog) follows() bool { return d.stage <= session }

// Aside implements wire.Dialog. A connection with a CancelRequest is not one: there
// is nothing more to follow.
func (d *Dialog) Aside() string { return d.lost }

// Why a dialog steps aside.
const (
	foreign    = "it does not speak PostgreSQL's protocol 3"
	unasked    = "the server answered what it was not asked"
	encrypted  = "it is encrypted"
	replicates = "it replicates"
	tooMuch    = "too much waits for a reply"
)

// stepAside lets everything through from now on.
func (d *Dialog) stepAside(why string) {
	d.missDoor()
	d.stage, d.lost = aside, why
	d.answers.doomed = nil
	d.forget()
}

// forget gives back what only a dialog that follows needs.
func (d *Dialog) forget() {
	d.waiting, d.statements, d.portals = queue{}, names{}, names{}
	d.up, d.down = framer{}, framer{}
}
