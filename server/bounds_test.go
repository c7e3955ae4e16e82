package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"brownout/server"
	"brownout/server/feature"
	"brownout/server/servertest"
)

// limit is a bound that these tests wait for; it decides nothing else.
const limit = 200 * time.Millisecond

// socket connects to s, and takes what it gets into a buffer of that many bytes (0: as
// the system likes).
func socket(t *testing.T, s *servertest.Server, buffer int) net.Conn {
	t.Helper()
	d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		if buffer == 0 {
			return nil
		}
		var err error
		if e := raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, buffer)
		}); e != nil {
			return e
		}
		return err
	}}
	c, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(guard)); err != nil {
		t.Fatal(err)
	}
	return c
}

func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatalf("sending: %v", err)
	}
}

// heard is all that the server says until it closes the connection.
func heard(t *testing.T, c net.Conn) string {
	t.Helper()
	data, err := io.ReadAll(c)
	if netError, ok := err.(net.Error); ok && netError.Timeout() {
		t.Fatalf("the server has not closed the connection within %v; it said %q", guard, data)
	}
	return string(data)
}

// heardAnswer is the next answer on c.
func heardAnswer(t *testing.T, c net.Conn) answer {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading the body: %v", err)
	}
	return answer{resp.StatusCode, resp.Header, string(data)}
}

// A client that is slow to send is cut off, wherever it stops.
func TestSlowSendersAreCutOff(t *testing.T) {
	s := servertest.Start(t, "resilient", func(c *server.Config) {
		c.HeaderTimeout, c.BodyTimeout = limit, limit
	})
	put(t, s, 1)
	const host = " HTTP/1.1\r\nHost: h\r\n"
	for _, row := range []struct {
		name, text string
		want       int // 0: no answer
	}{
		{"nothing at all", "", 0},
		{"in the middle of the first line", "GET /li", 400},
		{"in the middle of the head", "GET /livez" + host + "X: y\r\n", 0},
		{"before the body of a flag", "PUT /v1/environments/e/flags/f" + host + "Content-Length: 100\r\n\r\n", 408},
		{"in the middle of the body", "PUT /v1/environments/e/flags/f" + host + "Content-Length: 100\r\n\r\n{", 408},
		{"in the middle of a chunk", "PUT /v1/environments/e/flags/f" + host + "Transfer-Encoding: chunked\r\n\r\n10\r\n{", 408},
		{"in the middle of a request to evaluate", "POST /ofrep/v1/evaluate/flags/f" + host + "Content-Length: 100\r\n\r\n{", 408},
		{"in a body that nobody reads", "GET /v1/environments/e/flags/f" + host + "Content-Length: 100\r\n\r\n{", 200},
		{"in a body at a path that is none", "POST /nonesuch" + host + "Content-Length: 100\r\n\r\n{", 404},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := socket(t, s, 0)
			say(t, c, row.text)
			got := heard(t, c)
			if row.want == 0 && got != "" {
				t.Errorf("the server said %q, want nothing", got)
			}
			if row.want != 0 && !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", row.want)) {
				t.Errorf("the server said %q, want status %d", got, row.want)
			}
			if row.want == 408 && strings.Contains(row.text, "ofrep") != strings.Contains(got, `"errorCode":"GENERAL"`) {
				t.Errorf("the server said %q, want the words of the protocol on its routes and only there", got)
			}
		})
	}
}

// A body may come slower than the limit for heads, and the limit for bodies does not
// end what comes after it on the connection.
func TestABodyHasALimitOfItsOwn(t *testing.T) {
	s := servertest.Start(t, "resilient", func(c *server.Config) { c.HeaderTimeout = limit })
	c := socket(t, s, 0)
	const body = `{"enabled":true,"value":1}`
	say(t, c, fmt.Sprintf("PUT /v1/environments/e/flags/f HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", len(body)))
	time.Sleep(2 * limit) // this long at least: longer does no harm
	say(t, c, body)
	if a := heardAnswer(t, c); a.code != 201 {
		t.Errorf("PUT with a body after %v = %d %s, want 201", 2*limit, a.code, a.body)
	}
}

func TestAConnectionThatIsNotUsedIsClosed(t *testing.T) {
	s := servertest.Start(t, "resilient", func(c *server.Config) { c.IdleTimeout = limit })
	c := socket(t, s, 0)
	say(t, c, "GET /livez HTTP/1.1\r\nHost: h\r\n\r\n")
	if got := heard(t, c); !strings.HasPrefix(got, "HTTP/1.1 200 ") || strings.Contains(got, "Connection: close") {
		t.Errorf("the server said %q, want an answer and, later, an end", got)
	}
}

// A client that does not take its answer holds neither the connection nor the handler.
func TestSlowReadersAreCutOff(t *testing.T) {
	s := servertest.Start(t, "resilient", func(c *server.Config) { c.WriteTimeout = 5 * limit }) // the metrics need some, too
	const flags, size = 12, 1 << 20                                                              // more than the buffers of both sides take
	value := json.RawMessage(`"` + strings.Repeat("x", size) + `"`)
	for i := range flags {
		s.MustPut(t, "e", fmt.Sprint("f", i), feature.Draft{Enabled: true, Value: value})
	}
	for _, row := range []struct{ name, request, series string }{
		{"a list", "GET /v1/environments/e/flags HTTP/1.1\r\nHost: h\r\n\r\n",
			`brownout_http_requests_total{code="200",method="GET",route="/v1/environments/{env}/flags"}`},
		{"an evaluation", "POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: h\r\nFlag-Environment: e\r\n" + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(asUser)) + asUser,
			`brownout_http_requests_total{code="200",method="POST",route="/ofrep/v1/evaluate/flags"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := socket(t, s, 4096)
			say(t, c, row.request)
			for began := time.Now(); metric(t, s, row.series) != "1"; time.Sleep(limit / 10) {
				if time.Since(began) > guard {
					t.Fatalf("the handler has not ended within %v", guard)
				}
			}
			if got := len(heard(t, c)); got >= flags*size {
				t.Errorf("%d bytes came, want an end before all of them", got)
			}
		})
	}
}

// Waiting for the database is not the client's fault: no limit for clients ends it.
func TestALongWaitForTheDatabaseIsNoLimitOfTheClient(t *testing.T) {
	s := servertest.Start(t, "seed", func(c *server.Config) {
		c.Backend = server.BackendNone
		c.WriteTimeout, c.HeaderTimeout, c.BodyTimeout, c.IdleTimeout = limit, limit, limit, limit
		c.DatabaseTimeout = guard
	})
	s.Store.Before = func(ctx context.Context, _ string) error {
		time.Sleep(2 * limit) // this long at least
		return ctx.Err()
	}
	c := socket(t, s, 0)
	for range 2 { // on one connection
		const body = `{"enabled":true,"value":1}`
		say(t, c, fmt.Sprintf("PUT /v1/environments/production/flags/f HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		if a := heardAnswer(t, c); a.code != 201 && a.code != 200 {
			t.Errorf("PUT = %d %s, want it done", a.code, a.body)
		}
		say(t, c, "GET /v1/environments/production/flags/f HTTP/1.1\r\nHost: h\r\n\r\n")
		if a := heardAnswer(t, c); a.code != 200 {
			t.Errorf("GET = %d %s, want 200", a.code, a.body)
		}
		say(t, c, fmt.Sprintf("POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(asUser), asUser))
		if a := heardAnswer(t, c); a.code != 200 {
			t.Errorf("POST = %d %s, want 200", a.code, a.body)
		}
	}
}

// What is too large, or no HTTP, has a status. net/http answers by itself here, in plain
// text: there is no request yet that a problem could be about.
func TestWhatIsNoRequestHasAStatus(t *testing.T) {
	s := servertest.Start(t, "resilient")
	for _, row := range []struct {
		name, text string
		want       int
	}{
		{"a head at its largest", "GET /livez HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 16<<10-100) + "\r\n\r\n", 200},
		{"a head that is too large", "GET /livez HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 32<<10) + "\r\n\r\n", 431},
		{"a path that is too long", "GET /" + strings.Repeat("x", 32<<10) + " HTTP/1.1\r\nHost: h\r\n\r\n", 431},
		{"too many fields", "GET /livez HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("X: y\r\n", 8<<10) + "\r\n", 431},
		{"no HTTP", "hello\r\n\r\n", 400},
		{"no host", "GET /livez HTTP/1.1\r\n\r\n", 400},
		{"an escape that is none", "GET /v1/environments/%zz/flags HTTP/1.1\r\nHost: h\r\n\r\n", 400},
		{"two lengths", "PUT /v1/environments/e/flags/f HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
		{"a length below zero", "PUT /v1/environments/e/flags/f HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
		{"HTTP/2 without asking", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
		{"a version that nobody knows", "GET /livez HTTP/4.0\r\nHost: h\r\n\r\n", 505},
		{"an encoding that nobody knows", "PUT /v1/environments/e/flags/f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501},
		{"an expectation that nobody can meet", "PUT /v1/environments/e/flags/f HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := socket(t, s, 0)
			_, _ = io.WriteString(c, row.text) // it may be cut off before the end
			if a := heardAnswer(t, c); a.code != row.want {
				t.Errorf("the server said %d %s, want %d", a.code, a.body, row.want)
			}
		})
	}
}

func TestAnEnvironmentThatIsFullTakesNoNewFlag(t *testing.T) {
	log, text := logged()
	s := servertest.Start(t, "resilient", func(c *server.Config) {
		c.Store.(*servertest.Store).Limit, c.Log = 2, log
	})
	const body = `{"enabled":true,"value":1}`
	to := func(environment, key string) string {
		return s.URL + "/v1/environments/" + environment + "/flags/" + key
	}
	for _, row := range []struct {
		name, method, url string
		want              int
	}{
		{"the first", "PUT", to("e", "a"), 201},
		{"the last", "PUT", to("e", "b"), 201},
		{"one too many", "PUT", to("e", "c"), 409},
		{"one that there is", "PUT", to("e", "a"), 200},
		{"in another environment", "PUT", to("f", "c"), 201},
		{"room is made", "DELETE", to("e", "a"), 204},
		{"and used", "PUT", to("e", "c"), 201},
		{"one that was deleted", "PUT", to("e", "a"), 409},
	} {
		a := request(t, row.method, row.url, body)
		if a.code != row.want {
			t.Errorf("%s: %s = %d %s, want %d", row.name, row.method, a.code, a.body, row.want)
		}
		if a.code >= 400 {
			wantProblem(t, a)
		}
	}
	if strings.Contains(text.String(), "database fails") {
		t.Errorf("the log takes a full environment for a database that fails:\n%s", text)
	}
}
