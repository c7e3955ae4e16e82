package link

import (
	"errors"
	"fmt"
	"net"
	"time"

	"brownout/results"
)

const (
	// droppedAfter is how long a dial may take before its SYN counts as dropped. Over
	// loopback the kernel answers a SYN in well under a millisecond, or hears of it
	// again after a second. It is short because the fault is half in force meanwhile.
	droppedAfter = 100 * time.Millisecond
	// mostFillers bounds the dials: one more than the backlog should do.
	mostFillers = 8
)

// A drought lets SYNs vanish: the listening socket accepts nothing, its queue is
// as short as can be, and connections of our own fill it. Linux drops a SYN for
// which there is no room.
//
// Note: a packet filter was the other way. It needs privileges, and a rule that
// outlives a killed process.
type drought struct {
	port    *port
	used    bool // somebody could have felt it
	fillers []net.Conn
	prober  *prober
}

// newDrought puts it in force. Nobody else may change the port until it is lifted.
func newDrought(g *Gate) (*drought, error) {
	d := &drought{port: g.port, used: g.usedWithin(recently)}
	d.prober = &prober{address: d.port.addr.String(), timeout: droppedAfter, felt: timedOut}
	if err := setBacklog(d.port.listener, leastBacklog); err != nil {
		return nil, err
	}
	d.port.pause()
	if err := d.fill(); err != nil {
		return nil, errors.Join(err, d.lift())
	}
	d.prober.start()
	return d, nil
}

// fill dials until a dial times out.
func (d *drought) fill() error {
	for range mostFillers {
		c, err := net.DialTimeout("tcp", d.port.addr.String(), droppedAfter)
		switch {
		case err == nil:
			d.fillers = append(d.fillers, c)
		case timedOut(err):
			return nil
		default:
			return fmt.Errorf("filling the queue of %s: %w", d.port.addr, err)
		}
	}
	return fmt.Errorf("the queue of %s takes %d connections with a backlog of %d: SYNs are not dropped", d.port.addr, mostFillers, leastBacklog)
}

func timedOut(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// attach does nothing: live connections are left alone, and there are no new ones.
func (d *drought) attach(*conn) {}

func (d *drought) end(time.Duration) results.Evidence {
	d.prober.finish()
	d.closeFillers() // they stay in the queue, which stays full
	ev := results.Evidence{Occasion: "probing dials"}
	if d.used {
		ev.Chances, ev.Bites = d.prober.made, d.prober.hits
	}
	return ev
}

// lift empties the queue of what is ours. A connection of a client that waited
// in it is served.
func (d *drought) lift() error {
	err := setBacklog(d.port.listener, mostBacklog)
	d.port.resume(d.ours())
	d.closeFillers()
	return err
}

// ours are the addresses from which we connected.
func (d *drought) ours() map[string]bool {
	ours := map[string]bool{}
	for _, c := range d.fillers {
		ours[c.LocalAddr().String()] = true
	}
	for _, a := range d.prober.strays {
		ours[a.String()] = true
	}
	return ours
}

func (d *drought) closeFillers() {
	for _, c := range d.fillers {
		c.Close()
	}
}
