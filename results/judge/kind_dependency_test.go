package judge

import (
	"slices"
	"time"

	"brownout/results"
)

// attempted are connection attempts on the cache's link in the outage: the first 100 ms
// after its beginning, each closed 5 ms later without an answer, and the next a pause
// after that.
func attempted(pauses ...time.Duration) []results.Event {
	var events []results.Event
	at := 5*sec + 100*ms
	for i, pause := range append(slices.Clone(pauses), 0) {
		id := uint64(i + 1)
		events = append(events,
			results.Event{At: at, Kind: results.EventConnect, On: results.LinkCache, Conn: &results.Conn{ID: id, Opened: at}},
			results.Event{At: at + 5*ms, Kind: results.EventClose, On: results.LinkCache, Conn: &results.Conn{ID: id, Opened: at, Closed: at + 5*ms}})
		at += 5*ms + pause
	}
	return events
}

// row is n pauses, each the one before times factor, up to most, and longer or shorter
// by jitter of it, in turn.
func row(n int, first, most time.Duration, factor, jitter float64) []time.Duration {
	var pauses []time.Duration
	for next := float64(first); len(pauses) < n; next = min(next*factor, float64(most)) {
		pauses = append(pauses, time.Duration(next*(1+jitter*float64(len(pauses)%2*2-1))))
	}
	return pauses
}

func backedOff(pauses []time.Duration) func(*run) {
	return func(r *run) { r.events = append(r.events, attempted(pauses...)...) }
}

// at repeats t: connections made together.
func at(t time.Duration, n int) []time.Duration {
	var all []time.Duration
	for range n {
		all = append(all, t)
	}
	return all
}

func reconnected(times ...time.Duration) func(*run) {
	return func(r *run) { r.events = append(r.events, connected(times...)...) }
}

// selected are SELECTs of one statement in the outage, each of which takes a second.
func selected(sent ...time.Duration) func(*run) {
	return func(r *run) {
		for _, t := range sent {
			r.exchanges = append(r.exchanges, results.Exchange{
				On: results.LinkDatabase, Sent: t, Done: t + sec, Kind: "SELECT", Pattern: "select * from flags", Up: 100, Down: 900, Reply: results.ReplyOK,
			})
		}
	}
}

func dependencyRows() []kindRow {
	exponential := row(8, 20*ms, 500*ms, 2, 0)
	jittered := row(12, 20*ms, 300*ms, 1.7, 0.3)
	fixed := row(8, 100*ms, 100*ms, 1, 0)
	loop := row(40, ms, ms, 1, 0)
	varied, wild := row(6, 200*ms, 500*ms, 1, 0.7), row(6, 200*ms, 500*ms, 1, 0.9)
	bypass := func(r *run) { r.exchanges = append(r.exchanges, results.Exchange{On: results.LinkCache, Sent: sec}) }
	return []kindRow{
		{"few at once", "outage", "connects_peak{link=cache}", "3/s", reconnected(5*sec, 6*sec, 6*sec+100*ms, 6900*ms, 8*sec), Pass, "3/s", ""},
		{"many at once, few in all", "outage", "connects_peak{link=cache}", "3/s", reconnected(at(6*sec, 4)...), Fail, "4/s", ""},
		{"a peak that nobody saw", "outage", "connects_peak{link=database}", "3/s", nil, Inconclusive, "", "no connection was ever seen on the link database"},

		{"exponential backoff begins with its base", "outage", "backoff_base{link=cache}", "20ms", backedOff(row(8, 21*ms, 500*ms, 2, 0)), Pass, "21.0 ms", "exponential from 9 attempts: 21.0 ms × 2, longest pause 500 ms"},
		{"a tight loop has no base", "outage", "backoff_base{link=cache}", "20ms", backedOff(loop), Fail, "0 ms", "tight loop from 41 attempts"},
		{"a base from too few attempts", "outage", "backoff_base{link=cache}", "20ms", backedOff(exponential[:4]), Inconclusive, "", "5 attempts in a row without an answer, with 4 pauses, are too few: want 5 pauses"},
		{"attempts on a closed port", "outage", "backoff_base{link=cache}", "20ms", func(r *run) {
			backedOff(exponential)(r)
			r.injection().Kind = "refuse"
		}, Inconclusive, "", "attempts could not be seen"},
		{"attempts of two instances", "outage", "backoff_base{link=cache}", "20ms", func(r *run) {
			backedOff(exponential)(r)
			r.spoil(sec, sec+ms, func(h *results.Hit) { h.Instance = 1 })
		}, Inconclusive, "", "the attempts of 2 instances cannot be told apart"},

		{"pauses that double", "outage", "backoff_factor{link=cache}", "1.9", backedOff(exponential), Pass, "2", ""},
		{"pauses that double, with jitter", "outage", "backoff_factor{link=cache}", "1.4", backedOff(jittered), Pass, "1.70", "exponential from 13 attempts"},
		{"pauses that stay", "outage", "backoff_factor{link=cache}", "1.5", backedOff(fixed), Fail, "1", "fixed interval from 9 attempts: 100 ms, longest pause 100 ms, jitter"},
		{"pauses that vary too much", "outage", "backoff_factor{link=cache}", "1.5", backedOff(varied), Inconclusive, "", "6 pauses vary too much to tell whether they grow"},
		{"jitter of pauses that may grow", "outage", "backoff_jitter{link=cache}", "10%", backedOff(varied), Pass, "70%", "unclear from 7 attempts"},
		{"pauses that follow no rule", "outage", "backoff_factor{link=cache}", "1.5", backedOff(wild), Inconclusive, "", "6 pauses vary more than jitter does"},
		{"no rule, no jitter", "outage", "backoff_jitter{link=cache}", "10%", backedOff(wild), Inconclusive, "", "6 pauses vary more than jitter does"},
		{"no rule, but a longest pause", "outage", "backoff_cap{link=cache}", "500ms", backedOff(wild), Pass, "380 ms", "irregular from 7 attempts"},

		{"a cap that is kept", "outage", "backoff_cap{link=cache}", "500ms", backedOff(exponential), Pass, "500 ms", ""},
		{"no cap", "outage", "backoff_cap{link=cache}", "500ms", backedOff(row(6, 30*ms, sec, 2, 0)), Fail, "960 ms", ""},
		{"a cap of nothing", "outage", "backoff_cap{link=cache}", "500ms", backedOff(nil), Inconclusive, "", "are too few"},

		{"jitter", "outage", "backoff_jitter{link=cache}", "10%", backedOff(jittered), Pass, "28%", ""},
		{"no jitter", "outage", "backoff_jitter{link=cache}", "10%", backedOff(exponential), Fail, "< 0.1%", ""},
		{"a tight loop has none", "outage", "backoff_jitter{link=cache}", "10%", backedOff(loop), Fail, "0%", ""},
		{"jitter of nothing", "outage", "backoff_jitter{link=cache}", "10%", backedOff(nil), Inconclusive, "", "are too few"},

		{"reconnects that are spread", "recovery", "reconnect_synchrony{link=cache}", "30%", reconnected(append(at(10*sec, 3), at(11*sec, 7)...)...), Fail, "70%", ""},
		{"reconnects at once", "recovery", "reconnect_synchrony{link=cache}", "70%", reconnected(append(at(10*sec, 3), at(11*sec, 7)...)...), Pass, "70%", ""},
		{"what came before the fault was gone is no reconnect", "recovery", "reconnect_synchrony{link=cache}", "50%", reconnected(append(at(9*sec, 30), append(at(10*sec, 5), at(11*sec, 5)...)...)...), Pass, "50%", ""},
		{"few reconnects", "recovery", "reconnect_synchrony{link=cache}", "30%", reconnected(at(10*sec, 9)...), Inconclusive, "", "9 attempts to connect since the fault are too few: want 10"},

		{"one query for three requests", "outage", "queries_per_request", "0.4", selected(at(6*sec, 600)...), Pass, "0.40", ""},
		{"more queries than requests", "outage", "queries_per_request", "1", selected(at(6*sec, 1650)...), Fail, "1.10", ""},
		{"queries nobody saw", "outage", "queries_per_request", "1", nil, Inconclusive, "", "no command was ever seen on the link database"},
		{"commands of the database are queries", "outage", "commands_per_request{link=database}", "1", selected(at(6*sec, 1500)...), Pass, "1", ""},
		{"more commands than that", "outage", "commands_per_request{link=database}", "1", selected(at(6*sec, 1501)...), Fail, "1.00", ""},
		{"commands nobody saw", "outage", "commands_per_request{link=cache}", "1", nil, Inconclusive, "", "no command was ever seen on the link cache"},
		{"a thousand bytes for each query", "outage", "bytes_per_hit{link=database}", "1KB", selected(at(6*sec, 1500)...), Pass, "1 KB", ""},
		{"two queries for each request", "outage", "bytes_per_hit{link=database}", "1KB", selected(at(6*sec, 3000)...), Fail, "2 KB", ""},
		{"bytes nobody saw", "outage", "bytes_per_hit{link=cache}", "1KB", nil, Inconclusive, "", "no command was ever seen on the link cache"},

		{"few probes", "outage", "probe_rate{link=cache}", "1/s", func(r *run) { bypass(r); reconnected(6*sec, 7*sec)(r) }, Pass, "0.40/s", ""},
		{"probes of a link that never carried a command", "outage", "probe_rate{link=cache}", "1/s", reconnected(6*sec, 7*sec), Pass, "0.40/s", ""},
		{"many probes", "outage", "probe_rate{link=cache}", "1/s", reconnected(at(6*sec, 10)...), Fail, "2/s", ""},
		{"commands are probes too", "outage", "probe_rate{link=database}", "1/s", func(r *run) {
			selected(at(6*sec, 10)...)(r)
			r.events = append(r.events, results.Event{At: sec, Kind: results.EventConnect, On: results.LinkDatabase, Conn: &results.Conn{}})
		}, Fail, "2/s", ""},
		{"a cache that serves is not probed", "outage", "probe_rate{link=cache}", "1/s", func(r *run) {
			reconnected(6*sec, 7*sec)(r)
			r.spoil(6*sec, 6*sec+ms, func(h *results.Hit) { h.Source = results.SourceHit })
		}, Inconclusive, "", "the cache answered reads"},

		{"one query at a time", "outage", "stampede", "1", selected(6*sec, 7*sec), Pass, "1", "at 6s: select * from flags"},
		{"three at a time", "outage", "stampede", "1", selected(6*sec, 6*sec+ms, 6900*ms, 8*sec), Fail, "3", "at 6.9s"},
		{"no query in the phase", "outage", "stampede", "1", selected(sec), Pass, "0", ""},
		{"a stampede nobody saw", "outage", "stampede", "1", nil, Inconclusive, "", "no command was ever seen on the link database"},
	}
}
