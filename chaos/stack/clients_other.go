//go:build !linux

package stack

// countClients needs /proc.
func (n *Node) countClients() (int, error) { return 0, errNeedsLinux }
