package judge

import (
	"fmt"
	"slices"
	"strings"

	"brownout/results"
)

// A Scope says what a figure is taken of.
type Scope int

// The scopes; a kind may have both.
const (
	Phase Scope = 1 << iota // one phase: expect and require
	Run                     // the whole run: always
)

// A Need is something that answers must say for a figure to be judged.
type Need string

// The needs.
const (
	NeedToken  Need = "token"
	NeedValue  Need = "token or version"
	NeedVers   Need = "version"
	NeedSource Need = "source"
	NeedWrites Need = "writes"
)

func (n Need) met(t results.Tells) bool {
	switch n {
	case NeedToken:
		return t.Token
	case NeedValue:
		return t.Token || t.Version
	case NeedVers:
		return t.Version
	case NeedSource:
		return t.Source
	}
	return t.Writes
}

// missing says the need as a reason.
func (n Need) missing() string {
	if n == NeedWrites {
		return "the target cannot be written to"
	}
	return fmt.Sprintf("the target does not say the %s of its answers", n)
}

// A Kind is a kind of figure that an expectation can bound.
type Kind struct {
	Name       string
	Unit       Unit
	Scope      Scope
	Comparison string   // what a bound without an operator means
	Labels     []string // what can stand in braces: "op", "source", "link", …
	Required   bool     // the one label must be given
	Needs      []Need
	Doc        string // the definition

	measure func(question) reading
}

// Kinds lists the kinds of figure in the order of the documentation.
func Kinds() []Kind {
	return slices.Concat(latencyKinds(), overKinds(), loadKinds(), dependencyKinds(), resourceKinds(), recoveryKinds(), stepKinds(), answerKinds())
}

// A quantile by the name that expectations give it.
type quantile struct {
	name string
	q    float64
}

func quantiles() []quantile {
	return []quantile{{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}, {"p9999", 0.9999}}
}

func quantileNames() []string {
	var all []string
	for _, q := range quantiles() {
		all = append(all, q.name)
	}
	return all
}

// quantileOf returns the quantile called name, and the maximum if there is none.
func quantileOf(name string) float64 {
	for _, q := range quantiles() {
		if q.name == name {
			return q.q
		}
	}
	return 1
}

func latencyKinds() []Kind {
	var kinds []Kind
	for _, q := range append(quantiles(), quantile{"max", 1}) {
		doc := fmt.Sprintf("the %g-quantile of latency (from due to done) by nearest rank; failed hits count with the time they took", q.q)
		if q.q == 1 {
			doc = "the greatest latency (from due to done), failed hits included"
		}
		doc += "; time=service counts from sent to done, time=lateness from due to sent; after=1s leaves out what is due in the first second of the phase"
		kinds = append(kinds, Kind{
			Name: q.name, Unit: Seconds, Scope: Phase, Comparison: "<=", Labels: []string{"op", "source", "time", "after"},
			Doc: doc, measure: latency(q.q),
		})
	}
	return kinds
}

func loadKinds() []Kind {
	op := []string{"op"}
	return []Kind{
		{Name: "errors", Unit: Count, Scope: Phase | Run, Comparison: "<=", Labels: op, measure: errorCount,
			Doc: "reads and writes that failed"},
		{Name: "error_rate", Unit: Share, Scope: Phase | Run, Comparison: "<=", Labels: op, measure: errorRate,
			Doc: "the share of reads and writes that failed"},
		{Name: "goodput", Unit: PerSecond, Scope: Phase, Comparison: ">=", Labels: op, measure: goodput,
			Doc: "good answers to hits due in the phase, per second"},
		{Name: "cache_hits", Unit: Share, Scope: Phase, Comparison: ">=", Needs: []Need{NeedSource}, measure: cacheHits,
			Doc: "the share of the reads that say their source which the cache answered; stale answers are not among them"},
		{Name: "answers", Unit: Share, Scope: Phase, Comparison: ">=", Labels: []string{"source"}, Required: true,
			Needs: []Need{NeedSource}, measure: sourceShare,
			Doc: "the share of the reads that say their source which came from the one in braces"},
		{Name: "connects", Unit: PerSecond, Scope: Phase, Comparison: "<=", Labels: []string{"link"}, Required: true, measure: connects,
			Doc: "connection attempts on the link in braces, per second; dials of a closed port cannot be seen"},
		{Name: "commands", Unit: PerSecond, Scope: Phase, Comparison: "<=", Labels: []string{"link"}, Required: true, measure: commands,
			Doc: "commands and queries that reached the dependency behind the link in braces, or were answered in its name, per second"},
		{Name: "database_queries", Unit: PerSecond, Scope: Phase, Comparison: "<=", measure: databaseQueries,
			Doc: "statements that reached the database, BEGIN and COMMIT among them, per second"},
	}
}

func recoveryKinds() []Kind {
	return []Kind{
		{Name: "recovers_within", Unit: Seconds, Scope: Phase, Comparison: "<=", measure: recovery,
			Doc: "from the end of the last fault to the first of several windows in a row without an error"},
		{Name: "cache_back_within", Unit: Seconds, Scope: Phase, Comparison: "<=", Needs: []Need{NeedSource}, measure: cacheBack,
			Doc: "from the end of the last fault to the first of several windows in a row in which the cache answers enough of the reads; failed reads count as not answered by it"},
	}
}

func stepKinds() []Kind {
	return []Kind{
		{Name: "recovers_at", Unit: PerSecond, Scope: Run, Comparison: ">=", measure: recoversAt,
			Doc: "the highest rate of a phase after the last fault in whose second half enough of the answers were good: below the rate before the fault, the target does not come back by itself"},
	}
}

func answerKinds() []Kind {
	return []Kind{
		{Name: "wrong_answers", Unit: Count, Scope: Run, Comparison: "<=", Needs: []Need{NeedToken}, measure: wrongAnswers,
			Doc: "answers with a value that nobody had written to the key by then, with another version than was acknowledged for it, or with none (or 404, 410) although the key had been written to"},
		{Name: "lost_writes", Unit: Count, Scope: Run, Comparison: "<=", Needs: []Need{NeedValue, NeedWrites}, measure: lostWrites,
			Doc: "acknowledged writes that are newer than what their key's readback returned after all faults"},
		{Name: "version_regressions", Unit: Count, Scope: Run, Comparison: "<=", Labels: []string{"over"}, Needs: []Need{NeedVers}, measure: regressions,
			Doc: "answers with a smaller version than another answer of the same key, by the same instance of the target, that was done before they were sent; over=all: by whatever instance"},
		{Name: "staleness", Unit: Seconds, Scope: Run, Comparison: "<=", Labels: []string{"q"}, Needs: []Need{NeedValue, NeedWrites}, measure: staleness,
			Doc: "the greatest time from the acknowledgement of the first write newer than what a read returned to when that read was sent; q=p99: the 0.99-quantile over the reads of keys that had been written to, of which fresh ones count 0"},
		{Name: "versions_behind", Unit: Count, Scope: Run, Comparison: "<=", Needs: []Need{NeedValue, NeedWrites}, measure: versionsBehind,
			Doc: "the greatest number of writes that were acknowledged before a read was sent and are newer than what it returned"},
		{Name: "invisible_after", Unit: Share, Scope: Run, Comparison: "<=", Labels: []string{"after"}, Required: true, Needs: []Need{NeedValue, NeedWrites}, measure: invisibleAfter,
			Doc: "the share of the acknowledged writes that a read or readback sent the time in braces after their acknowledgement, or later, did not see: it returned something older; a write whose key nobody read so late does not count"},
		{Name: results.NonLinearizable, Unit: Count, Scope: Run, Comparison: "<=", Needs: []Need{NeedToken, NeedWrites}, measure: nonLinearizable,
			Doc: "keys whose reads and writes cannot be put into an order, each at a moment between its start and its end, in which every read returns what was written last; searched by porcupine right after the run, within a limit"},
	}
}

// kindOf returns the kind called name.
func kindOf(name string) (Kind, bool) {
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

func names(s Scope) []string {
	var all []string
	for _, k := range Kinds() {
		if k.Scope&s != 0 {
			all = append(all, k.Name)
		}
	}
	return all
}

// Unjudgeable says why no run of a target can be judged by e, or returns "". t is
// what the target's answers say.
func Unjudgeable(e results.Expectation, t results.Tells) string {
	kind, ok := kindOf(e.Figure)
	if !ok {
		return fmt.Sprintf("unknown figure %q", e.Figure)
	}
	needs := kind.Needs
	if e.Where["source"] != "" {
		needs = append(slices.Clone(needs), NeedSource)
	}
	if e.Where["op"] == string(results.OpWrite) {
		needs = append(slices.Clone(needs), NeedWrites)
	}
	var why []string
	for _, n := range needs {
		if !n.met(t) && !slices.Contains(why, n.missing()) {
			why = append(why, n.missing())
		}
	}
	return strings.Join(why, ", and ")
}
