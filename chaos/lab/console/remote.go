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
	"syscall"
	"time"
)

// maxLine bounds what one command may have.
const maxLine = 64 << 10

// farewellTime bounds what commands have for their last words when the lab ends.
const farewellTime = 500 * time.Millisecond

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
// an error; what labs have left that were killed, of any name, is removed.
func Listen(name string) (net.Listener, error) {
	path, err := Socket(name)
	if err != nil {
		return nil, err
	}
	unlock, err := lockFolder(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unlock()
	if answers(path) {
		return nil, fmt.Errorf("a lab called %s is running already; give this one another --name", name)
	}
	old, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.sock"))
	if err != nil {
		return nil, fmt.Errorf("looking for sockets of old labs: %w", err)
	}
	for _, socket := range old {
		if answers(socket) {
			continue
		}
		if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("removing the socket of an old lab: %w", err)
		}
	}
	return net.Listen("unix", path)
}

// answers reports whether somebody listens at a socket.
func answers(path string) bool {
	c, err := net.Dial("unix", path)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// lockFolder lets one lab at a time look at sockets and make its own: between its
// making and its listening a socket looks like one that a dead lab has left.
func lockFolder(dir string) (unlock func(), err error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the folder of sockets: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("locking the folder of sockets: %w", err), lock.Close())
	}
	return func() { lock.Close() }, nil
}

// Serve carries out commands that come over l until ctx is done. quit is called
// when one of them ends the lab. Commands that go on then are told to end, and get
// a moment to say so.
func (c *Console) Serve(ctx context.Context, l net.Listener, quit func()) error {
	s := &http.Server{
		Handler: c.handler(quit), ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving commands: %w", err)
	case <-ctx.Done():
	}
	sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewellTime)
	defer cancel()
	_ = s.Shutdown(sctx) // who is still busy is cut off
	s.Close()
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
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
