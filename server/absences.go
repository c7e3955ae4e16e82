package server

import (
	"sync"
	"time"
)

// mostAbsences bounds the memory for names that anybody can make up.
const mostAbsences = 10_000

// absences remembers for a short time which environments the database does not have,
// so that asking for what nobody wrote costs a query once in that time. A write
// through this instance ends it at once: it raises the floor above 0, and an absence
// counts at floor 0 only. One through another instance is seen when the time is over.
type absences struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// add is dropped when too many are remembered.
func (a *absences) add(environment string, ttl time.Duration) {
	if ttl <= 0 {
		return
	}
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.until == nil {
		a.until = map[string]time.Time{}
	}
	if len(a.until) >= mostAbsences {
		a.sweep(now)
	}
	if len(a.until) < mostAbsences {
		a.until[environment] = now.Add(ttl)
	}
}

func (a *absences) sweep(now time.Time) {
	for environment, until := range a.until {
		if now.After(until) {
			delete(a.until, environment)
		}
	}
}

func (a *absences) has(environment string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	until, found := a.until[environment]
	if found && time.Now().After(until) {
		delete(a.until, environment)
		return false
	}
	return found
}
