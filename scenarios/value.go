package scenarios

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The methods below turn a leaf into a value. A leaf that is missing gives the
// default; a wrong one is a problem and gives the default as well, so that the
// rest of the file is still looked at.

func (p *problems) word(s scalar, fallback string, allowed ...string) string {
	switch {
	case !s.given():
		return fallback
	case slices.Contains(allowed, s.text):
		return s.text
	}
	p.add(s.at, "%q is not known here; there are %s", s.text, strings.Join(allowed, ", "))
	return fallback
}

func (p *problems) duration(s scalar, fallback time.Duration) time.Duration {
	if !s.given() {
		return fallback
	}
	d, err := time.ParseDuration(s.text)
	if err != nil || d <= 0 {
		p.add(s.at, "%q is not a time; write for example 250ms, 5s or 1m30s", s.text)
		return fallback
	}
	return d
}

// yes reads true and false, which may be written yes and no.
func (p *problems) yes(s scalar) bool {
	switch s.text {
	case "true", "yes":
		return true
	case "false", "no", "":
		return false
	}
	p.add(s.at, "%q is neither yes nor no", s.text)
	return false
}

func (p *problems) count(s scalar, fallback, most int) int {
	if !s.given() {
		return fallback
	}
	n, err := strconv.Atoi(s.text)
	if err != nil || n < 1 || n > most {
		p.add(s.at, "%q is not a whole number from 1 to %d", s.text, most)
		return fallback
	}
	return n
}

func (p *problems) share(s scalar, fallback float64) float64 {
	if !s.given() {
		return fallback
	}
	percent, ok := strings.CutSuffix(s.text, "%")
	f, err := strconv.ParseFloat(percent, 64)
	if !ok || err != nil || f < 0 || f > 100 {
		p.add(s.at, "%q is not a share; write for example 98%%", s.text)
		return fallback
	}
	return f / 100
}

// maxRate bounds a rate well above what one generator can send, so that a slip of
// the keyboard is named.
const maxRate = 100_000

func (p *problems) rate(s scalar, fallback Rate) Rate {
	if !s.given() {
		return fallback
	}
	from, to, ramp := strings.Cut(s.text, " to ")
	a, okA := parseRate(from)
	b, okB := a, okA
	if ramp {
		b, okB = parseRate(to)
	}
	if !okA || !okB || (a == 0 && b == 0) {
		p.add(s.at, "%q is not a rate; write for example 300/s, or a ramp: 100/s to 500/s (at most %d/s)", s.text, maxRate)
		return fallback
	}
	return Rate{a, b}
}

func parseRate(text string) (float64, bool) {
	number, ok := strings.CutSuffix(strings.TrimSpace(text), "/s")
	f, err := strconv.ParseFloat(number, 64)
	return f, ok && err == nil && f >= 0 && f <= maxRate
}

func (p *problems) required(s scalar, key string, at Place) string {
	if s.text == "" {
		if s.given() {
			at = s.at
		}
		p.add(at, "%s is missing", key)
	}
	return s.text
}

// name checks a name that becomes part of file names and of links in reports.
func (p *problems) name(s scalar, at Place) string {
	text := p.required(s, "name", at)
	if text != "" && !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`).MatchString(text) {
		p.add(s.at, "%q is not a name; use small letters, digits and dashes", text)
	}
	return text
}
