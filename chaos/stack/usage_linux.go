package stack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"brownout/results"

	"github.com/prometheus/procfs"
)

// Usage looks at the process and its living descendants, of which PostgreSQL has
// one for each connection. CPU is user and system time, that of descendants that
// have ended included, and never goes back from one look to the next. Memory is
// the sum of their resident bytes: a page that two share counts twice. Zombies
// count for their CPU only.
func (p *Process) Usage() (results.Sample, error) {
	if p.box != nil {
		return results.Sample{}, fmt.Errorf("looking at %s: it is in a container", p.name)
	}
	sample := results.Sample{At: time.Since(p.base), Process: p.name}
	if err := addUsage(&sample, p.PID(), true); err != nil {
		return results.Sample{}, fmt.Errorf("looking at %s: %w", p.name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return results.Sample{}, fmt.Errorf("looking at %s: it has ended", p.name)
	}
	p.cpu = max(p.cpu, sample.CPU)
	sample.CPU = p.cpu
	return sample, nil
}

// addUsage adds a process and its descendants to s. A descendant that ends while
// it is looked at is left out: its CPU is in its parent's by then, or at the next
// look.
func addUsage(s *results.Sample, pid int, root bool) error {
	err := addProcess(s, pid)
	if err != nil {
		if !root && gone(err) {
			return nil
		}
		return err
	}
	for _, child := range children(pid) {
		if err := addUsage(s, child, false); err != nil {
			return err
		}
	}
	return nil
}

func addProcess(s *results.Sample, pid int) error {
	proc, err := procfs.NewProc(pid)
	if err != nil {
		return err
	}
	stat, err := proc.Stat()
	if err != nil {
		return err
	}
	// procfs's CPUTime leaves out descendants that have ended.
	ticks := time.Duration(stat.UTime) + time.Duration(stat.STime) + time.Duration(stat.CUTime) + time.Duration(stat.CSTime)
	if stat.State == "Z" {
		s.CPU += ticks * tick
		return nil
	}
	descriptors, err := proc.FileDescriptorsLen()
	if err != nil {
		return err
	}
	s.CPU += ticks * tick
	s.Memory += int64(stat.ResidentMemory())
	s.Descriptors += descriptors
	s.Threads += stat.NumThreads
	return nil
}

// tick is the unit of CPU times in /proc (USER_HZ, which is 100 on every
// architecture that Go supports; see proc_stat.go in procfs v0.23.0).
const tick = time.Second / 100

// gone reports whether err says that a process ended while it was looked at.
func gone(err error) bool {
	return errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "no such process")
}

// children lists the living children of a process. procfs does not read this
// file. A kernel without it (CONFIG_PROC_CHILDREN) shows none.
func children(pid int) []int {
	tasks := filepath.Join("/proc", strconv.Itoa(pid), "task")
	threads, err := os.ReadDir(tasks)
	if err != nil {
		return nil
	}
	var all []int
	for _, thread := range threads {
		data, err := os.ReadFile(filepath.Join(tasks, thread.Name(), "children"))
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(string(data)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}
