package pgwire

const (
	// maxNames bounds how many names are remembered. pgx prepares 512 statements at
	// the most, unless it is told otherwise.
	maxNames = 1 << 10
	// nameKept is how much of a name PostgreSQL looks at (NAMEDATALEN without its end).
	nameKept = 63
)

// names remember the patterns of prepared statements, or of portals.
type names struct {
	unnamed string
	named   map[string]string
}

// set remembers pattern under name. When there are too many names, a new one is
// not remembered.
func (n *names) set(name []byte, pattern string) {
	if len(name) == 0 {
		n.unnamed = pattern
		return
	}
	name = name[:min(len(name), nameKept)]
	if _, known := n.named[string(name)]; !known && len(n.named) == maxNames {
		return
	}
	if n.named == nil {
		n.named = map[string]string{}
	}
	n.named[string(name)] = pattern
}

// get returns the pattern under name, "" if it is not known.
func (n *names) get(name []byte) string {
	if len(name) == 0 {
		return n.unnamed
	}
	return n.named[string(name[:min(len(name), nameKept)])]
}

func (n *names) remove(name []byte) {
	if len(name) == 0 {
		n.unnamed = ""
		return
	}
	delete(n.named, string(name[:min(len(name), nameKept)]))
}

// removeAll forgets everything but the unnamed one, which the next Parse or Bind
// replaces.
func (n *names) removeAll() { clear(n.named) }
