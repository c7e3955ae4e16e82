package judge

import (
	"time"

	"brownout/results"
)

// readings adds n reads of the written key that are all answered with one version,
// each age after what was acknowledged at 1.1 s.
func (r *run) readings(n int, age time.Duration, token string, version uint64) *run {
	for range n {
		h := answer(results.OpRead, sec+sec/10+age, token, version)
		h.Done = h.Sent + ms
		r.add(h)
	}
	return r
}

// searched stores what a search found.
func (r *run) searched(l results.Linearizability) { r.order = &l }

// by gives an answer to an instance of the target.
func by(instance int, h results.Hit) results.Hit {
	h.Instance = instance
	return h
}

func answerRows() []kindRow {
	rewritten := func(r *run) *run { return r.add(write(0, "a", 1), write(sec, "b", 2)) }
	return []kindRow{
		{"a hundredth of stale reads does not move the p99", "", "staleness{q=p99}", "1s", func(r *run) {
			rewritten(r).readings(990, 3*sec, "b", 2).readings(10, 3*sec, "a", 1)
		}, Pass, "0 ms", "10 of 1000 reads were stale; the worst: e/w due at 4.1s"},
		{"more than that does", "", "staleness{q=p99}", "1s", func(r *run) {
			rewritten(r).readings(989, 3*sec, "b", 2).readings(11, 3*sec, "a", 1)
		}, Fail, "3 s", ""},
		{"a p999 of too few reads", "", "staleness{q=p999}", "1s", func(r *run) { rewritten(r).readings(1000, 3*sec, "b", 2) },
			Inconclusive, "", "1000 reads after a write are too few: p99.9 needs 10000"},
		{"a median of nothing written", "", "staleness{q=p50}", "1s", nil, Inconclusive, "", "no read followed an acknowledged write"},

		{"one version behind", "", "versions_behind", "1", func(r *run) { rewritten(r).readings(1, sec, "a", 1) }, Pass, "1", "the read furthest behind: e/w due at 2.1s"},
		{"fresh reads are not behind", "", "versions_behind", "0", func(r *run) { rewritten(r).readings(1, sec, "b", 2) }, Pass, "0", ""},
		{"two versions behind", "", "versions_behind", "1", func(r *run) {
			rewritten(r).add(write(2*sec, "c", 3)).readings(1, 3*sec, "a", 1)
		}, Fail, "2", ""},
		{"behind nothing", "", "versions_behind", "1", nil, Inconclusive, "", "no read followed an acknowledged write"},

		{"visible in time", "", "invisible_after{after=1s}", "0", func(r *run) {
			rewritten(r).readings(1, sec/2, "a", 1).readings(1, sec, "b", 2)
		}, Pass, "0%", ""},
		{"not visible in time", "", "invisible_after{after=1s}", "10%", func(r *run) {
			rewritten(r).readings(1, sec, "b", 2).readings(1, 2*sec, "a", 1)
		}, Fail, "50%", "first: write of e/w due at 1s acknowledged, but a read sent 1s later or later still returned something older"},
		{"nobody read so late", "", "invisible_after{after=5s}", "0", func(r *run) { rewritten(r).readings(1, 3*sec, "a", 1) },
			Inconclusive, "", "no key was read 5s or more after an acknowledged write"},

		{"another instance may be behind", "", "version_regressions", "0", func(r *run) {
			r.add(answer(results.OpRead, 3*sec, "c", 3), by(1, answer(results.OpRead, 4*sec, "b", 2)))
		}, Pass, "0", ""},
		{"not so over all instances", "", "version_regressions{over=all}", "0", func(r *run) {
			r.add(answer(results.OpRead, 3*sec, "c", 3), by(1, answer(results.OpRead, 4*sec, "b", 2)))
		}, Fail, "1", "version 2 after version 3"},
		{"versions go forward over all instances", "", "version_regressions{over=all}", "0", nil, Pass, "0", ""},
		{"an order was found", "", "nonlinearizable_keys", "0", func(r *run) { r.searched(results.Linearizability{Keys: 3}) }, Pass, "0", ""},
		{"there is none for a key", "", "nonlinearizable_keys", "0", func(r *run) {
			r.searched(results.Linearizability{Keys: 3, Violated: []results.FlagID{{Environment: "e", Key: "w"}}, Undecided: []results.FlagID{{Environment: "e", Key: "v"}}})
		}, Fail, "1", "first: e/w"},
		{"the limit came before an order", "", "nonlinearizable_keys", "0", func(r *run) {
			r.searched(results.Linearizability{Keys: 3, Undecided: []results.FlagID{{Environment: "e", Key: "w"}}, Limit: 30 * sec})
		}, Inconclusive, "", "1 of 3 keys were not decided within 30s"},
		{"nothing to put into an order", "", "nonlinearizable_keys", "0", func(r *run) { r.searched(results.Linearizability{}) }, Inconclusive, "", "no key was both written to and read"},
		{"nobody searched for an order", "", "nonlinearizable_keys", "0", nil, Inconclusive, "", "nobody searched"},

		{"one answer over all instances", "", "version_regressions{over=all}", "0", func(r *run) { r.drop(ms, 15*sec) }, Inconclusive, "", "no two answers"},
	}
}
