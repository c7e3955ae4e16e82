package stack

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// canLocal reports whether local servers are possible on this system.
const canLocal = true

// dieWithParent makes the kernel kill a child when the thread that makes it ends.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// await waits for the end of the process, ends what is left of its group and
// reaps it. In this order: until it is reaped, its id can belong to nobody else.
func (p *Process) await() error {
	for {
		err := unix.Waitid(unix.P_PID, p.PID(), nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.signal(unix.SIGKILL)
	p.setReaped()
	return p.cmd.Wait()
}

// awaitFrozen waits until the process stands still, or has ended.
func awaitFrozen(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// signalGroup signals a process group and wakes it. A group that is gone is no
// error.
func signalGroup(pid int, sig syscall.Signal) {
	_ = unix.Kill(-pid, sig)
	_ = unix.Kill(-pid, unix.SIGCONT)
}

// freezeTree freezes a group and all who descend from its leader: parents first,
// so that none gets a child that is missed.
func freezeTree(pid int) {
	_ = unix.Kill(-pid, unix.SIGSTOP)
	for _, child := range children(pid) {
		_ = unix.Kill(child, unix.SIGSTOP)
		freezeTree(child)
	}
}

// wakeTree wakes them again.
func wakeTree(pid int) {
	for _, child := range children(pid) {
		wakeTree(child)
		_ = unix.Kill(child, unix.SIGCONT)
	}
	_ = unix.Kill(-pid, unix.SIGCONT)
}

// killTree kills them. It freezes them first: then none gets another child, and no
// id is given to somebody else, because nobody reaps.
func killTree(pid int) {
	freezeTree(pid)
	killFrozen(pid)
}

func killFrozen(pid int) {
	for _, child := range children(pid) {
		killFrozen(child)
		_ = unix.Kill(child, unix.SIGKILL)
	}
	_ = unix.Kill(-pid, unix.SIGKILL)
}
