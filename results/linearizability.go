package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// A Linearizability is what a search for an order of a run's operations found (see
// results/linear). It is stored because a time limit had a part in it.
type Linearizability struct {
	Keys      int           `json:"keys"`                // that were searched
	Violated  []FlagID      `json:"violated,omitempty"`  // there is no such order
	Undecided []FlagID      `json:"undecided,omitempty"` // the limit came first
	Limit     time.Duration `json:"limit"`               // in nanoseconds
}

// NonLinearizable is the figure for which a run is searched.
const NonLinearizable = "nonlinearizable_keys"

// A FlagID names a flag.
type FlagID struct {
	Environment string `json:"env"`
	Key         string `json:"key"`
}

// fileLinearizability is there when a search was asked for.
const fileLinearizability = "linearizability.json"

// WriteLinearizability puts what a search found into the run folder dir.
func WriteLinearizability(dir string, l Linearizability) error {
	return WriteJSON(dir, fileLinearizability, l)
}

// readLinearizability returns nil when nobody searched.
func readLinearizability(dir string) (*Linearizability, error) {
	data, err := os.ReadFile(filepath.Join(dir, fileLinearizability))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var l Linearizability
	if err := json.Unmarshal(data, &l); err != nil {
		return nil, fmt.Errorf("%s: %w", fileLinearizability, err)
	}
	return &l, nil
}
