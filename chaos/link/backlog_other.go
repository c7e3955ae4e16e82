//go:build !linux

package link

import (
	"errors"
	"net"
)

const (
	leastBacklog = 0
	mostBacklog  = 0
)

// setBacklog says that there is no drop here: what a full queue does to a SYN is
// known of Linux only.
func setBacklog(*net.TCPListener, int) error {
	return errors.New("the fault drop needs Linux, which drops a SYN when a queue is full")
}
