//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package cache

import "net"

// peek cannot look at a socket here: a connection that the server has closed fails
// one command.
func peek(net.Conn) error { return nil }
