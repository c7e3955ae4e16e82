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

// signalGroup signals a process group and wakes it. A group that is gone is no
// error.
func signalGroup(pid int, sig syscall.Signal) {
	_ = unix.Kill(-pid, sig)
	_ = unix.Kill(-pid, unix.SIGCONT)
}
