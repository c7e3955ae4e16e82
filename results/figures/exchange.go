package figures

import (
	"time"

	"brownout/results"
)

// Exchanges is what a link saw of commands and queries in a stretch of time.
type Exchanges struct {
	Seen bool // the link reported an exchange at some time of the run
	Sent int  // exchanges whose request passed then
	// Bytes are those of these requests and their replies.
	Bytes int64
	// Aside says why the link did not follow one of the connections that were open
	// then: what was said there is not counted. Empty: it followed all.
	Aside string
}

// ExchangesOf returns what passed link in [start, end).
func ExchangesOf(rec *results.Recording, link string, start, end time.Duration) Exchanges {
	var x Exchanges
	for _, e := range rec.Exchanges {
		if e.On != link {
			continue
		}
		x.Seen = true
		if e.Sent >= start && e.Sent < end {
			x.Sent++
			x.Bytes += e.Up + e.Down
		}
	}
	for _, e := range rec.Events {
		if e.On == link && e.Kind == results.EventClose && e.Conn != nil && e.Conn.Aside != "" &&
			e.Conn.Opened < end && e.At >= start {
			x.Aside = e.Conn.Aside
		}
	}
	return x
}
