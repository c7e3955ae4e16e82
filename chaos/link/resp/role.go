package resp

// A role says what a command means for the connection that it is sent on.
type role uint8

const (
	ordinary   role = iota
	multi           // the commands that follow are queued,
	exec            // … run,
	discard         // … or forgotten
	reset           // the connection is as new
	quit            //
	hello           // the version of RESP is chosen
	auth            //
	script          // what it does is not to be seen from its name
	readScript      // the same, and it does not write
	subscribes      // is answered once for each channel
	departs         // the connection is no dialog of requests and replies any more
)

// roleOf returns the role of a command of the table.
func roleOf(kind string) role {
	switch kind {
	case "MULTI":
		return multi
	case "EXEC":
		return exec
	case "DISCARD":
		return discard
	case "RESET":
		return reset
	case "QUIT":
		return quit
	case "HELLO":
		return hello
	case "AUTH":
		return auth
	case "EVAL", "EVALSHA", "FCALL":
		return script
	case "EVAL_RO", "EVALSHA_RO", "FCALL_RO":
		return readScript
	case "SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUNSUBSCRIBE":
		return subscribes
	case "SYNC", "PSYNC", "REPLCONF", "MONITOR", "CLIENT|REPLY":
		return departs
	}
	return ordinary
}
