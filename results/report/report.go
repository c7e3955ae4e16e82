// Package report shows people and other tools what was judged.
//
// The one idea: a report decides nothing. Every number comes from
// results/figures and every verdict from results/judge, so the terminal, the
// verdict file and the CI file of one run cannot disagree.
package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"brownout/results"
	"brownout/results/judge"
)

// VerdictFile is the name of the judgement in a run folder.
const VerdictFile = "verdict.json"

// WriteVerdict writes the judgement into the run folder dir.
func WriteVerdict(dir string, j judge.Judgment) error {
	return results.WriteJSON(dir, VerdictFile, j)
}

// ReadVerdict reads the judgement of the run folder dir, errors.Is(err,
// fs.ErrNotExist) when there is none. A default that an older brownout did not know
// is Standard's.
func ReadVerdict(dir string) (judge.Judgment, error) {
	j := judge.Judgment{Defaults: judge.Standard()}
	data, err := os.ReadFile(filepath.Join(dir, VerdictFile))
	if err == nil {
		err = json.Unmarshal(data, &j)
	}
	if err != nil {
		return judge.Judgment{}, fmt.Errorf("reading the verdict of %s: %w", dir, err)
	}
	return j, nil
}

// A Case is one judged run.
type Case struct {
	Recording *results.Recording
	Judgment  judge.Judgment
}

// length returns how long the load went on.
func (c Case) length() time.Duration {
	var end time.Duration
	for _, e := range c.Recording.Events {
		if e.Kind == results.EventEnd {
			end = e.At
		}
	}
	for _, h := range c.Recording.Hits {
		end = max(end, h.Done)
	}
	return end
}
