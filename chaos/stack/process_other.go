//go:build !linux

package stack

import (
	"context"
	"errors"
	"syscall"

	"brownout/results"
)

// canLocal reports whether local servers are possible on this system: without
// PR_SET_PDEATHSIG they would outlive a killed harness.
const canLocal = false

// dieWithParent can do nothing: a child outlives a harness that is killed by
// SIGKILL.
func dieWithParent(*syscall.SysProcAttr) {}

// await waits for the end of the process and reaps it. What is left of its group
// lives on.
func (p *Process) await() error {
	err := p.cmd.Wait()
	p.setReaped()
	return err
}

func signalGroup(pid int, sig syscall.Signal) {
	_ = syscall.Kill(-pid, sig)
	_ = syscall.Kill(-pid, syscall.SIGCONT)
}

// Elsewhere a tree is the group.
type tree int

const freezeTimeout = 0 // not waited for

func (t tree) freeze() bool { return syscall.Kill(-int(t), syscall.SIGSTOP) == nil }

func (t tree) wake() { _ = syscall.Kill(-int(t), syscall.SIGCONT) }

func (t tree) kill() { signalGroup(int(t), syscall.SIGKILL) }

// stopped needs /proc.
func stopped(int) bool { return false }

// Usage needs /proc.
func (p *Process) Usage() (results.Sample, error) {
	return results.Sample{}, errors.New("looking at a process needs Linux")
}

// removeSegment has nothing to do where there are no local servers.
func removeSegment(context.Context, string) error { return nil }

// killStragglers has nothing to do where there are no local servers.
func killStragglers(string) {}

// spread is about ext4.
func spread(string) {}
