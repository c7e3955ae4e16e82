package link

import (
	"errors"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// While the port is refused, nobody who does not insist (SO_REUSEADDR) can have
// it, and the kernel gives it to nobody.
func TestRefusedPortStaysOurs(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(listen, func(t *testing.T) {
			p, err := bind(listen)
			if err != nil {
				t.Skipf("no such address here: %v", err)
			}
			defer p.release()
			p.serve(func(c *net.TCPConn) { c.Close() }, func(error) {})
			p.shut()
			if err := bindAlone(p.addr); !errors.Is(err, unix.EADDRINUSE) {
				t.Errorf("binding %s while it is refused: %v, want address in use", p.addr, err)
			}
			if err := p.reopen(); err != nil {
				t.Fatal(err)
			}
			p.release()
			if err := bindAlone(p.addr); err != nil {
				t.Errorf("binding %s after release: %v", p.addr, err)
			}
		})
	}
}

func bindAlone(addr *net.TCPAddr) error {
	family, sa := sockaddr(addr)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Bind(fd, sa)
}
