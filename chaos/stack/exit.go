package stack

import (
	"io"
	"os"
	"strings"
	"syscall"
)

// An ExitError says that a process ended without having been asked to.
type ExitError struct {
	Name string // of the process
	How  string // "exit status 1", "signal: killed"
	Tail string // the end of its log on one line; may be empty
}

func (e *ExitError) Error() string {
	text := e.Name + " ended unasked (" + e.How + ")"
	if e.Tail == "" {
		return text + " and logged nothing"
	}
	return text + "; its log ends: " + e.Tail
}

// portTaken reports whether a server ended because its port was in use.
func (e *ExitError) portTaken() bool {
	return strings.Contains(strings.ToLower(e.Tail), strings.ToLower(syscall.EADDRINUSE.Error()))
}

// The part of a log that goes into an error.
const (
	tailBytes = 2048
	tailLines = 5
)

// tail returns the end of a log on one line. Only what follows offset counts:
// the rest was written by an earlier process. A log that cannot be read is empty:
// the error that it would explain is of more interest.
func tail(path string, offset int64) string {
	if path == "" {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	start := max(offset, info.Size()-tailBytes)
	data, err := io.ReadAll(io.NewSectionReader(f, start, tailBytes))
	if err != nil {
		return ""
	}
	return lastLines(string(data))
}

func lastLines(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(len(lines)-tailLines, 0):], " | ")
}
