package loadtest

import (
	"net/http"
	"strings"
	"testing"

	"brownout/results"
)

// rfc6901 is the example of RFC 6901, section 5.
const rfc6901 = `{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8,
	"~1": 9, "on": true, "big": 18446744073709551615, "none": null, "text": "", "half": 1.5}`

func TestLocatorFinds(t *testing.T) {
	header := http.Header{"Etag": {`W/"42"`}, "Empty": {""}, "Word": {"seven"}}
	for _, row := range []struct {
		name string
		at   Locator
		body string
		want string // "! …" is an error
	}{
		{"a header, whatever its case", Locator{Header: "etag"}, "", `W/"42"`},
		{"a missing header", Locator{Header: "Age"}, "", "! no header Age"},
		{"an empty header", Locator{Header: "Empty"}, "", "! no header Empty"},
		{"an element", Locator{Pointer: "/foo/0"}, rfc6901, "bar"},
		{"an empty name", Locator{Pointer: "/"}, rfc6901, "0"},
		{"a name with a slash", Locator{Pointer: "/a~1b"}, rfc6901, "1"},
		{"a name with a tilde", Locator{Pointer: "/m~0n"}, rfc6901, "8"},
		{"~01 is ~1 and no slash", Locator{Pointer: "/~01"}, rfc6901, "9"},
		{"percent signs mean nothing", Locator{Pointer: "/c%d"}, rfc6901, "2"},
		{"a boolean", Locator{Pointer: "/on"}, rfc6901, "true"},
		{"a number beyond a float64", Locator{Pointer: "/big"}, rfc6901, "18446744073709551615"},
		{"an empty text is text", Locator{Pointer: "/text"}, rfc6901, ""},
		{"null is nothing", Locator{Pointer: "/none"}, rfc6901, "! neither text nor a number"},
		{"a list is no text", Locator{Pointer: "/foo"}, rfc6901, "! neither text nor a number"},
		{"past the end of a list", Locator{Pointer: "/foo/2"}, rfc6901, "! nothing at /foo/2"},
		{"after the end of a list", Locator{Pointer: "/foo/-"}, rfc6901, "! nothing at /foo/-"},
		{"an index with a leading zero", Locator{Pointer: "/foo/00"}, rfc6901, "! nothing at"},
		{"into a text", Locator{Pointer: "/foo/0/0"}, rfc6901, "! nothing at"},
		{"no JSON", Locator{Pointer: "/a"}, "<html>", "! the body is not JSON"},
		{"an empty body", Locator{Pointer: "/a"}, "", "! the body is not JSON"},
		{"half a body", Locator{Pointer: "/a"}, `{"a": "b"`, "! the body is not JSON"},
		{"two documents", Locator{Pointer: "/a"}, `{"a":1} {"a":2}`, "! goes on after its JSON"},
		{"a body beyond the bound", Locator{Pointer: "/a"}, `{"a":"` + strings.Repeat("x", maxBody) + `"}`, "! longer than"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := row.at.find(header, &document{text: []byte(row.body)})
			if msg, bad := strings.CutPrefix(row.want, "! "); bad {
				if err == nil || !strings.Contains(err.Error(), msg) {
					t.Errorf("find(%+v) = %q, %v, want an error with %q", row.at, got, err, msg)
				}
			} else if err != nil || got != row.want {
				t.Errorf("find(%+v) = %q, %v, want %q", row.at, got, err, row.want)
			}
		})
	}
	if n, err := (Locator{Header: "ETag"}).number(header, &document{}); n != 42 || err != nil {
		t.Errorf("number of an entity tag = %d, %v, want 42", n, err)
	}
	for _, at := range []Locator{{Header: "Word"}, {Pointer: "/half"}} {
		if n, err := at.number(header, &document{text: []byte(rfc6901)}); err == nil {
			t.Errorf("number(%+v) = %d, want an error", at, n)
		}
	}
}

func TestSourceLocatorFinds(t *testing.T) {
	status := SourceLocator{Header: "Cache-Status", CacheStatus: true}
	plain := SourceLocator{Header: "X-Cache", Values: map[string]results.Source{"HIT": results.SourceHit, "none": results.SourceBypass}}
	for _, row := range []struct {
		name   string
		at     SourceLocator
		values []string
		want   string // "! …" is an error
	}{
		{"hit", status, []string{"flags; hit"}, "hit"},
		{"hit with a time to live", status, []string{"flags; hit; ttl=376"}, "hit"},
		{"hit past its time to live", status, []string{"flags; hit; ttl=-412"}, "stale"},
		{"hit that is denied", status, []string{"flags; hit=?0; fwd=miss"}, "miss"},
		{"miss", status, []string{"flags; fwd=miss; stored"}, "miss"},
		{"uri-miss", status, []string{"flags; fwd=uri-miss"}, "miss"},
		{"vary-miss", status, []string{"flags; fwd=vary-miss"}, "miss"},
		{"bypass", status, []string{`"my flags"; fwd=bypass; detail="redis: timeout"`}, "bypass"},
		{"stale", status, []string{"flags; fwd=stale; fwd-status=304"}, "stale"},
		{"another reason is kept", status, []string{"flags; fwd=partial"}, "partial"},
		{"the cache nearest to the asker counts", status, []string{"origin; fwd=miss, edge; hit"}, "hit"},
		{"also over two header lines", status, []string{"origin; hit", "edge; fwd=miss"}, "miss"},
		{"a cache that says nothing", status, []string{"flags"}, "! neither hit nor fwd"},
		{"a reason that is no token", status, []string{`flags; fwd="miss"`}, "! neither hit nor fwd"},
		{"no such header", status, nil, "! no header Cache-Status"},
		{"an empty header", status, []string{""}, "! it is empty"},
		{"no structured field", status, []string{"flags; ;"}, "! reading Cache-Status"},
		{"a list in a list", status, []string{"(a b); hit"}, "! is a list"},
		{"a value with its source", plain, []string{"HIT"}, "hit"},
		{"whatever its case", plain, []string{" None "}, "bypass"},
		{"a value without one", plain, []string{"odd"}, `! "odd" is none of HIT, none`},
		{"a value that is the source", SourceLocator{Header: "X-Cache"}, []string{"MISS"}, "miss"},
	} {
		t.Run(row.name, func(t *testing.T) {
			header := http.Header{}
			if row.values != nil {
				header[http.CanonicalHeaderKey(row.at.Header)] = row.values
			}
			got, err := row.at.find(header)
			if msg, bad := strings.CutPrefix(row.want, "! "); bad {
				if err == nil || !strings.Contains(err.Error(), msg) {
					t.Errorf("find(%q) = %q, %v, want an error with %q", row.values, got, err, msg)
				}
			} else if err != nil || string(got) != row.want {
				t.Errorf("find(%q) = %q, %v, want %q", row.values, got, err, row.want)
			}
		})
	}
}
