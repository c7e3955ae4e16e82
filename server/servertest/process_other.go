//go:build !linux

package servertest

import "syscall"

// Only Linux has a way to tie a child to the life of its parent.
func dieWithUs(*owner) *syscall.SysProcAttr { return nil }

// PostgreSQL is run as whoever runs the test; it says itself what it thinks of that.
func unprivileged() (*owner, error) { return nil, nil }
