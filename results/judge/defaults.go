package judge

import (
	"fmt"
	"time"
)

// Defaults are the bounds that a judgement takes from nowhere else. They are kept
// with each judgement, so that judging again gives the same. Durations are in
// nanoseconds in JSON.
type Defaults struct {
	// LatenessP99 bounds the p99 of the generator's lateness over the whole load.
	LatenessP99 time.Duration `json:"lateness_p99"`
	// At most LateShare of the hits of any phase that expects or requires something
	// may be later than LateBound: a p99 over the whole load does not see one bad
	// phase.
	LateBound time.Duration `json:"late_bound"`
	LateShare float64       `json:"late_share"`
	// RateReached is the least share of each phase's scheduled hits that must have
	// been sent.
	RateReached float64 `json:"rate_reached"`
	// EvidenceShare is the least share of a fault's chances on which it must have
	// bitten.
	EvidenceShare float64 `json:"evidence_share"`
	// DelayShare is the least share of the delay asked that must have been measured.
	DelayShare float64 `json:"delay_share"`
	// ShareRoom is by how many standard deviations of a fair draw, beyond one connection,
	// the connections that a fault hits may differ from the share asked.
	ShareRoom float64 `json:"share_room"`
	// InForceShare is the least share of its phase in which a fault must have been
	// in force.
	InForceShare float64 `json:"in_force_share"`
	// A step of a failover may be late by StepShare of its time, and StepSlack.
	StepShare float64       `json:"step_share"`
	StepSlack time.Duration `json:"step_slack"`
	// A recovery is the first of RecoveryCount good windows of RecoveryWindow in a row.
	RecoveryWindow time.Duration `json:"recovery_window"`
	RecoveryCount  int           `json:"recovery_count"`
	// CacheBackShare is the least share of reads answered by the cache in a window
	// for cache answers to be back.
	CacheBackShare float64 `json:"cache_back_share"`
	// TailHits is how many hits must lie beyond a quantile: a q-quantile needs
	// TailHits/(1-q) hits.
	TailHits int `json:"tail_hits"`
	// The shape of a backoff needs BackoffPauses pauses. Attempts to connect within
	// BackoffRound are one, and pauses of which three of four are below BackoffTight
	// are none.
	BackoffPauses int           `json:"backoff_pauses"`
	BackoffRound  time.Duration `json:"backoff_round"`
	BackoffTight  time.Duration `json:"backoff_tight"`
	// The peak of connections is that of any PeakWindow. Synchrony is the share of the
	// reconnects in any SyncWindow, and needs SyncConnects of them.
	PeakWindow   time.Duration `json:"peak_window"`
	SyncWindow   time.Duration `json:"sync_window"`
	SyncConnects int           `json:"sync_connects"`
	// GrowthLooks is how many looks at a process tell whether it grows.
	GrowthLooks int `json:"growth_looks"`
	// A phase after the last fault has recovered when StepGood of the answers in its
	// second half are good; that takes StepHits of them.
	StepGood float64 `json:"step_good"`
	StepHits int     `json:"step_hits"`
	// ClockJump is by how much the wall clock may jump between two looks.
	ClockJump time.Duration `json:"clock_jump"`
	// StealShare bounds the share of the CPU time that a hypervisor keeps from the
	// machine in a phase that expects or requires something, OwnShare the share that the
	// harness uses itself.
	StealShare float64 `json:"steal_share"`
	OwnShare   float64 `json:"own_share"`
}

// Standard returns the defaults that every run is judged by.
func Standard() Defaults {
	return Defaults{
		LatenessP99:    10 * time.Millisecond,
		LateBound:      50 * time.Millisecond,
		LateShare:      0.01,
		RateReached:    0.99,
		EvidenceShare:  0.9,
		DelayShare:     0.9,
		ShareRoom:      3,
		InForceShare:   0.9,
		StepShare:      0.1,
		StepSlack:      100 * time.Millisecond,
		RecoveryWindow: 100 * time.Millisecond,
		RecoveryCount:  3,
		CacheBackShare: 0.5,
		TailHits:       10,
		BackoffPauses:  5,
		BackoffRound:   2 * time.Millisecond,
		BackoffTight:   10 * time.Millisecond,
		PeakWindow:     time.Second,
		SyncWindow:     100 * time.Millisecond,
		SyncConnects:   10,
		GrowthLooks:    8,
		StepGood:       0.99,
		StepHits:       100,
		ClockJump:      500 * time.Millisecond,
		StealShare:     0.1,
		OwnShare:       0.9,
	}
}

// String returns the defaults in one line, for people.
func (d Defaults) String() string {
	return fmt.Sprintf("lateness p99 <= %v, <= %s later than %v in a phase; rate >= %s; faults bite >= %s, delay >= %s, in force >= %s, share of connections within %g standard deviations; failover steps <= %s + %v late; "+
		"recovery: %d windows of %v, cache back at %s; quantile q needs %d/(1-q) hits; backoff: %d pauses, attempts within %v are one, tight below %v; peak over %v; synchrony over %v, of %d connects; growth: %d looks; a step recovers with %s of %d hits good; clock jumps <= %v, stolen CPU <= %s, own CPU <= %s",
		d.LatenessP99, Share.Format(d.LateShare), d.LateBound, Share.Format(d.RateReached),
		Share.Format(d.EvidenceShare), Share.Format(d.DelayShare), Share.Format(d.InForceShare), d.ShareRoom,
		Share.Format(d.StepShare), d.StepSlack, d.RecoveryCount, d.RecoveryWindow, Share.Format(d.CacheBackShare), d.TailHits,
		d.BackoffPauses, d.BackoffRound, d.BackoffTight, d.PeakWindow, d.SyncWindow, d.SyncConnects, d.GrowthLooks, Share.Format(d.StepGood), d.StepHits, d.ClockJump, Share.Format(d.StealShare), Share.Format(d.OwnShare))
}
