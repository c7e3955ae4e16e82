package loadtest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustCompile(t testing.TB, tmpl Template) form {
	t.Helper()
	f, err := tmpl.compile()
	if err != nil {
		t.Fatalf("compile(%+v) = %v", tmpl, err)
	}
	return f
}

func TestTemplateIsFilledIn(t *testing.T) {
	plain := Operation{Environment: "env-1", Key: "flag-0001", Token: "env-1/flag-0001#7"}
	odd := Operation{Environment: "a/b c?", Key: `q"\&=+`, Token: "x<é>\n%"}
	jsonBody := map[string]string{"Content-Type": "application/json"}
	for _, row := range []struct {
		name      string
		tmpl      Template
		op        Operation
		url, body string
	}{
		{"a path and a body", Template{"PUT", "http://h/{env}/{key}", jsonBody, `{"value": "{token}"}`}, plain,
			"http://h/env-1/flag-0001", `{"value": "env-1/flag-0001#7"}`},
		{"a token in a path cannot add a segment or a fragment", Template{"PUT", "http://h/v/{token}", nil, ""}, plain,
			"http://h/v/env-1%2Fflag-0001%237", ""},
		{"odd names in a path", Template{"GET", "http://h/{env}/{key}", nil, ""}, odd,
			"http://h/a%2Fb%20c%3F/q%22%5C&=+", ""},
		{"odd names in a query", Template{"GET", "http://h/x?e={env}&k={key}&fixed=1", nil, ""}, odd,
			"http://h/x?e=a%2Fb+c%3F&k=q%22%5C%26%3D%2B&fixed=1", ""},
		{"odd text in JSON", Template{"PUT", "http://h/", jsonBody, `{"k":"{key}","t":"{token}"}`}, odd,
			"http://h/", `{"k":"q\"\\&=+","t":"x<é>\n%"}`},
		{"odd text in a form", Template{"POST", "http://h/", map[string]string{"content-type": "application/x-www-form-urlencoded; charset=utf-8"}, `k={key}`}, odd,
			"http://h/", `k=q%22%5C%26%3D%2B`},
		{"braces around no single word are text", Template{"POST", "http://h/", jsonBody, `{"a":{},"b":[{"c":"{env}{env}"}]}`}, plain,
			"http://h/", `{"a":{},"b":[{"c":"env-1env-1"}]}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			req, err := mustCompile(t, row.tmpl).request(context.Background(), row.op)
			if err != nil {
				t.Fatalf("request: %v", err)
			}
			body := ""
			if req.Body != nil {
				b, _ := io.ReadAll(req.Body)
				body = string(b)
			}
			if req.Method != row.tmpl.Method || req.URL.String() != row.url || body != row.body {
				t.Errorf("request = %s %s %q, want %s %s %q", req.Method, req.URL, body, row.tmpl.Method, row.url, row.body)
			}
			if int(req.ContentLength) != len(row.body) || (row.body == "") != (req.Body == http.NoBody) {
				t.Errorf("content length %d, body %v, want %d bytes", req.ContentLength, req.Body, len(row.body))
			}
		})
	}
}

func TestHeadersAreFilledIn(t *testing.T) {
	f := mustCompile(t, Template{"GET", "http://user:pass@h/", map[string]string{"x-env": "{env}!", "host": "flags.example"}, ""})
	req, err := f.request(context.Background(), Operation{Environment: "env-1"})
	if err != nil {
		t.Fatalf("request: %v", err)
	}
	user, password, _ := req.BasicAuth()
	if req.Header.Get("X-Env") != "env-1!" || req.Host != "flags.example" || user != "user" || password != "pass" {
		t.Errorf("X-Env %q, Host %q, user %q:%q, want env-1!, flags.example, user:pass",
			req.Header.Get("X-Env"), req.Host, user, password)
	}
}

func TestAnyTextSurvivesJSON(t *testing.T) {
	f := mustCompile(t, Template{"PUT", "http://h/", nil, `{"value": "{token}"}`})
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.String().Draw(t, "token")
		var got struct{ Value string }
		if err := json.Unmarshal([]byte(fill(f.body, Operation{Token: token})), &got); err != nil || got.Value != token {
			t.Fatalf("a token %q is read as %q, %v", token, got.Value, err)
		}
	})
}

func TestRequestsValidate(t *testing.T) {
	good := func() Requests {
		return Requests{
			Read:  Template{Method: "GET", URL: "http://127.0.0.1/{env}/{key}"},
			Write: &Template{Method: "PUT", URL: "http://127.0.0.1/{env}/{key}", Body: `"{token}"`},
		}
	}
	for _, row := range []struct {
		name string
		edit func(*Requests)
		want string // "": it is valid
	}{
		{"a read and a write", func(*Requests) {}, ""},
		{"no write", func(r *Requests) { r.Write = nil }, ""},
		{"everything is said somewhere", func(r *Requests) {
			r.ReadAnswer = Answer{Locator{Header: "ETag"}, Locator{Pointer: "/a~1b/0"}, SourceLocator{Header: "Cache-Status", CacheStatus: true}}
		}, ""},
		{"no method", func(r *Requests) { r.Read.Method = "" }, `read: method ""`},
		{"a method in lower case", func(r *Requests) { r.Write.Method = "put" }, `write: method "put"`},
		{"a method of proxies", func(r *Requests) { r.Read.Method = "CONNECT" }, "read: method"},
		{"a relative url", func(r *Requests) { r.Read.URL = "/flags" }, "not absolute"},
		{"a url of another kind", func(r *Requests) { r.Read.URL = "redis://h/" }, "not absolute"},
		{"a place in the host", func(r *Requests) { r.Read.URL = "http://{env}.h/x" }, ""},
		{"a fragment", func(r *Requests) { r.Read.URL += "#x" }, "#x is never sent"},
		{"an unknown place in the url", func(r *Requests) { r.Read.URL += "/{user}" }, "read: url: there is no {user}"},
		{"an unknown place in the query", func(r *Requests) { r.Read.URL += "?q={user}" }, "there is no {user}"},
		{"an unknown place in a header", func(r *Requests) { r.Read.Header = map[string]string{"X": "{flag}"} }, "header X: there is no {flag}"},
		{"an unknown place in the body", func(r *Requests) { r.Write.Body = "{tokens}" }, "body: there is no {tokens}"},
		{"a header that is no name", func(r *Requests) { r.Read.Header = map[string]string{"a b": ""} }, `"a b" is not a header's name`},
		{"a header in two lines", func(r *Requests) { r.Read.Header = map[string]string{"A": "b\r\nC: d"} }, "control character"},
		{"a header that is not ours to set", func(r *Requests) { r.Read.Header = map[string]string{"content-length": "3"} }, "leave it out"},
		{"text outside quotes in JSON", func(r *Requests) {
			r.Write.Header, r.Write.Body = map[string]string{"Content-Type": "application/json"}, `{"v": {token}}`
		}, "is not JSON"},
		{"a token in a read", func(r *Requests) { r.Read.URL += "?{token}" }, "read: {token}"},
		{"no token in a write whose value is looked for", func(r *Requests) {
			r.Write.Body, r.ReadAnswer.Token = "", Locator{Pointer: "/value"}
		}, "write: {token} is missing"},
		{"no token in a write whose value nobody looks for", func(r *Requests) { r.Write.Body = "" }, ""},
		{"a token in the answer to a write", func(r *Requests) { r.WriteAnswer.Token = Locator{Pointer: "/value"} }, "write: answer: token"},
		{"a pointer without slash", func(r *Requests) { r.ReadAnswer.Token = Locator{Pointer: "value"} }, `read: answer: token: "value" is not a JSON pointer`},
		{"a pointer with a bare tilde", func(r *Requests) { r.WriteAnswer.Version = Locator{Pointer: "/a~2"} }, "write: answer: version"},
		{"two places at once", func(r *Requests) { r.ReadAnswer.Version = Locator{"ETag", "/v"} }, "not both"},
		{"a source without header", func(r *Requests) { r.ReadAnswer.Source.CacheStatus = true }, "source: the header's name is missing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := good()
			row.edit(&r)
			err := r.Validate()
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("Validate() = %v, want %q", err, row.want)
			}
		})
	}
}
