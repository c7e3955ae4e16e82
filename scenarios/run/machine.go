package run

import (
	"os"
	"strconv"
	"strings"
	"time"

	"brownout/results"
)

// tick is the unit of CPU times in /proc (USER_HZ: 100 wherever Go runs on Linux).
const tick = time.Second / 100

// machineSamples are looks at the machine and at the harness itself. Where /proc does
// not tell, only the clocks are looked at.
func (r *runner) machineSamples() []results.Sample {
	now := time.Now()
	at := now.Sub(r.base)
	machine := results.Sample{
		At: at, Process: results.ProcessMachine,
		Drift: time.Duration(now.UnixNano()-r.base.UnixNano()) - at, // these are of the wall clock, at is not
	}
	if text, err := os.ReadFile("/proc/stat"); err == nil {
		machine.CPU, machine.Steal = machineTimes(string(text))
	}
	all := []results.Sample{machine}
	if text, err := os.ReadFile("/proc/self/stat"); err == nil {
		all = append(all, results.Sample{At: at, Process: results.ProcessHarness, CPU: ownTime(string(text))})
	}
	return all
}

// machineTimes reads /proc/stat: the time that all CPUs together were busy, and the
// time that a hypervisor kept from them (proc_stat(5)).
func machineTimes(stat string) (busy, steal time.Duration) {
	line, _, _ := strings.Cut(stat, "\n")
	words := strings.Fields(line)
	if len(words) < 9 || words[0] != "cpu" {
		return 0, 0
	}
	ticks := func(i int) time.Duration {
		n, _ := strconv.ParseInt(words[i], 10, 64)
		return time.Duration(n) * tick
	}
	// user, nice, system, (idle, iowait,) irq, softirq
	return ticks(1) + ticks(2) + ticks(3) + ticks(6) + ticks(7), ticks(8)
}

// ownTime reads /proc/self/stat: user and system time (proc_pid_stat(5)). The name of
// the program, which comes before, may hold anything, and ends with the last ")".
func ownTime(stat string) time.Duration {
	_, rest, _ := strings.Cut(stat[max(0, strings.LastIndexByte(stat, ')')):], " ")
	words := strings.Fields(rest)
	if len(words) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(words[11], 10, 64)
	system, _ := strconv.ParseInt(words[12], 10, 64)
	return time.Duration(user+system) * tick
}
