package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A Template is a request with places to fill in: {env}, {key} and {token}. What
// is filled in is percent-encoded in the URL, escaped as the inside of a JSON
// string in the body (percent-encoded there too when the Content-Type is
// application/x-www-form-urlencoded), and left as it is in a header.
// Braces around anything but one word are text: {"value": "{token}"}.
type Template struct {
	Method string
	URL    string // absolute, http or https
	Header map[string]string
	Body   string
}

// A form is a Template taken apart, ready to be filled in many times.
type form struct {
	method string
	url    []piece
	header map[string][]piece // :: canonical name → value
	body   []piece
}

// A piece is text, or a place with the way to escape what is filled in.
type piece struct {
	text   string
	place  string // "", "env", "key" or "token"
	escape func(string) string
}

// compile checks the template and takes it apart.
func (t Template) compile() (form, error) {
	f := form{method: t.Method, header: map[string][]piece{}}
	if !regexp.MustCompile(`^[A-Z]+$`).MatchString(t.Method) || t.Method == http.MethodConnect {
		return form{}, fmt.Errorf("method %q; write for example GET, PUT or POST", t.Method)
	}
	var err error
	path, query, asked := strings.Cut(t.URL, "?")
	if f.url, err = parse(path, url.PathEscape); err != nil {
		return form{}, fmt.Errorf("url: %w", err)
	}
	if asked {
		pieces, err := parse("?"+query, url.QueryEscape)
		if err != nil {
			return form{}, fmt.Errorf("url: %w", err)
		}
		f.url = append(f.url, pieces...)
	}
	for name, value := range t.Header {
		if f.header[http.CanonicalHeaderKey(name)], err = parse(value, asIs); err != nil {
			return form{}, fmt.Errorf("header %s: %w", name, err)
		}
	}
	if f.body, err = parse(t.Body, t.bodyEscape()); err != nil {
		return form{}, fmt.Errorf("body: %w", err)
	}
	return f, t.check(f)
}

func asIs(s string) string { return s }

// contentType returns the template's media type in lower case, without parameters.
func (t Template) contentType() string {
	for name, value := range t.Header {
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			media, _, _ := strings.Cut(value, ";")
			return strings.ToLower(strings.TrimSpace(media))
		}
	}
	return ""
}

func (t Template) bodyEscape() func(string) string {
	if t.contentType() == "application/x-www-form-urlencoded" {
		return url.QueryEscape
	}
	return jsonEscape
}

// jsonEscape returns s as it stands between the quotes of a JSON string.
func jsonEscape(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)  // a body may be read by something that is no JSON parser
	if enc.Encode(s) != nil { // a string can always be encoded
		return ""
	}
	return string(b.Bytes()[1 : b.Len()-2]) // without quotes and newline
}

// parse takes text apart. Only a single word in braces is a place.
func parse(text string, escape func(string) string) ([]piece, error) {
	var pieces []piece
	for _, at := range regexp.MustCompile(`\{\w+\}`).FindAllStringIndex(text, -1) {
		place := text[at[0]+1 : at[1]-1]
		if !slices.Contains([]string{"env", "key", "token"}, place) {
			return nil, fmt.Errorf("there is no {%s}; there are {env}, {key} and {token}", excerpt(place))
		}
		pieces = append(pieces, piece{place: place, escape: escape})
	}
	return interleave(text, pieces), nil
}

// interleave puts the text between places back.
func interleave(text string, places []piece) []piece {
	var all []piece
	for _, p := range places {
		before, after, _ := strings.Cut(text, "{"+p.place+"}")
		all = append(all, piece{text: before}, p)
		text = after
	}
	return append(all, piece{text: text})
}

// fill puts an operation into pieces.
func fill(pieces []piece, op Operation) string {
	var b strings.Builder
	for _, p := range pieces {
		switch p.place {
		case "env":
			b.WriteString(p.escape(op.Environment))
		case "key":
			b.WriteString(p.escape(op.Key))
		case "token":
			b.WriteString(p.escape(op.Token))
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// request makes the request that an operation stands for.
func (f form) request(ctx context.Context, op Operation) (*http.Request, error) {
	// A reader of a known length keeps the request from being sent in chunks, and an
	// empty one counts as no body.
	req, err := http.NewRequestWithContext(ctx, f.method, fill(f.url, op), strings.NewReader(fill(f.body, op)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "brownout")
	for name, value := range f.header {
		req.Header[name] = []string{fill(value, op)}
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
		req.Header.Del("Host")
	}
	if u := req.URL.User; u != nil && req.Header.Get("Authorization") == "" {
		password, _ := u.Password()
		req.SetBasicAuth(u.Username(), password)
	}
	return req, nil
}

// mentions reports whether a place stands anywhere in the form.
func (f form) mentions(place string) bool {
	is := func(p piece) bool { return p.place == place }
	for _, value := range f.header {
		if slices.ContainsFunc(value, is) {
			return true
		}
	}
	return slices.ContainsFunc(f.url, is) || slices.ContainsFunc(f.body, is)
}
