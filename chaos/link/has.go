package link

// HasPort reports whether a fault is in force that has the gate's port: refuse,
// drop or flap.
func (g *Gate) HasPort() bool {
	g.faultMu.Lock()
	defer g.faultMu.Unlock()
	for _, in := range g.inForce() {
		if ownsPort(in.fault.Kind) {
			return true
		}
	}
	return false
}
