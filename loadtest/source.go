package loadtest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"brownout/results"

	"github.com/dunglas/httpsfv"
)

// A SourceLocator says where an answer tells its source. The zero value is no
// place: the target does not say.
type SourceLocator struct {
	Header string // name of the header
	// CacheStatus: the header is a Cache-Status of RFC 9211. The cache nearest to the
	// asker counts, which is the last one in the list.
	CacheStatus bool
	// Values maps values of a plain header to sources; upper and lower case are
	// alike. Empty: the value itself, in lower case, is the source.
	Values map[string]results.Source
}

// check returns what is wrong with the locator.
func (l SourceLocator) check() error {
	switch {
	case l.Header == "" && (l.CacheStatus || len(l.Values) > 0):
		return fmt.Errorf("the header's name is missing")
	case l.Header != "" && !validHeaderName(l.Header):
		return fmt.Errorf("%q is not a header's name", excerpt(l.Header))
	case l.CacheStatus && len(l.Values) > 0:
		return fmt.Errorf("give values or the format cache-status, not both")
	}
	return nil
}

// find returns the source that an answer tells.
func (l SourceLocator) find(header http.Header) (results.Source, error) {
	values := header.Values(l.Header)
	if len(values) == 0 {
		return "", fmt.Errorf("no header %s", l.Header)
	}
	if l.CacheStatus {
		return cacheStatus(values)
	}
	value := strings.TrimSpace(values[0])
	if len(l.Values) == 0 {
		return results.Source(bounded(strings.ToLower(value))), nil
	}
	for v, source := range l.Values {
		if strings.EqualFold(v, value) {
			return source, nil
		}
	}
	known := strings.Join(slices.Sorted(maps.Keys(l.Values)), ", ")
	return "", fmt.Errorf("%s: %q is none of %s", l.Header, excerpt(value), known)
}

// cacheStatus reads the last member of a Cache-Status.
func cacheStatus(values []string) (results.Source, error) {
	list, err := httpsfv.UnmarshalList(values)
	if err != nil {
		return "", fmt.Errorf("reading Cache-Status: %w", err)
	}
	if len(list) == 0 {
		return "", fmt.Errorf("reading Cache-Status: it is empty")
	}
	item, ok := list[len(list)-1].(httpsfv.Item)
	if !ok {
		return "", fmt.Errorf("reading Cache-Status: its last member is a list")
	}
	if hit, _ := item.Params.Get("hit"); hit == true {
		return hitSource(item.Params), nil
	}
	fwd, _ := item.Params.Get("fwd")
	if token, ok := fwd.(httpsfv.Token); ok {
		return forwarded(string(token)), nil
	}
	return "", fmt.Errorf("Cache-Status names neither hit nor fwd: %q", excerpt(values[len(values)-1]))
}

// hitSource tells a fresh hit from a stale one: a negative ttl is the age past
// freshness (RFC 9211, section 2.4).
func hitSource(params *httpsfv.Params) results.Source {
	ttl, _ := params.Get("ttl")
	if seconds, ok := ttl.(int64); ok && seconds < 0 {
		return results.SourceStale
	}
	return results.SourceHit
}

// forwarded maps the reasons of RFC 9211, section 2.2. Reasons that no expectation
// names are kept as they are.
func forwarded(reason string) results.Source {
	switch reason {
	case "miss", "uri-miss", "vary-miss":
		return results.SourceMiss
	case "bypass":
		return results.SourceBypass
	case "stale":
		return results.SourceStale
	}
	return results.Source(bounded(reason))
}
