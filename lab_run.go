package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"brownout/chaos/lab"
	"brownout/chaos/lab/console"
	"brownout/results/judge"
	"brownout/scenarios"
	"brownout/scenarios/run"
)

// runInLab is the lab's command run: a scenario's load, faults and verdict, with the
// lab as its stack.
func (f labFlags) runInLab(l *lab.Lab) console.Command {
	return console.Command{
		Name: "run", Args: "SCENARIO [PATH=VALUE]...",
		Doc: "run a scenario in this lab, against the app of --attach or the reference server, and judge it",
		Run: func(ctx context.Context, args []string, out io.Writer) error {
			if len(args) == 0 {
				return errors.New("which scenario? its name or file; for example run elasticache-test-failover")
			}
			s, target, err := f.scenario(args[0], args[1:])
			if err != nil {
				return err
			}
			if err := fits(s, target, l); err != nil {
				return err
			}
			return runHere(ctx, l, s, target, out)
		},
	}
}

// scenario finds a scenario and the target that it is for here.
func (f labFlags) scenario(name string, set []string) (*scenarios.Scenario, *scenarios.Target, error) {
	var overrides []scenarios.Override
	for _, text := range set {
		o, err := scenarios.ParseOverride(text)
		if err != nil {
			return nil, nil, err
		}
		overrides = append(overrides, o)
	}
	s, err := scenarios.Find(name, overrides...)
	if err != nil {
		return nil, nil, err
	}
	if f.attach != "" {
		s.Target = f.attach
	}
	target, err := scenarios.FindTarget(s.Target)
	if err != nil {
		return nil, nil, err
	}
	return s, target, target.Check(s)
}

// fits says what the lab lacks for the scenario. TLS, passwords and names are as the
// lab has them, whatever the scenario says.
func fits(s *scenarios.Scenario, target *scenarios.Target, l *lab.Lab) error {
	if want, has := s.Stack.Topology(), l.Topology(); want != has {
		return fmt.Errorf("%s needs a cache of kind %s, and this lab has %s", s.Name, s.Stack.Cache, has)
	}
	if target.Started() && s.Stack.Database != "none" && l.DatabaseURL() == "" {
		return fmt.Errorf("%s needs a database: start the lab with --database", s.Name)
	}
	for _, p := range s.Phases {
		for _, fault := range p.Faults {
			if l.Link(fault.On) == nil {
				return fmt.Errorf("%s needs the link %s, which this lab does not have; --database gives it a database", s.Name, fault.On)
			}
		}
	}
	return nil
}

// runHere runs the scenario. A verdict other than pass is the error.
func runHere(ctx context.Context, l *lab.Lab, s *scenarios.Scenario, target *scenarios.Target, out io.Writer) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the brownout binary: %w", err)
	}
	show := newProgress(out)
	folder, err := run.Run(ctx, run.Config{
		Scenario: s, Target: target, Results: defaultResults, Seed: rand.Uint64()>>1 | 1, Self: self, Lab: l,
		Status: show.status, Interval: show.interval,
	})
	show.done()
	if folder == "" {
		return err
	}
	o := runOptions{stdout: out, stderr: out}
	c, err := o.judge(folder) // an error of the run is in the recording, and in the verdict
	if err == nil && c.Judgment.Verdict != judge.Pass {
		err = fmt.Errorf("%s: %s", c.Judgment.Verdict, c.Judgment.Why)
	}
	return err
}
