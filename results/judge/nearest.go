package judge

// Nearest returns the name that takes the fewest edits to make of word, or "" when
// every one takes more than a third of its letters, and more than two.
func Nearest(word string, names []string) string {
	best, fewest := "", 0
	for _, name := range names {
		n := edits(word, name)
		if n <= max(2, len(name)/3) && n < len(name) && (best == "" || n < fewest) {
			best, fewest = name, n
		}
	}
	return best
}

// edits is the Levenshtein distance: how many letters must be put in, left out or
// replaced to make b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1) // row[j]: edits from the part of a so far to b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := corner
			if a[i] != b[j] {
				replace++
			}
			corner = row[j+1]
			row[j+1] = min(replace, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
