package run

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tellWithin bounds how long a target may take to tell its metrics. One that is busy
// tells at another look.
const tellWithin = 100 * time.Millisecond

// mostMetrics bounds what is read of them, in bytes.
const mostMetrics = 4 << 20

// goroutines asks the target for go_goroutines, a metric that every Go client of
// Prometheus has; 0: it did not tell.
func (t *target) goroutines(ctx context.Context) int {
	if t.metrics == "" {
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	n, err := askGoroutines(ctx, t.base+t.metrics)
	if err != nil {
		return 0 // the judge says what it means that nothing was told
	}
	return n
}

func askGoroutines(ctx context.Context, url string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, fmt.Errorf("asking for metrics: %w", err)
	}
	r.Close = true // a connection for each look: none is left at the end, nor kept open in the target
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return 0, fmt.Errorf("asking for metrics: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("asking %s for metrics: status %s", url, resp.Status)
	}
	return readGoroutines(io.LimitReader(resp.Body, mostMetrics))
}

// readGoroutines finds one line in Prometheus' text format. The parser of
// prometheus/common v0.62.0 is not used: it panics when it is given JSON.
func readGoroutines(text io.Reader) (int, error) {
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		value, found := strings.CutPrefix(lines.Text(), "go_goroutines ")
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			return 0, fmt.Errorf("reading metrics: go_goroutines: %w", err)
		}
		return int(n), nil
	}
	if err := lines.Err(); err != nil {
		return 0, fmt.Errorf("reading metrics: %w", err)
	}
	return 0, errors.New("reading metrics: there is no go_goroutines")
}
