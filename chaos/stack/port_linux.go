package stack

import (
	"fmt"
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// A port is a port of 127.0.0.1 that is kept for one server: by a socket that is
// bound and never listens. Linux lets such a socket share its port with one that
// listens, when both have SO_REUSEADDR, which Redis and PostgreSQL set. So a
// server's address is known before it is started, and stays its own while the
// server is down.
type port struct{ number, fd int }

// keepPort keeps a port that the kernel chooses.
func keepPort() (*port, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("choosing a port: %w", err)
	}
	p := &port{fd: fd}
	if err := p.bind(); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("choosing a port: %w", err)
	}
	return p, nil
}

func (p *port) bind() error {
	if err := unix.SetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if err := unix.Bind(p.fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	bound, err := unix.Getsockname(p.fd)
	if err != nil {
		return err
	}
	p.number = bound.(*unix.SockaddrInet4).Port
	return nil
}

func (p *port) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number)) }

// release gives the port back. It may be called again.
func (p *port) release() error {
	if p.fd < 0 {
		return nil
	}
	fd := p.fd
	p.fd = -1
	return unix.Close(fd)
}
