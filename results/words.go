package results

// words keeps each text once. A recording says few of them many times, and decoding
// makes a new one each time.
type words map[string]string

func (w words) share(text *string) {
	if known, ok := w[*text]; ok {
		*text = known
		return
	}
	w[*text] = *text
}

func (w words) hit(h *Hit) {
	for _, text := range []*string{(*string)(&h.Op), &h.Environment, &h.Key, &h.Token, (*string)(&h.Error), &h.Detail, (*string)(&h.Source)} {
		w.share(text)
	}
}

func (w words) exchange(e *Exchange) {
	for _, text := range []*string{&e.On, &e.Kind, &e.Pattern, &e.Reply} {
		w.share(text)
	}
}

func (w words) sample(s *Sample) { w.share(&s.Process) }
