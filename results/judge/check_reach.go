package judge

import (
	"fmt"
	"math"

	"brownout/results"
)

// checkReach asks whether a fault that is meant for some connections only was put on
// as many as it should. It returns false for a fault that is meant for all.
func (t trial) checkReach(in results.Injection) (Finding, bool) {
	ev := in.Evidence
	if in.Error != "" || ev.ShareAsked == 0 && ev.Whom == "" {
		return Finding{}, false
	}
	asked := ev.ShareAsked
	if asked == 0 {
		asked = 1
	}
	f := promise(fmt.Sprintf("%s hits %s of the connections that it is meant for", in.Fault, Share.Format(asked)), t.phaseOf(in))
	f.N, f.Of, f.Figure = ev.Offered, "connections", "connections hit"
	f.Value, f.Measured = float64(ev.Hit), fmt.Sprintf("%d of %d", ev.Hit, ev.Offered)
	off := math.Abs(float64(ev.Hit) - asked*float64(ev.Offered))
	switch {
	case ev.Offered == 0:
		return broken(f, fmt.Sprintf("the fault %s met no connection%s", in.Fault, of(ev.Whom)),
			"point it at a link that they use, or at somebody else"), true
	case ev.Hit == 0:
		return broken(f, fmt.Sprintf("the fault %s hit none of %d connections", in.Fault, ev.Offered),
			"ask for a larger share, or let the target open more connections"), true
	case off > t.defaults.shareRoom(asked, ev.Offered):
		return broken(f, fmt.Sprintf("the fault %s hit %d of %d connections, want %s", in.Fault, ev.Hit, ev.Offered, Share.Format(asked)),
			"run it again with another seed, or let the target open more connections"), true
	}
	return f, true
}

// of names whose connections.
func of(whom string) string {
	if whom == "" || whom == "all" {
		return ""
	}
	return " of " + whom
}

// shareRoom is by how many the connections hit may differ from share of n.
func (d Defaults) shareRoom(share float64, n int) float64 {
	if share == 1 {
		return 0
	}
	return 1 + d.ShareRoom*math.Sqrt(float64(n)*share*(1-share))
}
