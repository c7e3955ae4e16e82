//go:build !linux

package stack

// A port is only kept where servers are started.
type port struct{ number int }

func keepPort() (*port, error) { return nil, errNeedsLinux }

func (*port) addr() string { return "" }

func (*port) release() error { return nil }
