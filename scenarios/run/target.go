package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"brownout/chaos/stack"
	"brownout/loadtest"
	"brownout/results"
	"brownout/scenarios"
)

// A target is the system under test while it runs.
type target struct {
	base    string // URL
	metrics string // path; "": it tells none
	env     map[string]string
	process *stack.Process // nil: not ours
}

// startTries bounds how often a target is started again because its port was
// taken between our choosing it and its listening.
const startTries = 3

// startTarget starts the target, or finds it where its file says that it runs,
// and waits until it is ready.
func (r *runner) startTarget(ctx context.Context, b *bench) (*target, error) {
	var err error
	for range startTries {
		var t *target
		if t, err = r.tryTarget(ctx, b); err == nil || !r.Target.Started() || ctx.Err() != nil || errors.Is(err, errNotReady) {
			return t, err
		}
	}
	return nil, err
}

func (r *runner) tryTarget(ctx context.Context, b *bench) (*target, error) {
	values := b.values()
	if err := r.ownValues(values); err != nil {
		return nil, err
	}
	address, _ := scenarios.Expand(r.Target.Address, values)
	t := &target{base: address}
	if r.Scenario.Bounds(results.GoroutinesGrowth) { // telling costs CPU, which other figures are of
		t.metrics = r.Target.Metrics
	}
	var err error
	if t.env, err = r.Target.Environ(r.Scenario.Server, values); err != nil {
		return nil, err
	}
	if r.Target.Started() {
		if t.process, err = r.spawn(ctx, b, values, t.env); err != nil {
			return nil, err
		}
	}
	if err := r.awaitReady(ctx, t); err != nil {
		return nil, errors.Join(err, t.stop(interruptedStop))
	}
	return t, nil
}

// ownValues adds what does not come from the stack.
func (r *runner) ownValues(values map[string]string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("choosing a port: %w", err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return fmt.Errorf("freeing the chosen port: %w", err)
	}
	values["listen"] = address
	values["host"], values["port"], _ = net.SplitHostPort(address)
	values["self"] = r.Self
	values["dir"], _ = filepath.Abs(filepath.Dir(r.Target.File))
	return nil
}

func (r *runner) spawn(ctx context.Context, b *bench, values, env map[string]string) (*stack.Process, error) {
	var words []string
	for _, word := range r.Target.Command {
		expanded, whole := scenarios.Expand(word, values)
		if !whole {
			return nil, fmt.Errorf("command word %q needs a dependency that the scenario does not start", word)
		}
		words = append(words, expanded)
	}
	if resolver, ok := b.lab.Resolver(); ok {
		if resolver.File == "" {
			return nil, fmt.Errorf("the lab's names cannot be found by the target: %w", resolver.NoFile)
		}
		words = resolver.Command(words...)
	}
	return b.spawner.Start(ctx, stack.Command{
		Name: instance(len(b.targets)), Path: words[0], Args: words[1:], Env: environ(env),
		Log: filepath.Join(r.rec.Dir(), instance(len(b.targets))+".log"), Base: r.base, Record: r.event,
	})
}

// instance is the name of the process of instance i, from 0.
func instance(i int) string {
	if i == 0 {
		return results.ProcessTarget
	}
	return fmt.Sprintf("%s-%d", results.ProcessTarget, i+1)
}

// environ is the whole environment of the target: its own variables, and of ours
// only what any program needs.
func environ(own map[string]string) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG", "TZ"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	for name, value := range own {
		env = append(env, name+"="+value)
	}
	return env
}

// dialEvery is the time between two dials while a target comes up.
const dialEvery = 20 * time.Millisecond

var errNotReady = errors.New("it was not ready in time")

// awaitReady asks the target until it answers, or its process has ended.
func (r *runner) awaitReady(ctx context.Context, t *target) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.Target.Startup, errNotReady)
	defer cancel()
	if t.process != nil {
		defer context.AfterFunc(t.process.Context(), cancel)()
	}
	wait := loadtest.WaitReady
	path := r.Target.Ready
	if path == "" {
		wait = awaitPort
	}
	if err := wait(ctx, t.base+path); err != nil {
		return t.explain(ctx, err)
	}
	if t.process != nil {
		t.process.Ready("answers at " + t.base + path)
		return t.explain(ctx, ctx.Err()) // another process may have answered in its place
	}
	return nil
}

// awaitPort dials the target until it accepts.
func awaitPort(ctx context.Context, base string) error {
	u, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("reading the target's address: %w", err)
	}
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", u.Host)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("dialling %s: %w", u.Host, err)
		case <-time.After(dialEvery):
		}
	}
}

// explain says why the target was not ready: its own end, our patience, or ctx.
func (t *target) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if t.process != nil && t.process.Exited() {
		return fmt.Errorf("it ended before it was ready: %w", t.process.Err())
	}
	return fmt.Errorf("asking whether it is ready: %w", errors.Join(context.Cause(ctx), err))
}

// stop ends the target as an operator would: SIGTERM, and after the grace SIGKILL.
func (t *target) stop(grace time.Duration) error {
	if t.process == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	return t.process.Stop(ctx, syscall.SIGTERM)
}
