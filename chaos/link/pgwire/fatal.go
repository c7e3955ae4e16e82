package pgwire

import "encoding/binary"

// A fatal is an error after which the server closes the connection. The texts and
// places are those of PostgreSQL 15.18.
type fatal struct {
	code, message string
	file, line    string
	routine       string
}

// terminating is what a session is told in a fast shutdown, and by
// pg_terminate_backend.
func terminating() fatal {
	return fatal{"57P01", "terminating connection due to administrator command", "postgres.c", "3211", "ProcessInterrupts"}
}

// shuttingDown is what a new connection is told during a shutdown.
func shuttingDown() fatal {
	return fatal{"57P03", "the database system is shutting down", "postmaster.c", "2432", "ProcessStartupPacket"}
}

// tooMany is what a new connection is told when max_connections are open.
func tooMany() fatal {
	return fatal{"53300", "sorry, too many clients already", "proc.c", "357", "InitProcess"}
}

// appendTo appends the ErrorResponse, with its fields in the server's order.
func (f fatal) appendTo(b []byte) []byte {
	start := len(b)
	b = append(b, 'E', 0, 0, 0, 0)
	for _, field := range []struct {
		name  byte
		value string
	}{
		{'S', "FATAL"}, {'V', "FATAL"}, {'C', f.code}, {'M', f.message},
		{'F', f.file}, {'L', f.line}, {'R', f.routine},
	} {
		b = append(append(append(b, field.name), field.value...), 0)
	}
	b = append(b, 0)
	binary.BigEndian.PutUint32(b[start+1:], uint32(len(b)-start-1))
	return b
}
