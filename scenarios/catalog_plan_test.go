package scenarios

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brownout/loadtest"
	"brownout/results"
	"brownout/results/judge"
)

// What a file of the catalogue plans has to allow a verdict, before any run.

func catalog(t *testing.T) []*Scenario {
	t.Helper()
	all, err := Catalog()
	if err != nil {
		t.Fatalf("Catalog: %v", err)
	}
	return all
}

// A target that answers nothing must not use up the generator's workers: hits
// would be sent late, and the run would be invalid instead of failed.
func TestAHangingTargetDoesNotMakeTheGeneratorLate(t *testing.T) {
	for _, s := range catalog(t) {
		for _, p := range s.Phases {
			waiting := max(p.Rate.From, p.Rate.To) * s.Load.Timeout.Seconds()
			if waiting > loadtest.DefaultMaxWorkers {
				t.Errorf("%s, phase %s: %.0f requests can wait at one time, want at most %d: lower rate or load.timeout",
					s.Name, p.Name, waiting, loadtest.DefaultMaxWorkers)
			}
		}
	}
}

func TestQuantilesOfTheCatalogueHaveTheirHits(t *testing.T) {
	for _, s := range catalog(t) {
		for _, p := range s.Phases {
			for _, e := range slices.Concat(p.Require, p.Expect) {
				q, ok := quantile(e.Figure)
				if !ok {
					continue
				}
				hits := p.For.Seconds() * (p.Rate.From + p.Rate.To) / 2 * share(s, e)
				if need := float64(judge.Standard().TailHits) / (1 - q); hits < need-0.5 {
					t.Errorf("%s, phase %s: %s is of about %.0f hits, want at least %.0f", s.Name, p.Name, e.Text, hits, need)
				}
			}
		}
	}
}

// quantile reads p99 as 0.99; max needs no number of hits.
func quantile(figure string) (q float64, ok bool) {
	digits, isP := strings.CutPrefix(figure, "p")
	q, err := strconv.ParseFloat("0."+digits, 64)
	return q, isP && err == nil
}

// share is about how much of the load an expectation speaks of: at the least, with
// a cache that is well.
func share(s *Scenario, e results.Expectation) float64 {
	reads := s.Load.Reads
	switch {
	case e.Where["source"] == string(results.SourceHit):
		return reads * 0.85
	case e.Where["source"] != "":
		return reads * 0.02
	case e.Where["op"] == string(results.OpRead):
		return reads
	case e.Where["op"] == string(results.OpWrite):
		return 1 - reads
	}
	return 1
}

// longestBench is how long make bench may take; beside its load a scenario needs
// about a second.
const longestBench = 150 * time.Second

func TestEveryScenarioIsRunByOneTargetOfMake(t *testing.T) {
	var bench time.Duration
	for _, s := range catalog(t) {
		inBench := slices.Contains(s.Tags, "bench")
		if inBench == slices.Contains(s.Tags, "full") {
			t.Errorf("%s has the tags %q, want one of bench and full among them", s.Name, s.Tags)
		}
		if inBench {
			bench += s.Duration() + time.Second
		}
	}
	if bench > longestBench {
		t.Errorf("the scenarios tagged bench take %v, want at most %v: tag some of them full", bench, longestBench)
	}
}
