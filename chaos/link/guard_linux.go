package link

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// A guard is a socket that is bound and never listens. Linux lets it share a port
// with one listener, when both have SO_REUSEADDR and the guard was there first.
// While the listener is closed, the port stays bound: nobody else is given it, no
// dial can connect to itself, and a SYN is answered with RST.
//
// Note: shutdown(2) on the listening socket was the other way. It gives the port
// back when it was chosen by the kernel (port 0), as ours are.
type guard struct{ fd int }

// bind binds the guard to addr and writes the port it got into addr.
func (g *guard) bind(addr *net.TCPAddr) error {
	family, sa := sockaddr(addr)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening a socket: %w", err)
	}
	if err := bindShared(fd, sa, addr); err != nil {
		unix.Close(fd)
		return err
	}
	g.fd = fd
	return nil
}

func bindShared(fd int, sa unix.Sockaddr, addr *net.TCPAddr) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if err := unix.Bind(fd, sa); err != nil {
		return err
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	switch bound := bound.(type) {
	case *unix.SockaddrInet4:
		addr.Port = bound.Port
	case *unix.SockaddrInet6:
		addr.Port = bound.Port
	}
	return nil
}

func sockaddr(addr *net.TCPAddr) (family int, sa unix.Sockaddr) {
	if addr.IP == nil || addr.IP.To4() != nil {
		v4 := &unix.SockaddrInet4{Port: addr.Port}
		copy(v4.Addr[:], addr.IP.To4())
		return unix.AF_INET, v4
	}
	v6 := &unix.SockaddrInet6{Port: addr.Port}
	copy(v6.Addr[:], addr.IP.To16())
	return unix.AF_INET6, v6
}

// close gives the port back. It may be called again.
func (g *guard) close() {
	if g.fd > 0 {
		unix.Close(g.fd)
		g.fd = 0
	}
}
