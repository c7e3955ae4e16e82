package link

import (
	"fmt"
	"math"
	"net"

	"golang.org/x/sys/unix"
)

// How many connections may wait to be accepted. Linux lets one more wait.
const (
	leastBacklog = 0
	mostBacklog  = math.MaxInt32 // the kernel takes less: net.core.somaxconn, as Go does
)

// setBacklog changes the backlog of a socket that listens: Linux takes a second
// listen(2) for that. What waits already stays.
func setBacklog(l *net.TCPListener, n int) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return fmt.Errorf("reaching the listening socket: %w", err)
	}
	var lerr error
	if err := raw.Control(func(fd uintptr) { lerr = unix.Listen(int(fd), n) }); err != nil {
		return fmt.Errorf("reaching the listening socket: %w", err)
	}
	if lerr != nil {
		return fmt.Errorf("setting the backlog: %w", lerr)
	}
	return nil
}
