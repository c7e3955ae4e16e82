package chaos

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Form is how the value of a parameter is written.
type Form string

// The forms.
const (
	FormDuration Form = "duration" // 250ms
	FormCount    Form = "count"    // 65536
	FormShare    Form = "share"    // 50%
	FormWord     Form = "word"     // one of Words
	FormYes      Form = "yes"      // true or false
)

// maxCount bounds counts of bytes: a gibibyte a second is more than a link carries.
const maxCount = 1 << 30

// A value is how a field of a Fault is reached.
type value struct {
	Form  Form
	Words []string // those there are; of FormWord only

	given func(Fault) bool
	read  func(*Fault, string) (problem string)
	fits  func(Fault) (problem string) // of a value that was not read
}

// problem is what is wrong with the value of p in f, "" if nothing.
func (p Parameter) problem(f Fault) string {
	if problem := p.fits(f); problem != "" || p.wrong == nil {
		return problem
	}
	return p.wrong(f)
}

// valueOf is the value of a field that parse reads from text.
func valueOf[T comparable](form Form, field func(*Fault) *T, parse func(string) (T, bool), problem string) value {
	return value{
		Form:  form,
		given: func(f Fault) bool { return *field(&f) != *new(T) },
		fits:  func(Fault) string { return "" },
		read: func(f *Fault, text string) string {
			v, ok := parse(text)
			if !ok {
				return fmt.Sprintf("%q%s", text, problem)
			}
			*field(f) = v
			return ""
		},
	}
}

func duration(field func(*Fault) *time.Duration) value {
	return valueOf(FormDuration, field, func(text string) (time.Duration, bool) {
		d, err := time.ParseDuration(text)
		return d, err == nil && d > 0
	}, " is not a time; write for example 250ms, 5s or 1m30s")
}

func count(field func(*Fault) *int) value {
	return valueOf(FormCount, field, func(text string) (int, bool) {
		n, err := strconv.Atoi(text)
		return n, err == nil && 1 <= n && n <= maxCount
	}, fmt.Sprintf(" is not a whole number from 1 to %d", maxCount))
}

func share(field func(*Fault) *float64) value {
	return valueOf(FormShare, field, func(text string) (float64, bool) {
		percent, ok := strings.CutSuffix(text, "%")
		n, err := strconv.ParseFloat(percent, 64)
		return n / 100, ok && err == nil && 0 < n && n <= 100
	}, " is not a share above 0%; write for example 50%")
}

func yes(field func(*Fault) *bool) value {
	return valueOf(FormYes, field, func(text string) (v, ok bool) {
		return text == "true", text == "true" || text == "false"
	}, " is neither true nor false")
}

func word[T ~string](field func(*Fault) *T, words ...T) value {
	var names []string
	for _, w := range words {
		names = append(names, string(w))
	}
	unknown := " is not known here; there are " + strings.Join(names, ", ")
	known := func(text string) (T, bool) { return T(text), slices.Contains(names, text) }
	v := valueOf(FormWord, field, known, unknown)
	v.Words = names
	v.fits = func(f Fault) string {
		if w := *field(&f); w != "" && !slices.Contains(words, w) {
			return fmt.Sprintf("%q%s", w, unknown)
		}
		return ""
	}
	return v
}
