package pgwire

import "encoding/binary"

// The codes of packets without a type: a version, or a number that is none.
const (
	majorVersion = 3
	codeCancel   = 1234<<16 | 5678
	codeTLS      = 1234<<16 | 5679 // SSLRequest
	codeGSS      = 1234<<16 | 5680 // GSSENCRequest
)

// The server's answers to the last two.
const (
	agreeTLS = 'S'
	agreeGSS = 'G'
	refuses  = 'N'
	fails    = 'E' // of an ErrorResponse: it is too old, or cannot fork
)

// packet takes a whole packet of a client that has not said who it is.
func (d *Dialog) packet() {
	switch code := binary.BigEndian.Uint32(d.up.body); {
	case code == codeCancel:
		d.stage = cancelling
		d.forget()
	case (code == codeTLS || code == codeGSS) && d.down.between():
		d.stage = asking
	case code>>16 == majorVersion:
		d.started()
	default:
		d.stepAside(foreign)
	}
}

// started takes a StartupMessage.
func (d *Dialog) started() {
	if d.refuse() {
		return
	}
	d.stage = session
	d.up.untyped, d.up.wants = false, ofClient
	d.push(request{what: doStart})
}

// encryption takes the server's answer to SSLRequest or GSSENCRequest.
func (d *Dialog) encryption(b []byte) (rest []byte) {
	d.stage = opening
	switch b[0] {
	case refuses:
		return b[1:]
	case fails:
	case agreeTLS, agreeGSS:
		d.stepAside(encrypted)
	default:
		d.stepAside(foreign)
	}
	return b
}

// authentication takes an Authentication message.
func (d *Dialog) authentication() {
	if b := d.down.body; len(b) == 4 && binary.BigEndian.Uint32(b) == 0 {
		d.authenticated = true
	}
}
