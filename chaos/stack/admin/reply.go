package admin

import "strconv"

// A Reply is what a command gave back: a text or number, or a list of replies.
type Reply struct {
	Text string  // a status, bulk string or number
	List []Reply // not nil: it is a list
	Null bool    // neither: there is no such thing
}

// int is the reply as a number, 0 when it is none.
func (r Reply) int() int64 {
	n, _ := strconv.ParseInt(r.Text, 10, 64)
	return n
}

// at is the element i of a list, an empty reply when there is none.
func (r Reply) at(i int) Reply {
	if i < len(r.List) {
		return r.List[i]
	}
	return Reply{}
}

// fields reads a list of names and values in turn.
func (r Reply) fields() map[string]string {
	fields := map[string]string{}
	for i := 0; i+1 < len(r.List); i += 2 {
		fields[r.List[i].Text] = r.List[i+1].Text
	}
	return fields
}
