// Package results defines what one run writes down and how it is read back.
//
// It is the vocabulary at the bottom of the house: load and faults meet here and
// nowhere else. A run is a folder of streams (hits, events, samples) and one
// manifest. Every time in it is an offset from the start of the run, on one
// monotonic clock. Figures, verdicts and reports are derived from these files by
// the packages below this one; nothing here computes.
//
// The streams are JSON lines, flushed as they come, so that a killed run stays
// readable up to its last whole line.
//
// Note: one JSON document per run was tried first on paper. A killed run would
// have left nothing readable.
package results
