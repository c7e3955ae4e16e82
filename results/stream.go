package results

import (
	"errors"
	"os"
)

// streamBuffer is the number of bytes after which a stream writes by itself.
const streamBuffer = 64 << 10

// A stream appends lines to a file. It hands the file whole lines only, so that a
// killed run ends in a whole line unless the write itself was cut off. It is not
// safe for concurrent use.
type stream struct {
	file *os.File
	buf  []byte
	err  error // the first error; nothing is written after it
}

func openStream(path string) (*stream, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return &stream{file: f, buf: make([]byte, 0, streamBuffer)}, nil
}

func (s *stream) line(data []byte) {
	if len(s.buf)+len(data)+1 > streamBuffer {
		s.flush()
	}
	s.buf = append(append(s.buf, data...), '\n')
}

func (s *stream) flush() {
	if len(s.buf) > 0 && s.err == nil {
		_, s.err = s.file.Write(s.buf)
	}
	s.buf = s.buf[:0]
}

func (s *stream) close() error {
	s.flush()
	return errors.Join(s.err, s.file.Close())
}
