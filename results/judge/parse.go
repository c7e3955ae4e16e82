package judge

import (
	"fmt"
	"slices"
	"strings"

	"brownout/results"
)

// Parse reads an expectation as a scenario writes it: a key such as p99 or
// p99{op=read,source=hit}, and a bound such as 25ms or ">= 95%". A bound without
// an operator means the kind's Comparison. scope is where it stands: Phase or Run.
func Parse(key, text string, scope Scope) (results.Expectation, error) {
	e := results.Expectation{Text: key + ": " + text}
	name, braces, err := splitKey(key)
	if err != nil {
		return e, err
	}
	kind, err := find(name, scope)
	if err != nil {
		return e, err
	}
	e.Figure = name
	if e.Where, err = kind.parseWhere(braces); err != nil {
		return e, err
	}
	e.Op, e.Bound, err = kind.parseBound(text)
	return e, err
}

// splitKey splits p99{op=read} into p99 and op=read.
func splitKey(key string) (name, braces string, err error) {
	name, rest, found := strings.Cut(strings.TrimSpace(key), "{")
	name = strings.TrimSpace(name)
	if !found {
		return name, "", nil
	}
	braces, closed := strings.CutSuffix(rest, "}")
	if !closed || strings.ContainsAny(braces, "{}") || strings.TrimSpace(braces) == "" {
		return "", "", fmt.Errorf("%q is not a figure; want for example p99{op=read}", key)
	}
	return name, braces, nil
}

func find(name string, scope Scope) (Kind, error) {
	kind, ok := kindOf(name)
	switch {
	case !ok:
		if near := Nearest(name, names(Phase|Run)); near != "" {
			return kind, fmt.Errorf("unknown figure %q; did you mean %s?", name, near)
		}
		return kind, fmt.Errorf("unknown figure %q; there are %s", name, strings.Join(names(scope), ", "))
	case kind.Scope&scope == 0 && scope == Run:
		return kind, fmt.Errorf("%s is a figure of a phase and cannot stand in always; there are %s", name, strings.Join(names(Run), ", "))
	case kind.Scope&scope == 0:
		return kind, fmt.Errorf("%s is a figure of the whole run; put it in always", name)
	}
	return kind, nil
}

func (k Kind) parseWhere(braces string) (map[string]string, error) {
	if braces == "" {
		if k.Required {
			return nil, fmt.Errorf("%s needs a %s; write for example %s{%s=%s}", k.Name, k.Labels[0], k.Name, k.Labels[0], labelValues(k.Labels[0])[0])
		}
		return nil, nil
	}
	if len(k.Labels) == 0 {
		return nil, fmt.Errorf("%s takes no selector; write %s alone", k.Name, k.Name)
	}
	where := map[string]string{}
	for part := range strings.SplitSeq(braces, ",") {
		label, value, _ := strings.Cut(part, "=")
		label, value = strings.TrimSpace(label), strings.TrimSpace(value)
		switch {
		case !slices.Contains(k.Labels, label):
			return nil, fmt.Errorf("%s cannot be selected by %q; there are %s", k.Name, label, strings.Join(k.Labels, ", "))
		case !slices.Contains(labelValues(label), value):
			return nil, fmt.Errorf("unknown %s %q; there are %s", label, value, strings.Join(labelValues(label), ", "))
		case where[label] != "":
			return nil, fmt.Errorf("%s selects by %s twice", k.Name, label)
		}
		where[label] = value
	}
	return where, nil
}

// labelValues returns what a label of a selector can be.
func labelValues(label string) []string {
	switch label {
	case "op":
		return []string{string(results.OpRead), string(results.OpWrite)}
	case "source":
		return []string{string(results.SourceHit), string(results.SourceStale), string(results.SourceMiss), string(results.SourceBypass)}
	case "link":
		return results.LinkNames()
	case "times":
		return timesCalm()
	case "q":
		return quantileNames()
	case "after":
		return []string{"1s", "5s", "60s"}
	case "over":
		return []string{overAll}
	case "time":
		return []string{timeService, timeLateness}
	}
	return nil
}

func (k Kind) parseBound(text string) (op string, bound float64, err error) {
	rest := strings.TrimSpace(text)
	op = k.Comparison
	for _, o := range []string{"<=", ">=", "==", "<", ">"} { // longer ones first
		if after, ok := strings.CutPrefix(rest, o); ok {
			op, rest = o, strings.TrimSpace(after)
			break
		}
	}
	if strings.HasPrefix(rest, "=") {
		return "", 0, fmt.Errorf("%s: unknown comparison in %q; there are <=, <, >=, >, ==", k.Name, text)
	}
	bound, err = k.Unit.parse(rest)
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w", k.Name, err)
	}
	return op, bound, k.checkBound(op, bound, text)
}

// checkBound rejects a bound that every run keeps or none does.
func (k Kind) checkBound(op string, bound float64, text string) error {
	all := op == ">=" && bound == 0 || k.Unit == Share && op == "<=" && bound == 1
	none := op == "<" && bound == 0 || k.Unit == Share && op == ">" && bound == 1
	switch {
	case all:
		return fmt.Errorf("%s: every run keeps %q; want a bound that can be missed", k.Name, text)
	case none:
		return fmt.Errorf("%s: no run keeps %q; want a bound that can be kept", k.Name, text)
	}
	return nil
}

// holds reports whether value keeps the bound.
func holds(op string, value, bound float64) bool {
	switch op {
	case "<=":
		return value <= bound
	case "<":
		return value < bound
	case ">=":
		return value >= bound
	case ">":
		return value > bound
	case "==":
		return value == bound
	}
	return false
}
