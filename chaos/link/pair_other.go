//go:build !unix

package link

import (
	"errors"
	"net"
)

// pair is not known here.
func pair() (a, b *net.UnixConn, err error) {
	return nil, nil, errors.New("links with TLS need a Unix system")
}
