package judge

import "brownout/results"

// FigureName is the figure that e bounds, as Finding.Figure has it: "p99{op=read}".
func FigureName(e results.Expectation) string { return figureName(e) }
