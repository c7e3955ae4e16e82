package stack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A segment is a piece of System V shared memory. PostgreSQL makes one of 56 bytes
// for each data folder, whatever its shared_memory_type, and a postmaster that is
// killed by SIGKILL leaves it behind.
type segment struct {
	key, id int
}

// segmentLine is the line of postmaster.pid that names the segment, as "key id"
// (LOCK_FILE_LINE_SHMEM_KEY in PostgreSQL's src/include/utils/pidfile.h).
const segmentLine = 7

// readSegment reads the segment from a postmaster.pid. A file without one, or
// none at all, belongs to a postmaster that made none or took it away itself.
func readSegment(pidFile string) (s segment, found bool, err error) {
	f, err := os.Open(pidFile)
	if errors.Is(err, os.ErrNotExist) {
		return s, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("reading the segment of a postmaster: %w", err)
	}
	defer f.Close()
	line := 0
	for in := bufio.NewScanner(f); in.Scan(); {
		if line++; line == segmentLine {
			n, _ := fmt.Sscan(in.Text(), &s.key, &s.id)
			return s, n == 2, nil
		}
	}
	return s, false, nil
}

// removeSegment removes the segment that a postmaster.pid names, once nobody is
// attached to it. The backends of a killed postmaster need some milliseconds to
// notice. When ctx is done before, that is the error.
func removeSegment(ctx context.Context, pidFile string) error {
	s, found, err := readSegment(pidFile)
	if err != nil || !found {
		return err
	}
	for {
		free, err := s.free()
		if err != nil || free {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("removing shared memory segment %d: still attached: %w", s.id, context.Cause(ctx))
		case <-time.After(time.Millisecond):
		}
	}
}

// free removes the segment when nobody is attached to it. It reports false when
// somebody is. A segment of another key is not ours: ids are used again.
func (s segment) free() (bool, error) {
	var d unix.SysvShmDesc
	_, err := unix.SysvShmCtl(s.id, unix.IPC_STAT, &d)
	switch {
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EIDRM), errors.Is(err, unix.EACCES):
		return true, nil // gone, or another user's by now
	case err != nil:
		return false, fmt.Errorf("looking at shared memory segment %d: %w", s.id, err)
	case uint32(d.Perm.Key) != uint32(s.key):
		return true, nil
	case d.Nattch > 0:
		return false, nil
	}
	if _, err := unix.SysvShmCtl(s.id, unix.IPC_RMID, nil); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EIDRM) {
		return false, fmt.Errorf("removing shared memory segment %d: %w", s.id, err)
	}
	return true, nil
}
