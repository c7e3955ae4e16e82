package metrics

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Route counts the requests of one route.
type Route struct {
	methods map[string]*series // by method
	other   *series            // of all other methods
}

// NewRoute makes the counters of a route, which is a pattern and not a path. Its methods
// are those that it has; requests with others count together.
func (m *Metrics) NewRoute(route string, methods ...string) *Route {
	r := &Route{methods: map[string]*series{}, other: m.series(route, "other")}
	for _, method := range methods {
		r.methods[method] = m.series(route, method)
	}
	return r
}

// Count takes a request that was answered with that status.
func (r *Route) Count(method string, status int, took time.Duration) {
	s, known := r.methods[method]
	if !known {
		s = r.other
	}
	s.count(status, took)
}

// statuses is one more than the largest status that HTTP has.
const statuses = 600

// series are the counters of one route and method. Those of statuses are made when they
// are needed first, so that there are no counters of what never happens.
type series struct {
	statuses [statuses]atomic.Pointer[prometheus.Counter]
	made     func(code string) prometheus.Counter
	seconds  func() prometheus.Observer
	observer atomic.Pointer[prometheus.Observer]
}

func (m *Metrics) series(route, method string) *series {
	return &series{
		made:    func(code string) prometheus.Counter { return m.requests.WithLabelValues(route, method, code) },
		seconds: func() prometheus.Observer { return m.seconds.WithLabelValues(route, method) },
	}
}

func (s *series) count(status int, took time.Duration) {
	if status < 0 || status >= statuses {
		status = http.StatusInternalServerError
	}
	c := s.statuses[status].Load()
	if c == nil {
		made := s.made(strconv.Itoa(status)) // the same one, whoever makes it first
		c = &made
		s.statuses[status].Store(c)
	}
	(*c).Inc()
	o := s.observer.Load()
	if o == nil {
		made := s.seconds()
		o = &made
		s.observer.Store(o)
	}
	(*o).Observe(took.Seconds())
}
