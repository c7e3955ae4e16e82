package resp

// A transaction is what the dependency has queued of the connection behind MULTI.
// That a MULTI is refused by the dependency is not seen here: then what follows is
// refused, too.
type transaction struct {
	open  bool
	dirty bool  // a request was answered in the dependency's name: EXEC must fail
	any   flags // that a queued command has
	every flags // that all of them have
	keyed bool  // one of them has a key
}

// note takes note of a request that the dependency gets.
func (t *transaction) note(r *request) {
	switch role := r.cmd.role; {
	case role == multi && r.argc == 1 && !t.open:
		*t = transaction{open: true, every: ^flags(0)}
	case (role == exec || role == discard || role == reset) && r.argc == 1:
		*t = transaction{}
	case t.open:
		f := r.cmd.role.scriptFlags(r.cmd.flags)
		t.any |= f
		t.every &= f
		t.keyed = t.keyed || r.keyed
	}
}

// ends reports whether a request with a role ends the transaction.
func (t *transaction) ends(r role) bool {
	return t.open && (r == exec || r == discard || r == reset)
}

// discardRequest makes the dependency forget a transaction.
const discardRequest = "*1\r\n$7\r\nDISCARD\r\n"
