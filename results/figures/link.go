package figures

import (
	"slices"
	"time"

	"brownout/results"
)

// Connections is what a link saw in a stretch of time.
type Connections struct {
	Seen     bool          // the link reported a connection at some time of the run
	Connects int           // connections accepted
	Live     int           // connections open at the end
	Silence  time.Duration // the longest silence of a connection that was open then, at whatever time it fell
	// Unseen reports that attempts could be made without the link seeing them: a
	// closed port shows nobody who knocks. The refused dials in the evidence of a
	// fault are no help, they are the link's own.
	Unseen bool
}

// ConnectionsOf returns what link saw in [start, end).
func ConnectionsOf(rec *results.Recording, link string, start, end time.Duration) Connections {
	var c Connections
	for _, e := range rec.Events {
		if e.On != link {
			continue
		}
		switch {
		case e.Kind == results.EventConnect:
			c.Seen = true
			if e.At >= start && e.At < end {
				c.Connects++
			}
			if e.At < end {
				c.Live++
			}
		case e.Kind == results.EventClose && e.Conn != nil:
			if e.At < end {
				c.Live--
			}
			if e.Conn.Opened < end && e.At >= start {
				c.Silence = max(c.Silence, e.Conn.Silence)
			}
		}
	}
	c.Unseen = closed(Injections(rec), link, start, end)
	return c
}

// closed reports whether a fault closed the port of link at some time in
// [start, end).
func closed(ins []results.Injection, link string, start, end time.Duration) bool {
	return slices.ContainsFunc(ins, func(in results.Injection) bool {
		return in.On == link && in.Kind == "refuse" && in.Start < end && in.End > start
	})
}
