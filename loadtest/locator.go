package loadtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// A Locator is a place in an answer: a header, or a JSON pointer into the body.
// The zero value is no place: the target does not say.
type Locator struct {
	Header  string // name of the header; one of the two
	Pointer string // RFC 6901, such as /data/0/value; one of the two
}

// given reports whether the locator names a place.
func (l Locator) given() bool { return l != Locator{} }

// check returns what is wrong with the locator.
func (l Locator) check() error {
	switch {
	case l.Header != "" && l.Pointer != "":
		return errors.New("give a header or a place in the body, not both")
	case l.Header != "" && !validHeaderName(l.Header):
		return fmt.Errorf("%q is not a header's name", excerpt(l.Header))
	case l.Pointer != "" && l.Pointer[0] != '/':
		return fmt.Errorf("%q is not a JSON pointer; write for example /value", excerpt(l.Pointer))
	}
	for rest := l.Pointer; rest != ""; {
		_, after, found := strings.Cut(rest, "~")
		if found && !strings.HasPrefix(after, "0") && !strings.HasPrefix(after, "1") {
			return fmt.Errorf("%q is not a JSON pointer; write ~0 for ~ and ~1 for /", excerpt(l.Pointer))
		}
		rest = after
	}
	return nil
}

// find returns the text at the place. Only a string, a number or a boolean counts
// as text; a header that is there but empty does not.
func (l Locator) find(header http.Header, body *document) (string, error) {
	if l.Header != "" {
		if v := header.Get(l.Header); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("no header %s", l.Header)
	}
	root, err := body.value()
	if err != nil {
		return "", err
	}
	at, ok := point(root, l.Pointer)
	if !ok {
		return "", fmt.Errorf("nothing at %s", l.Pointer)
	}
	switch v := at.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", fmt.Errorf("%s is neither text nor a number", l.Pointer)
}

// number is find for a whole number. A header may hold it as an entity tag: "42".
func (l Locator) number(header http.Header, body *document) (uint64, error) {
	text, err := l.find(header, body)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.Trim(strings.TrimPrefix(text, "W/"), `"`), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", excerpt(text))
	}
	return n, nil
}

// point follows a JSON pointer (RFC 6901, section 4).
func point(at any, pointer string) (any, bool) {
	if pointer == "" {
		return at, true
	}
	unescape := strings.NewReplacer("~1", "/", "~0", "~") // in one pass: ~01 is ~1
	for name := range strings.SplitSeq(pointer[1:], "/") {
		var ok bool
		switch v := at.(type) {
		case map[string]any:
			at, ok = v[unescape.Replace(name)]
		case []any:
			at, ok = element(v, name)
		}
		if !ok {
			return nil, false
		}
	}
	return at, true
}

// element returns an element by its index, which has no sign and no leading zero.
func element(list []any, index string) (any, bool) {
	i, err := strconv.ParseUint(index, 10, 31)
	if err != nil || i >= uint64(len(list)) || strconv.FormatUint(i, 10) != index {
		return nil, false
	}
	return list[i], true
}
