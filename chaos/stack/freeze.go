package stack

import (
	"fmt"
	"os"
	"syscall"
)

// Pause freezes the process and all that descend from it (SIGSTOP), and returns
// when it stands still.
func (p *Process) Pause() error {
	err := p.signalAll(func(pid int) {
		freezeTree(pid)
		awaitFrozen(pid) // under the lock, so that nobody wakes it meanwhile
	})
	if err != nil {
		return fmt.Errorf("pausing %s: %w", p.name, err)
	}
	return nil
}

// Continue lets the process and all that descend from it go on (SIGCONT). One that
// is not frozen goes on anyway.
func (p *Process) Continue() error {
	if err := p.signalAll(wakeTree); err != nil {
		return fmt.Errorf("continuing %s: %w", p.name, err)
	}
	return nil
}

// signalAll calls do with the id of the process, as long as that is certainly ours.
func (p *Process) signalAll(do func(pid int)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	do(p.PID())
	return nil
}

// signal asks the whole group to end by sig, as long as the group is certainly
// ours. Who is frozen is woken, or would hear nothing but SIGKILL. That goes to all
// descendants at once: PostgreSQL's have groups of their own.
func (p *Process) signal(sig syscall.Signal) {
	_ = p.signalAll(func(pid int) { // one that has ended needs no signal
		if sig == syscall.SIGKILL {
			killTree(pid)
			return
		}
		signalGroup(pid, sig)
		wakeTree(pid)
	})
}
