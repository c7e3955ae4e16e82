//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package cache

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// errSpoke: an idle connection has something to say. Under TLS that is as a rule the
// alert before a close; a reply that nobody waits for would be worse.
var errSpoke = errors.New("the server has spoken on an idle connection")

// peek looks at an idle connection without waiting and without reading. Nil: it is
// open, and silent.
func peek(raw net.Conn) (err error) {
	c, ok := raw.(syscall.Conn)
	if !ok {
		return nil
	}
	socket, err := c.SyscallConn()
	if err != nil {
		return err
	}
	done := socket.Read(func(fd uintptr) bool {
		var buf [1]byte
		n, _, failed := syscall.Recvfrom(int(fd), buf[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case n > 0:
			err = errSpoke
		case failed == nil:
			err = io.EOF
		case !errors.Is(failed, syscall.EAGAIN):
			err = failed
		}
		return true
	})
	return errors.Join(done, err)
}
