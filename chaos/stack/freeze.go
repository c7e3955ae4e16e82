package stack

import (
	"fmt"
	"os"
	"syscall"
)

// Pause freezes the process and all that descend from it (SIGSTOP; a container by the
// kernel's freezer), and returns when it stands still.
func (p *Process) Pause() error {
	if p.box != nil {
		return p.box.pause(p.name)
	}
	still := false
	err := p.signalAll(func(t tree) { still = t.freeze() }) // under the lock: nobody wakes it meanwhile
	if err == nil && !still {
		err = fmt.Errorf("it does not stand still after %v", freezeTimeout)
	}
	if err != nil {
		return fmt.Errorf("pausing %s: %w", p.name, err)
	}
	return nil
}

// Continue lets the process and all that descend from it go on (SIGCONT). One that
// is not frozen goes on anyway.
func (p *Process) Continue() error {
	if p.box != nil {
		return p.box.goOn(p.name)
	}
	if err := p.signalAll(tree.wake); err != nil {
		return fmt.Errorf("continuing %s: %w", p.name, err)
	}
	return nil
}

// Frozen reports whether the process stands still, as the kernel says; of a container
// as its engine says.
func (p *Process) Frozen() bool {
	if p.box != nil {
		return p.box.frozen()
	}
	return !p.Exited() && stopped(p.PID())
}

// signalAll calls do with the process and its descendants, as long as it is certainly
// ours.
func (p *Process) signalAll(do func(tree)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	do(tree(p.PID()))
	return nil
}

// signal asks the whole group to end by sig, as long as the group is certainly
// ours. Who is frozen is woken, or would hear nothing but SIGKILL. That goes to all
// descendants at once: PostgreSQL's have groups of their own.
func (p *Process) signal(sig syscall.Signal) {
	if p.box != nil {
		p.box.signal(sig)
		return
	}
	_ = p.signalAll(func(t tree) { // one that has ended needs no signal
		if sig == syscall.SIGKILL {
			t.kill()
			return
		}
		signalGroup(int(t), sig)
		t.wake()
	})
}
