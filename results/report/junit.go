package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"brownout/results/judge"
)

// The JUnit XML that CI systems read has no schema of its own; this is the part
// of it that all of them know.
type junitSuites struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Timestamp string      `xml:"timestamp,attr,omitempty"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"` // seconds
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string       `xml:"classname,attr"`
	Name    string       `xml:"name,attr"`
	Time    string       `xml:"time,attr"`
	Failure *junitResult `xml:"failure"`
	Error   *junitResult `xml:"error"`
	Skipped *junitResult `xml:"skipped"`
}

type junitResult struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes the cases as JUnit XML, one test case a scenario: fail is a
// failure, invalid an error, and inconclusive a skipped test with its reason.
func JUnit(w io.Writer, cases []Case) error {
	suite := junitSuite{Name: "brownout", Tests: len(cases)}
	var total time.Duration
	for i, c := range cases {
		if started := c.Recording.Manifest.Started; i == 0 && !started.IsZero() {
			suite.Timestamp = started.UTC().Format("2006-01-02T15:04:05")
		}
		total += c.length()
		suite.add(c)
	}
	suite.Time = seconds(total)
	data, err := xml.MarshalIndent(junitSuites{Suite: suite}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding JUnit XML: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, data)
	return err
}

func (s *junitSuite) add(c Case) {
	j := c.Judgment
	one := junitCase{Class: "brownout", Name: j.Scenario, Time: seconds(c.length())}
	result := &junitResult{Message: j.Why, Type: j.Verdict.String(), Text: details(j)}
	switch j.Verdict {
	case judge.Pass:
	case judge.Fail:
		s.Failures++
		one.Failure = result
	case judge.Invalid:
		s.Errors++
		one.Error = result
	default:
		s.Skipped++
		result.Type = "" // the attribute is unknown there
		one.Skipped = result
	}
	s.Cases = append(s.Cases, one)
}

// details lists everything that did not pass, one finding a line.
func details(j judge.Judgment) string {
	var lines strings.Builder
	for _, f := range append(append([]judge.Finding(nil), j.Checks...), j.Findings...) {
		if f.Verdict != judge.Pass {
			fmt.Fprintf(&lines, "\n%s  %s  %s: %s", f.Verdict, where(f), f.Expectation, explain(f))
		}
	}
	return lines.String() + "\n"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
