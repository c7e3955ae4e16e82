package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxLine bounds what one command may have.
const maxLine = 64 << 10

// Of the answer to a command: what was wrong, and that the lab ends.
const (
	errorTrailer = "Lab-Error"
	quitTrailer  = "Lab-Quit"
)

// Socket is the path of the socket of the lab called name, in a folder that only
// this user may enter.
func Socket(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/\\") {
		return "", fmt.Errorf("%q is no name for a lab; for example lab", name)
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("brownout-lab-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the folder of the lab's socket: %w", err)
	}
	return filepath.Join(dir, name+".sock"), nil
}

// Listen opens the socket of the lab called name. A lab of that name that lives is
// an error; what one that was killed has left is removed.
func Listen(name string) (net.Listener, error) {
	path, err := Socket(name)
	if err != nil {
		return nil, err
	}
	if c, err := net.Dial("unix", path); err == nil {
		c.Close()
		return nil, fmt.Errorf("a lab called %s is running already; give this one another --name", name)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing the socket of an old lab: %w", err)
	}
	return net.Listen("unix", path)
}

// Serve carries out commands that come over l until ctx is done. quit is called
// when one of them ends the lab.
func (c *Console) Serve(ctx context.Context, l net.Listener, quit func()) error {
	s := &http.Server{
		Handler: c.handler(quit), ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving commands: %w", err)
	}
	return nil
}

func (c *Console) handler(quit func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line, err := io.ReadAll(io.LimitReader(r.Body, maxLine))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Trailer", errorTrailer+", "+quitTrailer)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		err = c.Do(r.Context(), string(line), flushing{w, http.NewResponseController(w)})
		switch {
		case errors.Is(err, ErrQuit):
			w.Header().Set(quitTrailer, "yes")
			quit()
		case err != nil:
			w.Header().Set(errorTrailer, strings.ReplaceAll(err.Error(), "\n", "; "))
		}
	})
}

// A flushing writer sends each line at once.
type flushing struct {
	io.Writer
	*http.ResponseController
}

func (f flushing) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	return n, errors.Join(err, f.Flush())
}

// Send gives line to the lab called name, and copies what it says to out.
func Send(ctx context.Context, name, line string, out io.Writer) error {
	path, err := Socket(name)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://lab/do", strings.NewReader(line))
	if err != nil {
		return fmt.Errorf("asking the lab: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no lab called %s answers; start one with brownout lab: %w", name, err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(out, resp.Body); err != nil {
		return fmt.Errorf("reading what the lab says: %w", err)
	}
	if text := resp.Trailer.Get(errorTrailer); text != "" {
		return errors.New(text)
	}
	return nil
}
