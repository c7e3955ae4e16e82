package process

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"brownout/chaos/stack"
)

// askTimeout bounds a question to a server that should answer at once.
const askTimeout = 2 * time.Second

// ask asks a cache and returns the text or number that it answers.
func ask(ctx context.Context, n *stack.Node, words ...string) (text string, null bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r, err := n.Do(ctx, words...)
	if err != nil {
		return "", false, fmt.Errorf("asking the %s: %w", n.Name, err)
	}
	return r.Text, r.Null, nil
}

// tell sends a command of which the answer does not matter.
func tell(ctx context.Context, n *stack.Node, words ...string) error {
	_, _, err := ask(ctx, n, words...)
	return err
}

// number asks for a number.
func number(ctx context.Context, n *stack.Node, words ...string) (int, error) {
	text, _, err := ask(ctx, n, words...)
	if err != nil {
		return 0, err
	}
	value, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("asking the %s: %s answered %q, want a number", n.Name, words[0], text)
	}
	return value, nil
}

// setting asks for a setting.
func setting(ctx context.Context, n *stack.Node, name string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	r, err := n.Do(ctx, "CONFIG", "GET", name)
	if err != nil {
		return "", fmt.Errorf("asking the %s: %w", n.Name, err)
	}
	if len(r.List) != 2 {
		return "", fmt.Errorf("asking the %s: it has no setting %s", n.Name, name)
	}
	return r.List[1].Text, nil
}
