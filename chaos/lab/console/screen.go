package console

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Of a Screen: how often its table is shown anew, and how many lines the rest of the
// terminal must have.
const (
	refreshTime = time.Second
	leastRest   = 4
)

// A Screen is a terminal with a table at its top that does not scroll. The rest is
// a terminal as before. It needs one that understands what a VT102 does (scrolling
// regions, inserting lines), as all of today do.
type Screen struct {
	out  io.Writer
	size func() (width, height int, err error)

	mu       sync.Mutex
	reserved int // lines of the table; 0: none is shown
	height   int // of the terminal, when they were reserved
}

// NewScreen returns the screen of the terminal out. It writes nothing yet. size is
// asked each time that a table is shown; it may write to the Screen.
func NewScreen(out io.Writer, size func() (width, height int, err error)) *Screen {
	return &Screen{out: out, size: size}
}

// Write writes to the part that scrolls.
func (s *Screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(b)
}

// Show shows lines as the table, cut to the terminal's width, and leaves the cursor
// where it is. In a terminal with too few lines for both it shows nothing.
func (s *Screen) Show(lines []string) error {
	width, height, err := s.size()
	if err != nil {
		return fmt.Errorf("asking for the size of the terminal: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	lines = append(lines, strings.Repeat("-", width))
	var b strings.Builder
	if len(lines) != s.reserved || height != s.height {
		s.reserve(&b, len(lines), height)
	}
	b.WriteString("\x1b7") // remember the cursor
	for i, line := range lines[:s.reserved] {
		fmt.Fprintf(&b, "\x1b[%d;1H%.*s\x1b[K", i+1, width, line)
	}
	b.WriteString("\x1b8") // and go back to it
	_, err = io.WriteString(s.out, b.String())
	return err
}

// reserve takes n lines at the top from what scrolls. What is on the screen moves
// down the first time, and out of it at the top where there is no room.
func (s *Screen) reserve(b *strings.Builder, n, height int) {
	if height < n+leastRest {
		if s.reserved > 0 {
			b.WriteString("\x1b7\x1b[r\x1b8")
		}
		s.reserved, s.height = 0, height
		return
	}
	if more := n - s.reserved; more > 0 {
		// Below the cursor there is room for what moves down, then it is moved.
		fmt.Fprintf(b, "\x1b7\x1b[r\x1b8%s\x1b[%dA\x1b7\x1b[H\x1b[%dL\x1b8\x1b[%dB", strings.Repeat("\n", more), more, more, more)
	}
	s.reserved, s.height = n, height
	fmt.Fprintf(b, "\x1b7\x1b[%d;%dr\x1b8", n+1, height)
}

// Close gives the whole terminal back, at the beginning of a line. The table stays as it is until it is
// scrolled away.
func (s *Screen) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reserved == 0 {
		return nil
	}
	s.reserved = 0
	_, err := io.WriteString(s.out, "\x1b7\x1b[r\x1b8\r\n")
	return err
}

// Watch shows a line about each link on s, and refreshes it about each second,
// until ctx is done or s cannot be written to.
func (c *Console) Watch(ctx context.Context, s *Screen) error {
	tick := time.NewTicker(refreshTime)
	defer tick.Stop()
	for {
		table := c.table(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err := s.Show(table); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
