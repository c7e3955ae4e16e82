package resp

// A subscriptions counts what the connection is subscribed to, in the order of the
// replies.
type subscriptions struct {
	families [3]int64 // channels, patterns, channels of a shard
	totals   [2]int64 // as the dependency said last: channels and patterns; channels of a shard
}

func (s *subscriptions) any() bool { return s.totals != [2]int64{} }

// family says to which family a push that says how many subscriptions there are
// belongs; -1: it is none.
func family(name []byte) int {
	switch string(name) {
	case "subscribe", "unsubscribe":
		return 0
	case "psubscribe", "punsubscribe":
		return 1
	case "ssubscribe", "sunsubscribe":
		return 2
	}
	return -1
}

// note takes note of the push name, which says that there are n subscriptions. It
// returns how many of its family there are.
func (s *subscriptions) note(name []byte, n int64) int64 {
	f := family(name)
	total := &s.totals[f/2]
	s.families[f] += n - *total
	*total = n
	return s.families[f]
}

// isMessage reports whether a push with that name can come at any time.
func isMessage(name []byte) bool {
	switch string(name) {
	case "message", "pmessage", "smessage":
		return true
	}
	return false
}

// pushed reports whether what has arrived is a push. RESP2 has no type for them:
// there it is an array that begins as pushes do, on a connection that has
// subscribed, where nothing else may be asked that is answered so.
func (d *Dialog) pushed(head *pending) bool {
	if d.reply.top == '>' {
		return true
	}
	if d.reply.top != '*' || d.resp3 || !d.subs.any() && (head == nil || head.role != subscribes) {
		return false
	}
	name := d.reply.text()
	return isMessage(name) || family(name) >= 0
}

// confirmed takes a push. It reports whether it is a reply to head, and whether it
// is the last one.
func (d *Dialog) confirmed(head *pending) (reply, last bool) {
	name := d.reply.text()
	if family(name) < 0 {
		return false, false
	}
	subscribed := d.subs.note(name, d.reply.number)
	if head == nil || head.role != subscribes || !equalFold(name, head.kind) {
		return false, false // the dependency has ended a subscription by itself
	}
	if head.left == 0 {
		return true, subscribed <= 0
	}
	head.left--
	return true, head.left == 0
}
