package defect

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brownout/server"
)

// A symptom is how a defect shows. It is not there without the defect.
type symptom struct {
	defect string
	change func(*server.Config) // of both servers
	shows  func(*rig) bool
}

func cacheSymptoms() []symptom {
	return []symptom{
		{"no-single-flight", nil, func(r *rig) bool {
			r.write("e", "k", 1)
			r.down.set(func(s *switches) { s.duringQuery = func() { time.Sleep(time.Second) } })
			var readers sync.WaitGroup
			readers.Go(func() { r.read("e", "k") })
			readers.Go(func() { r.read("e", "k") })
			readers.Wait()
			return r.store.Reads() == 2
		}},
		{"negative-cache-missing", nil, func(r *rig) bool {
			r.read("nobody", "k")
			r.read("nobody", "k")
			return r.store.Reads() == 2
		}},
		{"late-fill", nil, func(r *rig) bool {
			for v := range 3 {
				r.write("e", "k", v)
				if v < 2 {
					r.read("e", "k")
				}
			}
			var late sync.WaitGroup
			late.Go(func() { r.read("e", "k") })
			time.Sleep(fillLate / 2)
			r.write("e", "k", 3)
			late.Wait()
			return r.says("e", "k", 2)
		}},
		{"invalidation-lost", nil, func(r *rig) bool {
			for v := range lostOne {
				r.write("e", "k", v)
				if !r.says("e", "k", v) {
					return v == lostOne-1
				}
			}
			return false
		}},
		{"invalidation-not-retried", nil, func(r *rig) bool {
			r.write("e", "k", 1)
			r.read("e", "k")
			r.cacheIs(false)
			r.write("e", "k", 2)
			r.cacheIs(true)
			return r.says("e", "k", 1)
		}},
		{"old-entry-believed", nil, func(r *rig) bool {
			r.write("e", "k", 1)
			r.read("e", "k")
			old := r.cache.of["e"]
			r.write("e", "k", 2)
			r.cache.of["e"] = old // the deletion was lost
			return r.says("e", "k", 1)
		}},
		{"key-without-environment", nil, func(r *rig) bool {
			r.write("a", "k", 1)
			r.write("b", "k", 2)
			r.read("a", "k")
			return r.says("b", "k", 1)
		}},
		{"vanishing-flags", nil, func(r *rig) bool {
			r.write("e", "k", 1)
			r.read("e", "k")
			r.cache.empty()
			return r.read("e", "k").Code == http.StatusNotFound
		}},
		{"fill-until-taken", nil, func(r *rig) bool {
			r.write("e", "k", 1)
			r.down.set(func(s *switches) {
				s.duringQuery = func() { // after the lookup, before the fill
					r.cacheIs(false)
					time.AfterFunc(time.Second, func() { r.cacheIs(true) })
				}
			})
			return r.took(func() { r.read("e", "k") }) >= time.Second
		}},
		{"write-blocked-by-cache", nil, func(r *rig) bool {
			r.cacheIs(false)
			time.AfterFunc(time.Second, func() { r.cacheIs(true) })
			return r.took(func() { r.write("e", "k", 1) }) >= time.Second
		}},
		{"asks-for-each-flag", nil, func(r *rig) bool {
			r.write("e", "k", 1)
			r.read("e", "k")
			before := r.cache.asked()
			r.read("e", "k")
			return r.cache.asked() == before+flagsAsked
		}},
		{"breaker-never-closes", nil, func(r *rig) bool { return passedBy(r, "a", time.Minute) }},
		{"breaker-opens-at-once", nil, func(r *rig) bool {
			first := passedBy(r, "a", sulkLong/2)
			time.Sleep(sulkLong)
			return first && !passedBy(r, "b", 2*sulkLong)
		}},
	}
}

// passedBy reports whether a cache that failed once is not asked that long after.
func passedBy(r *rig, environment string, after time.Duration) bool {
	r.write(environment, "k", 1)
	r.cacheIs(false)
	r.read(environment, "k")
	r.cacheIs(true)
	time.Sleep(after)
	return strings.Contains(r.read(environment, "k").Header().Get("Cache-Status"), "fwd=bypass")
}

func storeSymptoms() []symptom {
	noCopies := func(c *server.Config) { c.Profile.StaleIfError = 0 }
	return []symptom{
		{"database-given-up", nil, func(r *rig) bool {
			r.storeIs(false)
			r.write("e", "k", 1)
			r.storeIs(true)
			time.Sleep(time.Minute)
			return r.write("e", "k", 1).Code == http.StatusServiceUnavailable
		}},
		{"ack-before-commit", nil, func(r *rig) bool {
			r.storeIs(false)
			return r.write("e", "k", 1).Code == http.StatusOK
		}},
		{"unknown-is-empty", nil, func(r *rig) bool {
			r.storeIs(false)
			return r.read("e", "k").Code == http.StatusNotFound
		}},
		{"stale-for-ever", noCopies, func(r *rig) bool {
			r.write("e", "k", 1)
			r.read("e", "k")
			r.cache.empty()
			r.storeIs(false)
			r.read("other", "k")
			r.storeIs(true)
			r.write("e", "k", 2)
			return r.says("e", "k", 1)
		}},
		{"pool-never-heals", nil, func(r *rig) bool {
			r.storeIs(false)
			for range leakyPlaces {
				r.write("e", "k", 1)
			}
			r.storeIs(true)
			return r.write("e", "k", 1).Code == http.StatusServiceUnavailable
		}},
		{"asks-database-first", nil, func(r *rig) bool {
			r.write("e", "k", 1)
			r.read("e", "k")
			r.read("e", "k")
			return r.store.Reads() == 2
		}},
		{"invalidation-before-commit", nil, func(r *rig) bool {
			r.write("e", "k", 1)
			r.down.set(func(s *switches) { s.duringPut = func() { r.read("e", "k") } })
			r.write("e", "k", 2)
			return r.says("e", "k", 1)
		}},
		{"error-as-false", noCopies, func(r *rig) bool {
			r.storeIs(false)
			a := r.read("e", "k")
			return a.Code == http.StatusOK && strings.Contains(a.Body.String(), `"value":false`)
		}},
		{"no-last-good-copy", nil, func(r *rig) bool {
			return copied(r, time.Second).status == http.StatusServiceUnavailable
		}},
		{"copy-of-any-age", func(c *server.Config) { c.Profile.StaleIfError = time.Second }, func(r *rig) bool {
			return copied(r, time.Minute).status == http.StatusOK
		}},
		{"stale-not-labelled", nil, func(r *rig) bool {
			return copied(r, time.Minute).Header().Get("Cache-Status") == "redis; hit"
		}},
		{"readiness-always-green", nil, func(r *rig) bool {
			r.storeIs(false)
			return r.ask("GET", "/readyz", "").Code == http.StatusOK
		}},
	}
}

// copied reads a flag that is neither in cache nor database any more.
func copied(r *rig, after time.Duration) *answer {
	r.write("e", "k", 1)
	r.read("e", "k")
	r.cache.empty()
	r.storeIs(false)
	time.Sleep(after)
	w := r.read("e", "k")
	return &answer{header: w.Header(), status: w.Code}
}

func answerSymptoms() []symptom {
	return []symptom{
		{"fallback-default", nil, func(r *rig) bool { return strings.Contains(cacheDown(r), `"value":"default"`) }},
		{"fallback-500", nil, func(r *rig) bool { return strings.HasPrefix(cacheDown(r), "500") }},
		{"panic-as-200", nil, func(r *rig) bool { return cacheDown(r) == "200 " }},
		{"one-read-stalls", nil, func(r *rig) bool {
			r.write("e", "k", 1)
			return r.took(func() {
				for range oneIn {
					r.read("e", "k")
				}
			}) == stall
		}},
		{"wrong-flag-under-load", nil, func(r *rig) bool {
			r.write("e", "a", 0)
			r.write("e", "b", 1)
			wrong := 0
			for i := range 3 * muchFor {
				if !r.says("e", string("ab"[i%2]), i%2) {
					wrong++
				}
			}
			return wrong > 0
		}},
	}
}

func cacheDown(r *rig) string {
	r.write("e", "k", 1)
	r.cacheIs(false)
	w := r.read("e", "k")
	return fmt.Sprint(w.Code, " ", w.Body)
}

func TestADefectShowsAndTheCleanServerDoesNotHaveIt(t *testing.T) {
	for _, rows := range [][]symptom{cacheSymptoms(), storeSymptoms(), answerSymptoms()} {
		for _, row := range rows {
			t.Run(row.defect, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					if row.shows(newRig(t, "", row.change)) {
						t.Error("the clean server has it")
					}
					if !row.shows(newRig(t, row.defect, row.change)) {
						t.Error("the broken server does not have it")
					}
				})
			})
		}
	}
}

// What leaks cannot be left in a bubble.
func TestALeakLeaks(t *testing.T) {
	const requests = 300
	for _, row := range []struct {
		defect string
		least  int // left behind by the requests
		count  func() int
	}{
		{"goroutine-leak", requests, runtime.NumGoroutine},
		{"memory-unbounded", requests * leakSize, func() int {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int(m.HeapAlloc)
		}},
		{"descriptor-leak", requests, func() int {
			open, err := os.ReadDir("/proc/self/fd")
			if err != nil {
				t.Skip(err)
			}
			return len(open)
		}},
	} {
		for name, leaks := range map[string]bool{"": false, row.defect: true} {
			r := newRig(t, name, nil)
			before := row.count()
			for range requests {
				r.ask("GET", "/livez", "")
			}
			left := row.count() - before
			if (left > row.least/2) != leaks {
				t.Errorf("%s: with defect %q %d requests left %d, leak want %t of %d", row.defect, name, requests, left, leaks, row.least)
			}
			runtime.KeepAlive(r)
		}
	}
}

// A bubble has no time for work. The two are measured in turn, and by the best of each.
func TestAReadThatToilsTakesLonger(t *testing.T) {
	clean, broken := newRig(t, "", nil), newRig(t, "read-toils", nil)
	took := func(r *rig) time.Duration {
		began := time.Now()
		r.read("e", "k")
		return time.Since(began)
	}
	least := [2]time.Duration{time.Hour, time.Hour}
	for range 10 {
		least[0], least[1] = min(least[0], took(clean)), min(least[1], took(broken))
	}
	if least[1] < 5*least[0] {
		t.Errorf("a read takes %v, and %v without the defect; want five times as long", least[1], least[0])
	}
}
