package judge

import (
	"fmt"
	"slices"
)

// A Verdict is what a run says of its target. The zero value is Inconclusive:
// nothing passes by being forgotten.
type Verdict int

// The verdicts.
const (
	Inconclusive Verdict = iota // the run does not allow a judgement
	Invalid                     // the harness broke its own promise
	Fail                        // an expectation was missed
	Pass
)

func verdictNames() []string { return []string{"inconclusive", "invalid", "fail", "pass"} }

// String returns the verdict in lower case.
func (v Verdict) String() string {
	if names := verdictNames(); v >= 0 && int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("Verdict(%d)", int(v))
}

// MarshalText writes what String returns.
func (v Verdict) MarshalText() ([]byte, error) {
	if v < Inconclusive || v > Pass {
		return nil, fmt.Errorf("no such verdict: %d", int(v))
	}
	return []byte(v.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (v *Verdict) UnmarshalText(text []byte) error {
	i := slices.Index(verdictNames(), string(text))
	if i < 0 {
		return fmt.Errorf("unknown verdict %q", text)
	}
	*v = Verdict(i)
	return nil
}

// Worst returns the verdict over several scenarios: fail before invalid before
// inconclusive before pass. Of none it is Inconclusive.
func Worst(verdicts ...Verdict) Verdict {
	for _, v := range []Verdict{Fail, Invalid, Inconclusive, Pass} {
		if slices.Contains(verdicts, v) {
			return v
		}
	}
	return Inconclusive
}

// ExitCode returns the exit code of a command that came to v.
func ExitCode(v Verdict) int {
	switch v {
	case Pass:
		return 0
	case Fail:
		return 1
	case Invalid:
		return 4
	}
	return 3
}
