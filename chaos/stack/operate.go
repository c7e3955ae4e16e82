package stack

import (
	"context"
	"errors"
	"fmt"
	"syscall"
)

// errNotOurs is what process operations on an external node end with.
var errNotOurs = errors.New("it is not our process")

func (n *Node) own() (*Process, error) {
	if p := n.Process(); p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s: %w", n.Name, errNotOurs)
}

// Kill kills the node's process (SIGKILL) and returns when it is gone. Its address
// stays its own.
func (n *Node) Kill(ctx context.Context) error {
	p, err := n.own()
	if err != nil {
		return err
	}
	return p.Stop(ctx, syscall.SIGKILL)
}

// Pause freezes the node's process and its children (SIGSTOP). The kernel goes on
// accepting connections, until their queue is full; nothing answers.
func (n *Node) Pause() error {
	p, err := n.own()
	if err != nil {
		return err
	}
	return p.Pause()
}

// Continue lets a frozen process go on (SIGCONT).
func (n *Node) Continue() error {
	p, err := n.own()
	if err != nil {
		return err
	}
	return p.Continue()
}

// Restart starts the node again at the same address, and stops it before if it
// lives. It returns when the node answers; it can be reached before, while it loads.
//
// The node comes back with what its disk holds: of a cache node that lived that is
// everything; of one that was killed, what it held when it was last saved (SAVE) or
// last got a full copy as a replica, and without either nothing; of a database what
// was committed. Empty erases the
// data first, which a database does not allow; a Sentinel then forgets all but the
// first primary. A node of a cluster always remembers the cluster. While one restart
// goes on, another one is an error: two processes would want the same address.
func (n *Node) Restart(ctx context.Context, empty bool) error {
	if !n.restart.TryLock() {
		return fmt.Errorf("%s is being restarted already", n.Name)
	}
	defer n.restart.Unlock()
	p, err := n.own()
	if err != nil {
		return err
	}
	memory, isStore := n.program.(store)
	if empty && !isStore {
		return fmt.Errorf("restarting %s: a database cannot be restarted empty", n.Name)
	}
	if !p.Exited() {
		err = n.rest(ctx, p, empty || !isStore)
	}
	if err == nil && empty {
		err = memory.erase()
	}
	if err == nil {
		_, err = n.launch(ctx)
	}
	if err != nil {
		return fmt.Errorf("restarting %s: %w", n.Name, err)
	}
	return nil
}

// rest stops a process that may be frozen; what is in its memory may go, or is
// saved.
func (n *Node) rest(ctx context.Context, p *Process, mayGo bool) error {
	if err := p.Continue(); err != nil {
		return err
	}
	if !mayGo {
		if err := n.program.(store).save(ctx, n); err != nil {
			return fmt.Errorf("saving its data: %w", err)
		}
	}
	return n.program.stop(ctx, p)
}
