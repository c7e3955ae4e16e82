package stack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brownout/chaos/stack/admin"
)

// The pauses between two questions to a server that is starting.
const (
	firstPause   = time.Millisecond
	longestPause = 20 * time.Millisecond
)

// answerTimeout bounds one question to a server.
const answerTimeout = time.Second

// externalTimeout is how long an external server may take to answer. It should be
// up already; a container may just be starting.
const externalTimeout = 10 * time.Second

// A refusal is an answer that asking again will not change: a wrong password, say.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// errStranger means that another server answers at the node's address.
var errStranger = errors.New("another server answers on its port")

// await asks until the answer is no error. It gives up when one of the processes
// has ended, on a refusal, and when ctx is done.
func await(ctx context.Context, ask func(context.Context) error, ps ...*Process) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, p := range ps {
		defer context.AfterFunc(p.Context(), cancel)()
	}
	for pause := firstPause; ; pause = min(pause*3/2, longestPause) {
		err := askOnce(ctx, ask)
		if err == nil {
			return nil
		}
		if end := anyEnd(ps); end != nil {
			return end
		}
		if refused := (refusal{}); errors.As(err, &refused) {
			return refused.error
		}
		select {
		case <-ctx.Done():
			if end := anyEnd(ps); end != nil {
				return end
			}
			return fmt.Errorf("waiting for its answer: %w (last: %w)", context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}

// askOnce asks with a time limit: a server that hangs now may answer the next time.
func askOnce(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return ask(ctx)
}

// anyEnd says why a process that should live does not, of the first that does not.
func anyEnd(ps []*Process) error {
	for _, p := range ps {
		if !p.Exited() {
			continue
		}
		if err := p.Err(); err != nil {
			return err
		}
		return fmt.Errorf("%s was stopped while it started", p.name)
	}
	return nil
}

// judge makes a refusal of what asking a cache again will not change.
func judge(err error) error {
	var answer *admin.Error
	var foreign *admin.ProtocolError
	if errors.As(err, &answer) && !answer.Temporary() || errors.As(err, &foreign) {
		return refusal{err}
	}
	return err
}
