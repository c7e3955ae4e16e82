//go:build !linux

package stack

import (
	"fmt"
	"net"
)

// A port is chosen, and not kept: only Linux lets two sockets share one before one of
// them listens. It is for containers; other servers are started on Linux only.
type port struct{ address string }

func keepPort() (*port, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("choosing a port: %w", err)
	}
	return &port{l.Addr().String()}, l.Close()
}

func (p *port) addr() string { return p.address }

func (*port) release() error { return nil }
