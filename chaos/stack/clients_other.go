//go:build !linux

package stack

// Clients needs /proc.
func (n *Node) Clients() (int, error) { return 0, errNeedsLinux }
