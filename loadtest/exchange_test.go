package loadtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"brownout/results"

	"pgregory.net/rapid"
)

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

// rawServer answers each request of each connection by hand. It ends with t.
func rawServer(t *testing.T, answer func(conn *net.TCPConn, nth int)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serveRaw(conn.(*net.TCPConn), answer)
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return "http://" + ln.Addr().String()
}

// serveRaw calls answer for the first, second, … request of a connection.
func serveRaw(conn *net.TCPConn, answer func(*net.TCPConn, int)) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // a guard against hanging
	buf := make([]byte, 4096)
	for nth := 1; ; nth++ {
		if _, err := conn.Read(buf); err != nil { // the requests here fit in one packet
			return
		}
		answer(conn, nth)
	}
}

func say(conn net.Conn, text string) { _, _ = io.WriteString(conn, text) }

func ok(conn net.Conn, body string) {
	say(conn, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
}

// padded is an answer of a little more than n bytes, with its token at the end.
func padded(n int) string { return `{"pad":"` + strings.Repeat("x", n) + `","v":"x"}` }

func newExchange(t *testing.T, url string) *exchange {
	t.Helper()
	compiled, err := Requests{
		Read:        Template{Method: "GET", URL: url},
		Write:       &Template{Method: "POST", URL: url, Body: "{token}"},
		ReadAnswer:  Answer{Token: Locator{Pointer: "/v"}},
		WriteAnswer: Answer{Version: Locator{Header: "Flag-Version"}},
	}.compile()
	if err != nil {
		t.Fatal(err)
	}
	transport := newTransport(1, 0, 5*time.Second)
	t.Cleanup(transport.CloseIdleConnections)
	return &exchange{base: time.Now(), forms: []forms{compiled}, timeout: 5 * time.Second, transport: transport}
}

func refusedURL(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return "http://" + ln.Addr().String()
}

func TestFailuresAreClassified(t *testing.T) {
	const hang = 50 * time.Millisecond
	for _, row := range []struct {
		name    string
		answer  func(conn *net.TCPConn, nth int) // nil: nobody listens
		timeout time.Duration
		class   results.ErrorClass
		code    int
		detail  string
	}{
		{"a good answer", func(c *net.TCPConn, _ int) { ok(c, `{"v":"x"}`) }, 0, results.ErrorNone, 200, ""},
		{"a long answer is read", func(c *net.TCPConn, _ int) { ok(c, padded(maxBody/2)) }, 0, results.ErrorNone, 200, ""},
		{"a very long answer is not", func(c *net.TCPConn, _ int) { ok(c, padded(2*maxBody)) }, 0, results.ErrorAnswer, 200, "longer than"},
		{"nobody listens", nil, 0, results.ErrorRefused, 0, "connection refused"},
		{"closed in place of an answer", func(c *net.TCPConn, _ int) { c.Close() }, 0, results.ErrorReset, 0, "EOF"},
		{"reset in place of an answer", func(c *net.TCPConn, _ int) { _ = c.SetLinger(0); c.Close() }, 0, results.ErrorReset, 0, "reset by peer"},
		{"closed within the body", func(c *net.TCPConn, _ int) {
			say(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			c.Close()
		}, 0, results.ErrorReset, 200, "unexpected EOF"},
		{"no answer", func(*net.TCPConn, int) {}, hang, results.ErrorTimeout, 0, "no whole answer within 50ms"},
		{"a body that does not end", func(c *net.TCPConn, _ int) {
			say(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
		}, hang, results.ErrorTimeout, 200, "no whole answer within 50ms"},
		{"500 with a reason", func(c *net.TCPConn, _ int) {
			say(c, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 9\r\n\r\nredis\r\nup")
		}, 0, results.ErrorStatus, 500, "500 Internal Server Error: redis up"},
		{"a redirect is not followed", func(c *net.TCPConn, _ int) {
			say(c, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
		}, 0, results.ErrorStatus, 302, "302 Found"},
		{"200 without what was declared", func(c *net.TCPConn, _ int) { ok(c, `{"w":1}`) }, 0, results.ErrorAnswer, 200, "looking for the token: nothing at /v"},
		{"200 with no JSON", func(c *net.TCPConn, _ int) { ok(c, `<p>`) }, 0, results.ErrorAnswer, 200, "the body is not JSON"},
		{"not HTTP", func(c *net.TCPConn, _ int) { say(c, "-ERR unknown command\r\n\r\n") }, 0, results.ErrorOther, 0, "malformed HTTP"},
	} {
		t.Run(row.name, func(t *testing.T) {
			url := ""
			if row.answer == nil {
				url = refusedURL(t)
			} else {
				url = rawServer(t, row.answer)
			}
			e := newExchange(t, url)
			if row.timeout > 0 {
				e.timeout = row.timeout
			}
			hit := e.do(t.Context(), Operation{Op: results.OpRead})
			e.transport.(*http.Transport).CloseIdleConnections()
			if hit.Error != row.class || hit.Code != row.code || !strings.Contains(hit.Detail, row.detail) {
				t.Errorf("hit = %q %d %q, want %q %d %q", hit.Error, hit.Code, hit.Detail, row.class, row.code, row.detail)
			}
		})
	}
}

// TestRequestIsSentOnce lets a kept connection die under its second request.
// net/http would send a GET again and hide it.
func TestRequestIsSentOnce(t *testing.T) {
	for _, row := range []struct {
		name string
		op   results.Op
		die  func(*net.TCPConn)
	}{
		{"a read, closed", results.OpRead, func(c *net.TCPConn) { c.Close() }},
		{"a read, reset", results.OpRead, func(c *net.TCPConn) { _ = c.SetLinger(0); c.Close() }},
		{"a write, closed", results.OpWrite, func(c *net.TCPConn) { c.Close() }},
		{"a write, reset", results.OpWrite, func(c *net.TCPConn) { _ = c.SetLinger(0); c.Close() }},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newExchange(t, rawServer(t, func(c *net.TCPConn, nth int) {
				if nth == 1 {
					ok(c, `{"v":"x"}`)
				} else {
					row.die(c)
				}
			}))
			if first := e.do(t.Context(), Operation{Op: results.OpRead}); !first.OK() {
				t.Fatalf("first hit = %+v, want it answered", first)
			}
			if hit := e.do(t.Context(), Operation{Op: row.op}); hit.Error != results.ErrorReset {
				t.Errorf("hit on a connection that died = %q %q, want %q", hit.Error, hit.Detail, results.ErrorReset)
			}
			e.transport.(*http.Transport).CloseIdleConnections()
		})
	}
}

func TestAnswerIsReadIntoTheHit(t *testing.T) {
	e := newExchange(t, rawServer(t, func(c *net.TCPConn, _ int) {
		say(c, "HTTP/1.1 201 Created\r\nFlag-Version: 9\r\nCache-Status: flags; hit\r\nContent-Length: 9\r\n\r\n"+`{"v":"x"}`)
	}))
	e.forms[0].readAnswer.Version = Locator{Header: "Flag-Version"}
	e.forms[0].readAnswer.Source = SourceLocator{Header: "Cache-Status", CacheStatus: true}
	for _, op := range []Operation{
		{Seq: 4, Op: results.OpRead, Environment: "e", Key: "k"},
		{Seq: 5, Op: results.OpWrite, Environment: "e", Key: "k", Token: "mine"},
	} {
		want := results.Hit{Seq: op.Seq, Op: op.Op, Environment: "e", Key: "k", Code: 201, Version: 9, Token: "x", Source: "hit"}
		if op.Op == results.OpWrite {
			want.Token, want.Source = "mine", "" // a write's token is its own; its source was not asked for
		}
		got := e.do(t.Context(), op)
		got.Done = 0
		if got != want {
			t.Errorf("hit = %+v, want %+v", got, want)
		}
	}
	e.transport.(*http.Transport).CloseIdleConnections()
}

func TestClassify(t *testing.T) {
	for _, row := range []struct {
		name string
		err  error
		want results.ErrorClass
	}{
		{"a deadline of ours", fmt.Errorf("x: %w", context.DeadlineExceeded), results.ErrorTimeout},
		{"a deadline of a socket", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, results.ErrorTimeout},
		{"a connect that nobody answered", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ETIMEDOUT)}, results.ErrorTimeout},
		{"a broken pipe", fmt.Errorf("broken: %w", &net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.EPIPE)}), results.ErrorReset},
		{"a kept connection that was closed", errors.New("http: server closed idle connection"), results.ErrorReset},
		{"no such host", &net.DNSError{Err: "no such host", Name: "nonesuch", IsNotFound: true}, results.ErrorOther},
		{"anything else", errors.New("odd"), results.ErrorOther},
	} {
		if got := classify(row.err); got != row.want {
			t.Errorf("%s: classify(%v) = %q, want %q", row.name, row.err, got, row.want)
		}
	}
}

func TestTextFromOutsideIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOfN(rapid.Byte(), 0, 2*maxText).Draw(t, "text"))
		if rapid.Bool().Draw(t, "wide") {
			text = rapid.StringN(0, 2*maxText, -1).Draw(t, "string")
		}
		got := bounded(text)
		if len(got) > maxText || !utf8.ValidString(got) || strings.ContainsAny(got, "\r\n") {
			t.Fatalf("bounded(%q) = %q of %d bytes, want one valid line of at most %d", text, got, len(got), maxText)
		}
	})
}
