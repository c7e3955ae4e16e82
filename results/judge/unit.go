package judge

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A Unit is what a figure is counted in.
type Unit string

// The units. A value is a float64 in the base of its unit.
const (
	Seconds   Unit = "seconds"    // 0.025, written 25ms
	Count     Unit = "count"      // 3
	Share     Unit = "share"      // from 0 to 1, written 95%
	PerSecond Unit = "per second" // 400, written 400/s
	Ratio     Unit = "ratio"      // 1.2
	Bytes     Unit = "bytes"      // 64e6, written 64MB
)

// example shows how a value of the unit is written.
func (u Unit) example() string {
	switch u {
	case Seconds:
		return "a duration, for example 25ms"
	case Count:
		return "a whole number, for example 0"
	case Share:
		return "a percentage, for example 95%"
	case Ratio:
		return "a number, for example 1.2"
	case Bytes:
		return "a size, for example 64MB"
	}
	return "a rate, for example 400/s"
}

// parse reads a value as a scenario writes it. The number 0 needs no unit.
func (u Unit) parse(text string) (float64, error) {
	wrong := fmt.Errorf("%q is not %s", text, u.example())
	var value float64
	var err error
	switch {
	case text == "0":
		return 0, nil
	case u == Seconds:
		var d time.Duration
		d, err = time.ParseDuration(text)
		value = d.Seconds()
	case u == Count:
		var n uint64
		n, err = strconv.ParseUint(text, 10, 32)
		value = float64(n)
	case u == Ratio:
		value, err = strconv.ParseFloat(text, 64)
	case u == Bytes:
		value, err = parseBytes(text)
	default:
		suffix, per := "/s", 1.0
		if u == Share {
			suffix, per = "%", 100
		}
		number, ok := strings.CutSuffix(text, suffix)
		if !ok {
			return 0, wrong
		}
		value, err = strconv.ParseFloat(strings.TrimSpace(number), 64)
		value /= per
	}
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, wrong
	}
	if value < 0 || u == Share && value > 1 {
		return 0, fmt.Errorf("%s is out of range; want %s", text, u.example())
	}
	return value, nil
}

// Format writes a value of the unit for people, with three digits that matter.
func (u Unit) Format(value float64) string {
	switch u {
	case Seconds:
		return formatSeconds(value)
	case Count:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case Share:
		return formatShare(value)
	case Ratio:
		return digits(value)
	case Bytes:
		return formatBytes(value)
	}
	return digits(value) + "/s"
}

func formatSeconds(s float64) string {
	switch abs := math.Abs(s); {
	case abs == 0:
		return "0 ms"
	case abs < 0.9995e-3:
		return digits(s*1e6) + " µs"
	case abs < 0.9995:
		return digits(s*1e3) + " ms"
	}
	return digits(s) + " s"
}

// byteUnits are the units of sizes, the largest first. B stands last: the others end
// in it.
func byteUnits() []struct {
	name string
	size float64
} {
	return []struct {
		name string
		size float64
	}{{"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}}
}

func parseBytes(text string) (float64, error) {
	for _, u := range byteUnits() {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			return value * u.size, err
		}
	}
	return 0, strconv.ErrSyntax
}

func formatBytes(value float64) string {
	for _, u := range byteUnits() {
		if math.Abs(value) >= u.size {
			return digits(value/u.size) + " " + u.name
		}
	}
	return digits(value) + " B"
}

// formatShare never rounds up to 100% or down to 0%: the difference between all
// and nearly all is what people look for.
func formatShare(value float64) string {
	text := strconv.FormatFloat(value*100, 'f', 1, 64)
	switch {
	case text == "100.0" && value < 1:
		return "> 99.9%"
	case text == "0.0" && value > 0:
		return "< 0.1%"
	}
	return strings.TrimSuffix(text, ".0") + "%"
}

// digits writes three digits that matter, and all of a whole number's.
func digits(v float64) string {
	switch abs := math.Abs(v); {
	case abs == math.Trunc(abs) && abs < 1e15:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case abs < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case abs < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}
