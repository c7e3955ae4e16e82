package stack

import (
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// A tree is a process, its group and all who descend from it, of whom some may lead
// groups of their own. The process must not have been reaped.
type tree int

// How often and how long it is looked whether a tree stands still. A process that
// waits for a disk stops only then.
const (
	freezePause   = 100 * time.Microsecond
	freezeTimeout = time.Second
)

// freeze freezes the tree and reports whether it stands still. A child that was made
// meanwhile is found in the next round.
func (t tree) freeze() bool {
	for begin := time.Now(); time.Since(begin) < freezeTimeout; time.Sleep(freezePause) {
		if still := freezeOnce(int(t)); still {
			return true
		}
	}
	return false
}

// freezeOnce freezes who is found, and reports whether all stood still before.
func freezeOnce(pid int) bool {
	still := standsStill(pid)
	if !still {
		_ = unix.Kill(pid, unix.SIGSTOP)
		_ = unix.Kill(-pid, unix.SIGSTOP)
	}
	for _, child := range children(pid) {
		still = freezeOnce(child) && still
	}
	return still
}

// standsStill reports whether a process is frozen, or has ended.
func standsStill(pid int) bool {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return true
	}
	stat, err := p.Stat()
	return err != nil || stat.State == "T" || stat.State == "Z" || stat.State == "X"
}

// wake wakes the tree, parents last.
func (t tree) wake() {
	for _, child := range children(int(t)) {
		tree(child).wake()
	}
	_ = unix.Kill(int(t), unix.SIGCONT)
	_ = unix.Kill(-int(t), unix.SIGCONT)
}

// kill kills the tree. It is frozen before: then none makes another child, and no id
// is given to somebody else, because nobody reaps.
func (t tree) kill() {
	t.freeze()
	t.killFrozen()
}

func (t tree) killFrozen() {
	for _, child := range children(int(t)) {
		tree(child).killFrozen()
	}
	_ = unix.Kill(int(t), unix.SIGKILL)
	_ = unix.Kill(-int(t), unix.SIGKILL)
}

// stopped reports whether the process is stopped, and not merely gone.
func stopped(pid int) bool {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return false
	}
	stat, err := p.Stat()
	return err == nil && stat.State == "T"
}
