package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A table is rows of cells under each other. Its first row is the head.
type table struct {
	rows [][]string
	left []bool // which columns begin at the left; the others end at the right
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// write writes the table with two spaces between its columns.
func (t *table) write(w io.Writer) {
	widths := make([]int, len(t.left))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if t.left[i] {
				line.WriteString("  " + cell + pad)
			} else {
				line.WriteString("  " + pad + cell)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
