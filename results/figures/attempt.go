package figures

import (
	"time"

	"brownout/results"
)

// An Attempt is a client's attempt to connect, as a link saw it.
type Attempt struct {
	At       time.Duration
	Ended    time.Duration // 0: it was never seen to end
	Answered bool          // something came back
}

// AttemptsOf returns the attempts on link made in [start, end), by time.
func AttemptsOf(rec *results.Recording, link string, start, end time.Duration) []Attempt {
	var all []Attempt
	at := map[uint64]int{} // ID of the connection → its attempt
	for _, e := range rec.Events {
		if e.On != link || e.Conn == nil {
			continue
		}
		switch e.Kind {
		case results.EventConnect:
			if e.At >= start && e.At < end {
				at[e.Conn.ID] = len(all)
				all = append(all, Attempt{At: e.At})
			}
		case results.EventClose:
			if i, ok := at[e.Conn.ID]; ok {
				all[i].Ended, all[i].Answered = e.At, e.Conn.Down > 0
			}
		}
	}
	return all
}

// Times returns when the attempts were made.
func Times(all []Attempt) []time.Duration {
	times := make([]time.Duration, len(all))
	for i, a := range all {
		times[i] = a.At
	}
	return times
}

// Peak returns the greatest number of times that lie within one stretch of width, its
// end not included, wherever that begins. The times must be in ascending order.
func Peak(times []time.Duration, width time.Duration) int {
	most, first := 0, 0
	for i, t := range times {
		for t-times[first] >= width {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
