package stack

import (
	"path/filepath"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// killStragglers kills the servers of a PostgreSQL that was frozen when its harness
// was killed, in the run folder dir: the kernel kills the postmaster then, and the
// others sleep on.
func killStragglers(dir string) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return
	}
	all, err := procfs.AllProcs()
	if err != nil {
		return
	}
	for _, p := range all {
		if frozenIn(p, real) {
			killStraggler(p, real)
		}
	}
}

// killStraggler kills the process, and nobody who got its id since.
func killStraggler(p procfs.Proc, dir string) {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if frozenIn(p, dir) {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) // gone, or another user's
	}
}

// frozenIn reports whether the process is a frozen server that works in dir. A shell
// that somebody has there is none.
func frozenIn(p procfs.Proc, dir string) bool {
	cwd, err := p.Cwd()
	if err != nil || !strings.HasPrefix(cwd, dir+"/") {
		return false
	}
	stat, err := p.Stat()
	return err == nil && stat.State == "T" && stat.Comm == Postgres
}
