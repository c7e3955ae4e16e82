package link

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brownout/chaos/link/wire"
)

// A talk is what the two sides of a connection say to each other. It stands
// between the faults and the dependency: it sees what the dependency sees, and an
// answer in the dependency's name goes through the faults like the dependency's
// own.
//
// Two goroutines use it, one for each direction, and those that inject.
type talk struct {
	now    func() time.Duration
	write  func([]byte) (int, error) // to the dependency
	give   func([]byte) error        // to the client, through the faults
	hangUp func()                    // close both sides with FIN after what was given

	// order is held from the moment in which it is decided what the client gets
	// until it has been given. It is taken before mu.
	order    sync.Mutex
	finished bool        // the client gets nothing more; guarded by order
	injected atomic.Bool // an answer was ever put in force: answers may come

	mu       sync.Mutex
	dialog   wire.Dialog // nil: the link's protocol is not known
	over     bool        // nothing comes from the dependency any more
	answers  []*answering
	released chan struct{} // closed, and made anew, when an answer that delays is taken away
}

func newTalk(d wire.Dialog, now func() time.Duration) *talk {
	return &talk{dialog: d, now: now, released: make(chan struct{})}
}

// up carries b, from the client, to the dependency.
func (t *talk) up(ctx context.Context, b []byte) (int, error) {
	step, released, err := t.asked(b)
	if err != nil || step.Close {
		return len(b), err
	}
	if step.Delay > 0 {
		t.wait(ctx, step.Delay, released)
	}
	if len(step.Forward) == 0 {
		return len(b), nil
	}
	n, err := t.write(step.Forward)
	return min(n, len(b)), err
}

// asked gives b to the dialog, and the client what is answered at once. Where an
// answer may come of it, order is held from before the dialog is asked: or the
// dependency's next words could get between, and the answer into the middle of
// them. Without one it is not: a client that writes and does not read must not be
// kept from writing.
func (t *talk) asked(b []byte) (wire.Step, <-chan struct{}, error) {
	say := t.answer
	if t.injected.Load() {
		t.order.Lock()
		defer t.order.Unlock()
		say = t.say
	}
	step, released := t.ask(b)
	if len(step.Back) == 0 && !step.Close {
		return step, released, nil
	}
	return step, released, say(step)
}

func (t *talk) ask(b []byte) (wire.Step, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dialog == nil {
		return wire.Step{Forward: b}, nil
	}
	return t.dialog.Up(b, t.now()), t.released
}

// down carries b, from the dependency, to the client.
func (t *talk) down(b []byte) error {
	t.order.Lock()
	defer t.order.Unlock()
	t.mu.Lock()
	step := wire.Step{Forward: b}
	if t.dialog != nil {
		step = t.dialog.Down(b, t.now())
	}
	t.mu.Unlock()
	if len(step.Forward) > 0 {
		if err := t.give(step.Forward); err != nil {
			return err
		}
	}
	if step.Close {
		t.hangUp()
	}
	return nil
}

// answer gives the client what a step says in the dependency's name.
func (t *talk) answer(step wire.Step) error {
	t.order.Lock()
	defer t.order.Unlock()
	return t.say(step)
}

// say is answer; order is held.
func (t *talk) say(step wire.Step) error {
	if t.finished {
		return net.ErrClosed
	}
	if len(step.Back) > 0 {
		if err := t.give(step.Back); err != nil {
			return err
		}
	}
	if step.Close {
		t.hangUp()
	}
	return nil
}

// wait keeps what the client sent for d, or until the answer that asked for it is
// taken away.
func (t *talk) wait(ctx context.Context, d time.Duration, released <-chan struct{}) {
	start := time.Now()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-released:
		return
	case <-ctx.Done():
		return
	}
	t.mu.Lock()
	answers := slices.Clone(t.answers)
	t.mu.Unlock()
	for _, a := range answers {
		if a.answer.Delay > 0 {
			a.kept(time.Since(start))
		}
	}
}

// inject puts a in force. What the client is to be told at once is told by a
// goroutine that start starts: inject does not block.
func (t *talk) inject(a *answering, fresh bool, start func(func())) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dialog == nil || t.over {
		return
	}
	t.injected.Store(true)
	t.answers = append(t.answers, a)
	step := t.dialog.Inject(&a.answer, fresh, t.now())
	step.Back = bytes.Clone(step.Back)
	if len(step.Back) > 0 || step.Close {
		start(func() { t.answer(step) }) // its error has told the connection
	}
}

// lift takes a away.
func (t *talk) lift(a *answering) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dialog == nil {
		return
	}
	t.answers = slices.DeleteFunc(t.answers, func(other *answering) bool { return other == a })
	t.dialog.Lift(&a.answer)
	if a.answer.Delay == 0 {
		return // it has kept nothing
	}
	close(t.released)
	t.released = make(chan struct{})
}

// aside says why the dialog does not follow the streams any more.
func (t *talk) aside() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dialog == nil {
		return ""
	}
	return t.dialog.Aside()
}

// end says that nothing comes from the dependency any more. Nothing is injected
// after it.
func (t *talk) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dialog != nil && !t.over {
		t.dialog.End(t.now())
	}
	t.over = true
}

// finish calls last, which ends what the client gets.
func (t *talk) finish(last func()) {
	t.end()
	t.order.Lock()
	defer t.order.Unlock()
	t.finished = true
	last()
}
