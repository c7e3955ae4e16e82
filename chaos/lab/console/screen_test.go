package console

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"brownout/chaos/stack"
)

// A vt understands as much of a VT102 as a Screen uses.
type vt struct {
	lines       []string
	gone        []string // scrolled out at the top
	row, col    int      // of the cursor, from 0
	savedRow    int
	savedCol    int
	top, bottom int // of the region that scrolls, from 0
}

func newVT(height int) *vt { return &vt{lines: make([]string, height), bottom: height - 1} }

var sequence = regexp.MustCompile(`^\x1b(?:([78])|\[([0-9;]*)([A-Za-z]))`)

func (v *vt) Write(b []byte) (int, error) {
	for text := string(b); text != ""; {
		if m := sequence.FindStringSubmatch(text); m != nil {
			v.control(m[1]+m[3], m[2])
			text = text[len(m[0]):]
			continue
		}
		v.put(text[0])
		text = text[1:]
	}
	return len(b), nil
}

func (v *vt) put(c byte) {
	switch c {
	case '\r':
		v.col = 0
	case '\n':
		if v.row == v.bottom {
			if v.top == 0 {
				v.gone = append(v.gone, v.lines[0])
			}
			copy(v.lines[v.top:v.bottom], v.lines[v.top+1:v.bottom+1])
			v.lines[v.bottom] = ""
		} else if v.row < len(v.lines)-1 {
			v.row++
		}
	default:
		line := v.lines[v.row] + strings.Repeat(" ", max(0, v.col-len(v.lines[v.row])))
		v.lines[v.row] = line[:v.col] + string(c) + line[min(len(line), v.col+1):]
		v.col++
	}
}

func (v *vt) control(name, numbers string) {
	n := []int{0, 0}
	for i, text := range strings.Split(numbers, ";") {
		n[i], _ = strconv.Atoi(text)
	}
	switch name {
	case "7":
		v.savedRow, v.savedCol = v.row, v.col
	case "8":
		v.row, v.col = v.savedRow, v.savedCol
	case "H":
		v.row, v.col = max(0, n[0]-1), max(0, n[1]-1)
	case "A":
		v.row = max(0, v.row-n[0])
	case "B":
		v.row = min(len(v.lines)-1, v.row+n[0])
	case "K":
		v.lines[v.row] = v.lines[v.row][:min(v.col, len(v.lines[v.row]))]
	case "L":
		for range n[0] {
			copy(v.lines[v.row+1:v.bottom+1], v.lines[v.row:v.bottom])
			v.lines[v.row] = ""
		}
	case "r":
		v.top, v.bottom, v.row, v.col = 0, len(v.lines)-1, 0, 0
		if numbers != "" {
			v.top, v.bottom = n[0]-1, n[1]-1
		}
	default:
		panic("a Screen has sent an unknown sequence " + name)
	}
}

func (v *vt) String() string { return strings.Join(v.lines, "|") }

func TestATableStaysAtTheTop(t *testing.T) {
	for _, row := range []struct {
		about         string
		height, lines int // lines on the screen before
		want          []string
	}{
		{"an empty screen", 9, 0, []string{
			"A|B|----|lab> |||||", "C|D|----|lab> |||||", "C|D|----|one|two|lab> |||", "C|D|----|four|five|six|seven|eight|lab> "}},
		{"a full screen: what was at the top is scrolled away", 9, 8, []string{
			"A|B|----|l4|l5|l6|l7|l8|lab> ", "C|D|----|l4|l5|l6|l7|l8|lab> ", "C|D|----|l6|l7|l8|one|two|lab> ", "C|D|----|four|five|six|seven|eight|lab> "}},
		{"too few lines: no table", 6, 0, []string{
			"lab> |||||", "lab> |||||", "one|two|lab> |||", "four|five|six|seven|eight|lab> "}},
	} {
		t.Run(row.about, func(t *testing.T) {
			v := newVT(row.height)
			s := NewScreen(v, func() (int, int, error) { return 4, row.height, nil })
			for i := range row.lines {
				io.WriteString(s, "l"+strconv.Itoa(i+1)+"\r\n")
			}
			io.WriteString(s, "lab> ")
			for i, do := range []func() error{
				func() error { return s.Show([]string{"A", "B"}) },
				func() error { return s.Show([]string{"C", "D"}) },
				func() error { _, err := io.WriteString(s, "\rone  \r\ntwo\r\nlab> "); return err },
				func() error {
					_, err := io.WriteString(s, "\rthree\r\nfour\r\nfive\r\nsix\r\nseven\r\neight\r\nlab> ")
					return err
				},
			} {
				if err := do(); err != nil {
					t.Fatal(err)
				}
				if got := strings.ReplaceAll(v.String(), "one  ", "one"); got != row.want[i] {
					t.Errorf("after step %d: %q, want %q", i, got, row.want[i])
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if v.top != 0 || v.bottom != row.height-1 {
				t.Errorf("after Close lines %d to %d scroll, want all", v.top, v.bottom)
			}
		})
	}
}

func TestATableFollowsTheSizeOfTheTerminal(t *testing.T) {
	v, height, failing := newVT(12), 12, error(nil)
	s := NewScreen(v, func() (int, int, error) { return 6, height, failing })
	show := func() error { return s.Show([]string{"a long line"}) }
	if err := show(); err != nil || v.lines[0] != "a long" || v.bottom != 11 {
		t.Errorf("Show = %v, first line %q, scrolls to %d; want it cut, to 11", err, v.lines[0], v.bottom)
	}
	height = 10
	if err := show(); err != nil || v.top != 2 || v.bottom != 9 {
		t.Errorf("Show in fewer lines = %v, lines %d to %d scroll; want 2 to 9", err, v.top, v.bottom)
	}
	height = 4
	if err := show(); err != nil || v.top != 0 {
		t.Errorf("Show in too few lines = %v, lines from %d scroll; want all", err, v.top)
	}
	failing = errors.New("hung up")
	if err := show(); !errors.Is(err, failing) {
		t.Errorf("Show without a terminal = %v, want why", err)
	}
}

func TestWatchShowsALineAboutEachLink(t *testing.T) {
	c, l, _ := open(t, stack.Replicated)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var out bytes.Buffer
	shown := 0
	s := NewScreen(&out, func() (int, int, error) {
		if shown++; shown == 2 {
			cancel()
		}
		return 100, 40, nil
	})
	if err := c.Watch(ctx, s); err != nil {
		t.Fatal(err)
	}
	status := do(t, c, "status")
	for _, want := range []string{
		`(?m)^cache-1 +cache-1 +1 +\d+ +\d+  primary, replicas: 1$`,
		`(?m)^cache-2 +cache-2 +0 +0 +0  replica, \d+ bytes behind cache-1$`,
		`(?m)^primary +cache-1 +0 +0 +0  primary, replicas: 1$`,
		`(?m)^reader +cache-2 +0 +0 +0  replica, \d+ bytes behind cache-1$`,
	} {
		if !regexp.MustCompile(want).MatchString(status) {
			t.Errorf("status says\n%swant %s", status, want)
		}
		line := strings.TrimSuffix(strings.TrimPrefix(want, "(?m)^"), "$")
		if got := len(regexp.MustCompile(line).FindAllString(out.String(), -1)); got != shown {
			t.Errorf("%d tables have %d lines %s", shown, got, line)
		}
	}
	if strings.Contains(status, "\x1b") {
		t.Errorf("status has escape codes: %q", status)
	}
	if err := l.Stack.Servers()[1].Pause(); err != nil {
		t.Fatal(err)
	}
	if status := do(t, c, "status"); !regexp.MustCompile(`(?m)^reader .*does not answer$`).MatchString(status) {
		t.Errorf("status of a stopped replica says\n%s", status)
	}
}

func TestCtrlCIsHeardWhileNobodyReads(t *testing.T) {
	in, typing := io.Pipe()
	heard := make(chan bool, 1)
	keys := Keys(in, func() { heard <- true })
	io.WriteString(typing, "kill\x03 cache\n")
	<-heard
	typing.Close()
	if got, err := io.ReadAll(keys); err != nil || string(got) != "kill cache\n" {
		t.Errorf("Keys passes on %q, %v; want all but Ctrl-C", got, err)
	}
}
