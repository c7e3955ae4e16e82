package judge

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"brownout/results"
)

// write is acknowledged one second after it was sent. Seq keeps it out of the way
// of the load.
func write(sent time.Duration, token string, version uint64) results.Hit {
	return results.Hit{
		Op: results.OpWrite, Due: sent, Sent: sent, Done: sent + sec/10,
		Environment: "e", Key: "w", Token: token, Version: version,
	}
}

func answer(op results.Op, sent time.Duration, token string, version uint64) results.Hit {
	h := write(sent, token, version)
	h.Op = op
	return h
}

func connected(at ...time.Duration) []results.Event {
	var events []results.Event
	for _, t := range at {
		events = append(events, results.Event{At: t, Kind: results.EventConnect, On: results.LinkCache, Conn: &results.Conn{Opened: t}})
	}
	return events
}

// asked are exchanges on the database link.
func asked(at ...time.Duration) []results.Exchange {
	var all []results.Exchange
	for _, t := range at {
		all = append(all, results.Exchange{On: results.LinkDatabase, Sent: t, Done: t + ms, Kind: "SELECT", Reply: results.ReplyOK})
	}
	return all
}

func slow(h *results.Hit) { h.Done = h.Sent + 300*ms }

// A kindRow is a run that an expectation is judged of.
type kindRow struct {
	name, phase, key, text string
	spoil                  func(*run)
	want                   Verdict
	measured               string
	why                    string
}

// kindRows has for each kind a run that keeps its bound, one that misses it and
// one that cannot be judged by it.
func kindRows() []kindRow {
	return slices.Concat(plainRows(), timeRows(), dependencyRows(), resourceRows(), stepRows(), answerRows())
}

func plainRows() []kindRow {
	return []kindRow{
		{"latency within its bound", "outage", "p99", "80ms", nil, Pass, "40 ms", ""},
		{"at its bound", "outage", "p99", "40ms", nil, Pass, "40 ms", ""},
		{"below its bound is not at it", "outage", "p99", "< 40ms", nil, Fail, "40 ms", ""},
		{"latency above its bound", "steady", "p50", "5ms", nil, Fail, "10 ms", ""},
		{"1 % of slow hits do not move the p99", "steady", "p99", "80ms", func(r *run) { r.spoil(0, 50*ms, slow) }, Pass, "10 ms", ""},
		{"2 % do", "steady", "p99", "80ms", func(r *run) { r.spoil(0, 100*ms, slow) }, Fail, "301 ms", ""},
		{"one of them is the max", "steady", "max", "80ms", func(r *run) { r.spoil(0, 2*ms, slow) }, Fail, "301 ms", ""},
		{"a quantile of too few hits", "steady", "p99", "80ms", func(r *run) { r.drop(sec, 5*sec) }, Inconclusive, "", "300 hits are too few: p99 needs 1000"},
		{"p999 needs ten thousand", "steady", "p999", "80ms", nil, Inconclusive, "", "p99.9 needs 10000"},
		{"no hit at all", "steady", "p99", "80ms", func(r *run) { r.drop(0, 5*sec) }, Inconclusive, "", "no hit could have violated it"},
		{"the hits of another source do not count", "outage", "p99{source=hit}", "80ms", nil, Inconclusive, "", "no hit could have violated it"},
		{"the hits of this source do", "outage", "p99{op=read,source=bypass}", "30ms", nil, Fail, "40 ms", ""},
		{"latency counts from due, not from sent", "steady", "p50", "8ms", func(r *run) {
			r.spoil(0, 5*sec, func(h *results.Hit) { h.Done = h.Sent + 8*ms })
		}, Fail, "9 ms", ""},

		{"no errors", "steady", "errors", "0", nil, Pass, "0", ""},
		{"one error", "steady", "errors", "0", func(r *run) { r.spoil(0, ms, fail) }, Fail, "1", "first at 0s: timeout"},
		{"an error of another phase", "steady", "errors", "0", func(r *run) { r.spoil(5*sec, 6*sec, fail) }, Pass, "0", ""},
		{"no errors of no hits", "steady", "errors", "0", func(r *run) { r.drop(0, 5*sec) }, Inconclusive, "", "no hit could have violated it"},
		{"no errors of no writes", "steady", "errors{op=write}", "0", nil, Inconclusive, "", "no hit could have violated it"},
		{"errors of the whole run", "", "errors", "0", func(r *run) { r.spoil(7*sec, 7*sec+ms, fail) }, Fail, "1", ""},
		{"error rate within", "steady", "error_rate", "1%", func(r *run) { r.spoil(0, 50*ms, fail) }, Pass, "1%", ""},
		{"error rate above", "steady", "error_rate", "1%", func(r *run) { r.spoil(0, 60*ms, fail) }, Fail, "1.2%", ""},
		{"error rate of no hits", "steady", "error_rate", "1%", func(r *run) { r.drop(0, 5*sec) }, Inconclusive, "", ""},

		{"goodput kept", "steady", "goodput", "299/s", nil, Pass, "300/s", ""},
		{"goodput missed", "steady", "goodput", "299/s", func(r *run) { r.spoil(0, sec, fail) }, Fail, "240/s", ""},
		{"goodput of no hits", "steady", "goodput", "1/s", func(r *run) { r.drop(0, 5*sec) }, Inconclusive, "", ""},

		{"cache hits", "steady", "cache_hits", "95%", nil, Pass, "100%", ""},
		{"no cache hits in the outage", "outage", "cache_hits", "95%", nil, Fail, "0%", ""},
		{"no read says its source", "steady", "cache_hits", "95%", func(r *run) {
			r.spoil(0, 5*sec, func(h *results.Hit) { h.Source = "" })
		}, Inconclusive, "", "no read said where its answer came from"},
		{"the target never says a source", "steady", "cache_hits", "95%", func(r *run) { r.m.Tells.Source = false }, Inconclusive, "", "does not say the source"},
		{"a selector by source needs sources too", "steady", "p50{source=hit}", "95ms", func(r *run) { r.m.Tells.Source = false }, Inconclusive, "", "does not say the source"},
		{"answers of a source", "outage", "answers{source=bypass}", "== 100%", nil, Pass, "100%", ""},
		{"answers of another source", "outage", "answers{source=bypass}", "<= 5%", nil, Fail, "100%", ""},
		{"answers of nobody", "outage", "answers{source=bypass}", "5%", func(r *run) { r.drop(5*sec, 10*sec) }, Inconclusive, "", ""},

		{"few connects", "outage", "connects{link=cache}", "2/s", func(r *run) {
			r.events = append(r.events, connected(sec, 5*sec, 6*sec, 7*sec, 11*sec)...)
		}, Pass, "0.60/s", ""},
		{"no connect is few too, when the link is watched", "outage", "connects{link=cache}", "2/s", func(r *run) {
			r.events = append(r.events, connected(sec)...)
		}, Pass, "0/s", ""},
		{"many connects", "outage", "connects{link=cache}", "0.5/s", func(r *run) {
			r.events = append(r.events, connected(5*sec, 6*sec, 7*sec)...)
		}, Fail, "0.60/s", ""},
		{"a link that nobody saw", "outage", "connects{link=database}", "2/s", nil, Inconclusive, "", "no connection was ever seen on the link database"},
		{"a closed port shows no attempts", "outage", "connects{link=cache}", "2/s", func(r *run) {
			r.events = append(r.events, connected(sec)...)
			r.injection().Kind = "refuse"
		}, Inconclusive, "", "attempts could not be seen"},

		{"few queries", "outage", "database_queries", "1/s", func(r *run) {
			r.exchanges = asked(sec, 5*sec, 6*sec, 10*sec)
		}, Pass, "0.40/s", ""},
		{"many queries", "outage", "database_queries", "0.5/s", func(r *run) { r.exchanges = asked(5*sec, 6*sec, 7*sec) }, Fail, "0.60/s", ""},
		{"no query is few too, when the link is watched", "outage", "database_queries", "1/s", func(r *run) { r.exchanges = asked(sec) }, Pass, "0/s", ""},
		{"queries that nobody counted", "outage", "database_queries", "1/s", nil, Inconclusive, "", "no command was ever seen on the link database"},
		{"queries of a connection that could not be followed", "outage", "database_queries", "1/s", func(r *run) {
			r.exchanges = asked(sec)
			r.events = append(r.events, results.Event{
				At: 9 * sec, Kind: results.EventClose, On: results.LinkDatabase, Conn: &results.Conn{Opened: sec, Aside: "it speaks TLS"},
			})
		}, Inconclusive, "", "could not follow a connection: it speaks TLS"},
		{"commands of the link in braces", "outage", "commands{link=database}", "0.5/s", func(r *run) { r.exchanges = asked(5*sec, 6*sec, 7*sec) }, Fail, "0.60/s", ""},
		{"few commands", "outage", "commands{link=database}", "1/s", func(r *run) { r.exchanges = asked(6*sec, 7*sec) }, Pass, "0.40/s", ""},
		{"commands of another link", "outage", "commands{link=cache}", "1/s", func(r *run) { r.exchanges = asked(5 * sec) }, Inconclusive, "", "no command was ever seen on the link cache"},
		{"no hit could have caused a query", "outage", "database_queries", "1/s", func(r *run) {
			r.exchanges = asked(sec)
			r.drop(5*sec, 10*sec)
		}, Inconclusive, "", ""},

		{"recovered at once", "recovery", "recovers_within", "1s", nil, Pass, "0 ms", ""},
		{"recovered after a second of errors", "recovery", "recovers_within", "1s", func(r *run) { r.spoil(10*sec, 10900*ms, fail) }, Pass, "900 ms", ""},
		{"one good window is no recovery", "recovery", "recovers_within", "1s", func(r *run) {
			r.spoil(10*sec, 10500*ms, fail).spoil(10600*ms, 11100*ms, fail)
		}, Fail, "1.10 s", ""},
		{"never recovered", "recovery", "recovers_within", "1s", func(r *run) { r.spoil(10*sec, 15*sec, fail) }, Fail, "more than 5 s", "no 3 good windows"},
		{"the phase ended before the time was over", "recovery", "recovers_within", "6s", func(r *run) { r.spoil(10*sec, 15*sec, fail) }, Inconclusive, "more than 5 s", "too early to tell"},
		{"no fault had ended", "steady", "recovers_within", "1s", nil, Inconclusive, "", "no fault had ended by then"},
		{"the cache is back at once", "recovery", "cache_back_within", "1s", nil, Pass, "0 ms", ""},
		{"the cache is back late", "recovery", "cache_back_within", "1s", func(r *run) {
			r.spoil(10*sec, 12*sec, func(h *results.Hit) { h.Source = results.SourceBypass })
		}, Fail, "2 s", ""},
		{"failed reads are not answered by the cache", "recovery", "cache_back_within", "1s", func(r *run) { r.spoil(10*sec, 12*sec, fail) }, Fail, "2 s", ""},
		{"also when the few that succeed are", "recovery", "cache_back_within", "1s", func(r *run) {
			r.spoil(10*sec, 12*sec, func(h *results.Hit) {
				if h.Seq%3 != 0 {
					fail(h)
				}
			})
		}, Fail, "2 s", ""},
		{"nobody says the source", "recovery", "cache_back_within", "1s", func(r *run) { r.m.Tells.Source = false }, Inconclusive, "", "does not say the source"},
		{"no hits after the fault", "recovery", "cache_back_within", "1s", func(r *run) { r.drop(10*sec, 15*sec) }, Inconclusive, "", "no hit could have violated it"},

		{"right answers", "", "wrong_answers", "0", nil, Pass, "0", ""},
		{"a wrong answer", "", "wrong_answers", "0", func(r *run) {
			r.spoil(sec, sec+ms, func(h *results.Hit) { h.Token = "z" })
		}, Fail, "1", "first: read of e/k due at 1s answered token z, which nobody wrote"},
		{"no answer", "", "wrong_answers", "0", func(r *run) { r.spoil(0, 15*sec, fail) }, Inconclusive, "", "no answer carried a token"},
		{"the target says no tokens", "", "wrong_answers", "0", func(r *run) { r.m.Tells.Token = false }, Inconclusive, "", "does not say the token"},

		{"no lost write", "", "lost_writes", "0", func(r *run) {
			r.add(write(sec, "b", 2), answer(results.OpReadback, 16*sec, "b", 2))
		}, Pass, "0", ""},
		{"a lost write", "", "lost_writes", "0", func(r *run) {
			r.add(write(sec, "b", 2), write(2*sec, "c", 3), answer(results.OpReadback, 16*sec, "b", 2))
		}, Fail, "1", "write of e/w"},
		{"a written key that cannot be read back", "", "lost_writes", "0", func(r *run) {
			silent := answer(results.OpReadback, 16*sec, "", 0)
			silent.Error = results.ErrorTimeout
			r.add(write(sec, "b", 2), silent)
		}, Inconclusive, "", "1 of the keys that were written could not be read back"},
		{"no write", "", "lost_writes", "0", func(r *run) { r.add(answer(results.OpReadback, 16*sec, "a", 1)) }, Inconclusive, "", "no key had an acknowledged write and a readback"},
		{"no readback", "", "lost_writes", "0", func(r *run) { r.add(write(sec, "b", 2)) }, Inconclusive, "", "no key had an acknowledged write and a readback"},
		{"the target takes no writes and says nothing", "", "lost_writes", "0", func(r *run) { r.m.Tells = results.Tells{} }, Inconclusive, "", "does not say the token or version of its answers, and the target cannot be written to"},

		{"versions go forward", "", "version_regressions", "0", nil, Pass, "0", ""},
		{"a version goes back", "", "version_regressions", "0", func(r *run) {
			r.add(answer(results.OpRead, 3*sec, "c", 3), answer(results.OpRead, 4*sec, "b", 2))
		}, Fail, "1", "version 2 after version 3"},
		{"one answer alone", "", "version_regressions", "0", func(r *run) { r.drop(ms, 15*sec) }, Inconclusive, "", "no two answers"},

		{"not too stale", "", "staleness", "2s", func(r *run) {
			r.add(write(sec, "b", 2), write(2*sec, "c", 3), answer(results.OpRead, 3*sec, "b", 2))
		}, Pass, "900 ms", "1 of 1 reads were stale"},
		{"too stale", "", "staleness", "2s", func(r *run) {
			r.add(write(sec, "b", 2), write(2*sec, "c", 3), answer(results.OpRead, 5*sec, "b", 2))
		}, Fail, "2.90 s", "the worst: e/w due at 5s"},
		{"nothing written", "", "staleness", "2s", nil, Inconclusive, "", "no read followed an acknowledged write"},
	}
}

func TestKinds(t *testing.T) {
	for _, row := range kindRows() {
		t.Run(row.key+"/"+row.name, func(t *testing.T) {
			r := goodRun()
			if row.spoil != nil {
				row.spoil(r)
			}
			f := r.expecting(t, row.phase, row.key, row.text).judge().Findings[0]
			if f.Verdict != row.want || f.Measured != row.measured {
				t.Errorf("%s: %s = %s (%q), want %s (%q); why: %s", row.key, row.text, f.Verdict, f.Measured, row.want, row.measured, f.Why)
			}
			if !strings.Contains(f.Why, row.why) {
				t.Errorf("why = %q, want something with %q", f.Why, row.why)
			}
		})
	}
}

func TestEveryKindIsTested(t *testing.T) {
	tested := map[string]map[Verdict]bool{}
	for _, row := range kindRows() {
		name, _, _ := strings.Cut(row.key, "{")
		if tested[name] == nil {
			tested[name] = map[Verdict]bool{}
		}
		tested[name][row.want] = true
	}
	same := map[string]string{"p90": "p50", "p95": "p50", "p999": "p99", "p9999": "p99"} // the same function
	for _, k := range Kinds() {
		rows := tested[cmp.Or(same[k.Name], k.Name)]
		for _, v := range []Verdict{Pass, Fail, Inconclusive} {
			if !rows[v] {
				t.Errorf("no row of TestKinds has the verdict %s on %s", v, k.Name)
			}
		}
	}
	for _, k := range Kinds() {
		if k.Doc == "" || k.Comparison == "" || k.Scope == 0 || k.measure == nil || k.Required && len(k.Labels) != 1 {
			t.Errorf("kind %q is not filled in: %+v", k.Name, k)
		}
		for _, l := range k.Labels {
			if len(labelValues(l)) == 0 {
				t.Errorf("kind %q has label %q, which has no values", k.Name, l)
			}
		}
	}
}
