package resp

import (
	"math/rand/v2"
	"strings"
)

// types are the bytes that a reply can begin with.
const types = "+-:$*_#,(!=%~>|;."

// noise draws what is no RESP: one line, so that a client sees it at once.
func noise(r *rand.Rand) []byte {
	b := make([]byte, 8+r.IntN(57))
	for i := range b {
		b[i] = noiseByte(r)
	}
	for strings.IndexByte(types, b[0]) >= 0 {
		b[0] = noiseByte(r)
	}
	return append(b, '\r', '\n')
}

// noiseByte draws a byte that ends no line.
func noiseByte(r *rand.Rand) byte {
	for {
		if c := byte(r.Uint32()); c != '\r' && c != '\n' {
			return c
		}
	}
}
