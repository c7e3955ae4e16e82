package loadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// check looks at what the template gives when it is filled in: most mistakes show
// only there.
func (t Template) check(f form) error {
	sample := Operation{Environment: "env-1", Key: "flag-0001", Token: Token("env-1", "flag-0001", 1)}
	if err := checkURL(fill(f.url, sample)); err != nil {
		return err
	}
	for name, value := range t.Header {
		if err := checkHeader(name, value); err != nil {
			return err
		}
	}
	body := fill(f.body, sample)
	if body != "" && strings.HasSuffix(t.contentType(), "json") && !json.Valid([]byte(body)) {
		return fmt.Errorf("body: %q is not JSON; text in it stands in quotes: \"{token}\"", excerpt(body))
	}
	if _, err := f.request(context.Background(), sample); err != nil {
		return fmt.Errorf("filling it in: %w", err)
	}
	return nil
}

func checkURL(filled string) error {
	u, err := url.Parse(filled)
	switch {
	case err != nil:
		return fmt.Errorf("url: %w", err)
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return fmt.Errorf("url: %q is not absolute; write for example http://127.0.0.1:8080/flags/{key}", excerpt(filled))
	case u.Fragment != "":
		return fmt.Errorf("url: #%s is never sent to a server; write %%23 for a # in the path", excerpt(u.Fragment))
	}
	return nil
}

func checkHeader(name, value string) error {
	switch {
	case !validHeaderName(name):
		return fmt.Errorf("header %q is not a header's name", excerpt(name))
	case strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding"):
		return fmt.Errorf("header %s is set by the HTTP client; leave it out", name)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return fmt.Errorf("header %s: %q holds a control character", name, excerpt(value))
	}
	return nil
}

// validHeaderName accepts a token of RFC 9110, section 5.6.2.
func validHeaderName(name string) bool {
	return regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$").MatchString(name)
}
