package chaos

// Direction says which way of a connection a fault is put on.
type Direction string

// The directions.
const (
	DirectionDown Direction = "down" // from the dependency to its clients
	DirectionUp   Direction = "up"   // from clients to the dependency
	DirectionBoth Direction = "both" // each way for itself
)

// Way is Direction or its default: both for a blackhole, as a partition cuts both
// ways; otherwise down, so that what a fault adds to an answer is what was asked.
func (f Fault) Way() Direction {
	switch {
	case f.Direction != "":
		return f.Direction
	case f.Kind == Blackhole:
		return DirectionBoth
	}
	return DirectionDown
}

// said is d in words.
func (d Direction) said() string {
	switch d {
	case DirectionUp:
		return "upward"
	case DirectionDown:
		return "downward"
	case DirectionBoth:
		return "both ways"
	}
	return ""
}
