package lab

import (
	"errors"
	"time"

	"brownout/results"
)

// A Tap takes what happens in a lab. Its functions are called concurrently.
type Tap struct {
	Record   func(results.Event)
	Exchange func(results.Exchange)
}

// Base is the start of the clock of what the lab tells.
func (l *Lab) Base() time.Time { return l.cfg.Base }

// Listen lets t take what happens from now on, beside Config's functions. Close ends
// that: nothing is told to t after it has returned. One can listen at a time.
func (l *Lab) Listen(t Tap) (closing func(), err error) {
	l.taps.Lock()
	defer l.taps.Unlock()
	if l.tap != nil {
		return nil, errors.New("somebody listens to the lab already")
	}
	l.tap = &t
	return func() {
		l.taps.Lock()
		defer l.taps.Unlock()
		l.tap = nil
	}, nil
}

func (l *Lab) event(e results.Event) {
	l.own.Record(e)
	l.taps.RLock()
	defer l.taps.RUnlock()
	if l.tap != nil {
		l.tap.Record(e)
	}
}

func (l *Lab) exchange(e results.Exchange) {
	l.own.Exchange(e)
	l.taps.RLock()
	defer l.taps.RUnlock()
	if l.tap != nil {
		l.tap.Exchange(e)
	}
}
