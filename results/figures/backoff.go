package figures

import (
	"math"
	"slices"
	"time"
)

// A Shape is what the pauses between failing attempts look like.
type Shape string

// The shapes.
const (
	ShapeNone      Shape = ""               // too few pauses
	ShapeTight     Shape = "tight loop"     // no pause worth the name
	ShapeFixed     Shape = "fixed interval" // pauses that do not grow
	ShapeGrowing   Shape = "exponential"    // each is the one before times a factor, up to a cap
	ShapeUnclear   Shape = "unclear"        // they vary too much to tell whether they grow
	ShapeIrregular Shape = "irregular"      // they vary more than jitter does: attempts that come as requests do
)

// A Backoff is what a client's pauses between attempts that failed tell of its rule.
type Backoff struct {
	Shape    Shape
	Attempts int             // in the row
	Pauses   []time.Duration // in order
	Base     time.Duration   // the first pause by the fit; of a jittered one its middle
	Factor   float64         // from pause to pause until the cap; 1 unless ShapeGrowing
	Longest  time.Duration   // of the pauses
	// Jitter is the standard deviation of the pauses about the fit, as a share of it; of
	// those at the cap alone, when they are enough, because the first attempts of a row
	// may be those of requests that nobody has told yet. 0.58 of a pause drawn from 0 to all of it ("full jitter"), 0.19 from half to all
	// of it ("equal jitter"), 0.115 of ±20 %. 0 of a tight loop.
	Jitter float64
}

// A Patience says what makes a row of attempts worth a fit.
type Patience struct {
	Least int           // pauses that are needed
	Tight time.Duration // a loop of which three of four pauses are shorter is tight
	Round time.Duration // attempts closer than this are one: a pool's connections, together
}

// BackoffOf recovers the rule of one client's backoff from the longest row of attempts
// none of which was answered.
//
// A pause is the time from the end of an attempt to the beginning of the next, so that
// a connect timeout is not taken for backoff; of an attempt that the next did not wait
// for, from its beginning. Attempts made together are one.
//
// The logarithms of the pauses are fitted by a constant, by a line, and by a line that
// becomes constant at every possible place (the cap), each by least squares. The model
// with the least Bayesian information criterion wins. Growth must be that much more
// likely than none (evidence), and must at least double the pause. No growth is only
// told when it would have shown: when a first pause of half the others would be out of
// the ordinary, or the first one is more than half of the longest. Otherwise a few short
// pauses before many long ones cannot be told from jitter, and the shape is unclear.
func BackoffOf(attempts []Attempt, p Patience) Backoff {
	row := longestRow(attempts)
	b := Backoff{Attempts: len(row), Factor: 1, Pauses: pauses(row, p.Round)}
	if len(b.Pauses) > 0 {
		b.Longest = slices.Max(b.Pauses)
	}
	switch {
	case len(row) <= p.Least:
		return b
	case tight(row, b.Pauses, p):
		b.Shape = ShapeTight
	case len(b.Pauses) >= p.Least:
		b.fit(p.Least)
	}
	return b
}

// longestRow returns the longest row of attempts of which none was answered.
func longestRow(attempts []Attempt) []Attempt {
	var longest []Attempt
	first := 0
	for i := range attempts {
		if attempts[i].Answered {
			first = i + 1
		} else if i+1-first > len(longest) {
			longest = attempts[first : i+1]
		}
	}
	return longest
}

// pauses returns the pauses between rounds of attempts.
func pauses(row []Attempt, round time.Duration) []time.Duration {
	var all []time.Duration
	began, ended, last := time.Duration(0), time.Duration(0), time.Duration(0) // of the round; its last attempt
	for i, a := range row {
		if i > 0 && a.At-last >= round {
			from := began
			if ended > 0 && ended <= a.At {
				from = ended
			}
			all = append(all, a.At-from)
			began, ended = a.At, 0
		} else if i == 0 {
			began = a.At
		}
		last, ended = a.At, max(ended, a.Ended)
	}
	return all
}

// tight reports whether attempts follow each other without a pause worth the name. A
// single round of a pool does not: it is over at once.
func tight(row []Attempt, pauses []time.Duration, p Patience) bool {
	if len(pauses) == 0 {
		return row[len(row)-1].At-row[0].At >= 10*p.Tight
	}
	sorted := slices.Sorted(slices.Values(pauses))
	return Quantile(sorted, 0.75) < p.Tight && row[len(row)-1].At-row[0].At >= 10*p.Tight
}

// mostJitter is more than any jitter varies: pauses drawn from nothing to all have 0.58,
// the gaps between independent requests 1.
const mostJitter = 0.85

// How much more likely growth must be than none, as a difference of information
// criteria (6 is strong evidence: Kass and Raftery, 1995), and how late timers are, as a
// share of the pause: nothing fits better than that.
const (
	evidence = 6
	timers   = 0.02
)

// fit finds the rule of the pauses. least of them are enough for their jitter.
func (b *Backoff) fit(least int) {
	logs := make([]float64, len(b.Pauses))
	for i, p := range b.Pauses {
		logs[i] = math.Log(max(p.Seconds(), 1e-6))
	}
	still := fitTo(logs, 0)
	best := still
	for grows := 2; grows <= len(logs); grows++ {
		if m := fitTo(logs, grows); m.slope > 0 && m.badness < best.badness {
			best = m
		}
	}
	growth := math.Exp(best.slope * float64(best.grows-1))
	switch {
	case best.grows > 0 && growth >= 2 && still.badness-best.badness >= evidence:
		b.Shape, b.Factor = ShapeGrowing, math.Exp(best.slope)
	case still.varies() <= math.Ln2/3 || b.Pauses[0] > b.Longest/2:
		b.Shape = ShapeFixed
	default:
		b.Shape = ShapeUnclear
	}
	b.Jitter = best.spread(logs, least)
	if b.Shape != ShapeGrowing {
		best, b.Jitter = still, min(b.Jitter, still.spread(logs, least))
	}
	if b.Jitter > mostJitter {
		b.Shape, b.Factor = ShapeIrregular, 1
	}
	b.Base = time.Duration(math.Exp(best.at(0)) * float64(time.Second))
}

// A model of logarithms: they grow from first by slope over the first grows of them,
// and are level after that. grows 0 is level throughout.
type model struct {
	n, grows         int
	first, slope     float64
	level            float64
	squares, badness float64
}

func fitTo(logs []float64, grows int) model {
	m := model{n: len(logs), grows: grows, level: mean(logs[grows:])}
	parameters := 1.0
	if grows > 0 {
		m.first, m.slope = leastSquares(logs[:grows])
		parameters = 2
		if grows < len(logs) {
			parameters = 4 // the level, and where it begins
			if m.level < m.at(grows-1) {
				m.slope = 0 // a cap below what it caps is none
			}
		}
	}
	for i, y := range logs {
		m.squares += (y - m.at(i)) * (y - m.at(i))
	}
	n := float64(m.n)
	m.badness = n*math.Log(m.squares/n+timers*timers) + parameters*math.Log(n)
	return m
}

func (m model) at(i int) float64 {
	if i >= m.grows {
		return m.level
	}
	return m.first + m.slope*float64(i)
}

// varies is the standard deviation of the logarithms about the model.
func (m model) varies() float64 { return math.Sqrt(m.squares/float64(m.n) + timers*timers) }

// spread is the coefficient of variation of the pauses divided by the model's, of the
// level ones alone if there are least of them.
func (m model) spread(logs []float64, least int) float64 {
	var shares []float64
	for i, y := range logs {
		if i >= m.grows || m.n-m.grows < least {
			shares = append(shares, math.Exp(y-m.at(i)))
		}
	}
	middle, squares := mean(shares), 0.0
	for _, s := range shares {
		squares += (s - middle) * (s - middle)
	}
	return math.Sqrt(squares/float64(len(shares))) / middle
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / max(1, float64(len(values)))
}

// leastSquares fits values at 0, 1, 2, … by a line.
func leastSquares(values []float64) (first, slope float64) {
	middle, at := mean(values), float64(len(values)-1)/2
	var products, squares float64
	for i, v := range values {
		x := float64(i) - at
		products += x * (v - middle)
		squares += x * x
	}
	slope = products / squares
	return middle - slope*at, slope
}
