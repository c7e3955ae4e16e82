package link

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"
	"pgregory.net/rapid"
)

// A step is one thing done to a pump under test.
type step struct {
	do   string
	n    int           // bytes to pass
	wait time.Duration // after the step
}

func drawSteps(t *rapid.T) []step {
	one := rapid.Custom(func(t *rapid.T) step {
		return step{
			do:   rapid.SampledFrom([]string{"pass", "pass", "pass", "hold", "delay", "slice", "slow close", "lift oldest", "lift newest", "block", "unblock"}).Draw(t, "do"),
			n:    rapid.SampledFrom([]int{1, 3, 100, bufferSize}).Draw(t, "n"),
			wait: rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, 30 * time.Millisecond}).Draw(t, "wait"),
		}
	})
	return rapid.SliceOfN(one, 1, 80).Draw(t, "steps")
}

// Whatever comes and goes, also while the sink blocks, the bytes come out as they
// went in, the end comes once and last, and the pump is back on its straight path.
func TestPumpKeepsBytesInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := drawSteps(rt)
		var problem string
		synctest.Test(t, func(*testing.T) { problem = runSteps(steps) })
		if problem != "" {
			rt.Fatal(problem)
		}
	})
}

// A rig is a pump with a carrier, and a sink that can be blocked.
type rig struct {
	*pump
	goroutines sync.WaitGroup
	feed       chan []byte
	in, out    bytes.Buffer
	ends       int
	valve      chan struct{} // full: the sink blocks (a mutex would not count as blocked in a bubble)
	shut       bool          // by us
	stages     []*stage      // in force
}

func newRig(chunks int) *rig {
	r := &rig{feed: make(chan []byte, chunks), valve: make(chan struct{}, 1)}
	r.pump = newPump(&r.goroutines, r.sink, func() { r.ends++ })
	r.goroutines.Go(func() {
		for b := range r.feed {
			r.pass(b)
		}
		r.end(always)
	})
	return r
}

func (r *rig) sink(b []byte) (int, error) {
	r.valve <- struct{}{}
	defer func() { <-r.valve }()
	return r.out.Write(b)
}

func (r *rig) do(s step) {
	switch s.do {
	case "pass":
		b := make([]byte, s.n)
		for i := range b {
			b[i] = byte(r.in.Len()*7 + i*13 + i>>8)
		}
		r.in.Write(b)
		r.feed <- b
	case "hold", "delay", "slice", "slow close":
		st := newStage(&toxics.LatencyToxic{Latency: 10})
		if s.do == "hold" {
			st = newStage(holdToxic{})
			st.holds = true
		}
		if s.do == "slice" {
			st = newStage(&paceToxic{most: 7, due: func(n int) time.Time { return time.Now().Add(time.Duration(n) * time.Microsecond) }})
		}
		if s.do == "slow close" {
			st = newStage(&toxics.SlowCloseToxic{Delay: 10})
		}
		r.insert(st)
		r.stages = append(r.stages, st)
	case "lift oldest":
		r.liftAt(0)
	case "lift newest":
		r.liftAt(len(r.stages) - 1)
	case "block":
		r.block(true)
	case "unblock":
		r.block(false)
	}
	time.Sleep(s.wait)
}

func (r *rig) liftAt(i int) {
	if len(r.stages) > 0 {
		r.lift(r.stages[i])
		r.stages = slices.Delete(r.stages, i, i+1)
	}
}

func (r *rig) block(shut bool) {
	switch {
	case shut && !r.shut:
		r.valve <- struct{}{}
	case !shut && r.shut:
		<-r.valve
	}
	r.shut = shut
}

// runSteps does steps, takes everything away and says what is wrong then.
func runSteps(steps []step) (problem string) {
	r := newRig(len(steps))
	for _, s := range steps {
		r.do(s)
	}
	r.block(false)
	for len(r.stages) > 0 {
		r.liftAt(0)
	}
	synctest.Wait()
	straight := r.chain == nil
	close(r.feed)
	r.goroutines.Wait()
	switch {
	case !straight:
		return "the pump did not go back to its straight path"
	case !bytes.Equal(r.in.Bytes(), r.out.Bytes()):
		return fmt.Sprintf("%d bytes went in, %d came out, or in another order", r.in.Len(), r.out.Len())
	case r.ends != 1:
		return fmt.Sprintf("finish was called %d times, want once", r.ends)
	case r.passed() != int64(r.in.Len()) || r.read != r.written:
		return fmt.Sprintf("counted %d in, %d out, want %d", r.read, r.written, r.in.Len())
	}
	return ""
}

// A leak past a stage shows in since, because it counts at the sink.
func TestPumpSeesALeak(t *testing.T) {
	var goroutines sync.WaitGroup
	p := newPump(&goroutines, func(b []byte) (int, error) { return len(b), nil }, func() {})
	p.pass([]byte("before"))
	leaky := newStage(new(toxics.NoopToxic))
	p.insert(leaky)
	p.pass([]byte("during"))
	waitFor(t, "the chunk leaks out", func() bool { return p.passed() == 12 })
	if arrived, passed := p.since(leaky); arrived != 6 || passed != 6 {
		t.Errorf("since(leaky) = %d, %d, want 6 bytes arrived and 6 passed", arrived, passed)
	}
	p.lift(leaky)
	p.end(always)
	goroutines.Wait()
}

func TestKilledPumpEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var goroutines sync.WaitGroup
		p := newPump(&goroutines, func(b []byte) (int, error) { t.Error("written after kill"); return len(b), nil },
			func() { t.Error("finished after kill") })
		for range 3 {
			hold := newStage(holdToxic{})
			hold.holds = true
			p.insert(hold)
			p.insert(newStage(&toxics.LatencyToxic{Latency: 3_600_000}))
		}
		goroutines.Go(func() {
			defer p.stop()
			for p.pass(make([]byte, bufferSize)) == nil { // until it is full, and then until it is killed
			}
		})
		synctest.Wait()
		p.kill()
		goroutines.Wait() // the bubble fails the test if it cannot end
	})
}

// Faults that come and go leave nothing behind on a connection that lives on,
// whatever keeps its chain: bytes that cannot go on, or a fault that stays.
func TestLiftedStagesDoNotPileUp(t *testing.T) {
	delay := func(ms int64) *stage { return newStage(&toxics.LatencyToxic{Latency: ms}) }
	for _, row := range []struct {
		name    string
		prepare func(*rig)
		pass    int // bytes that meet each stage
	}{
		{"the sink takes nothing and the pump is full", func(r *rig) {
			s := delay(1)
			r.insert(s)
			r.block(true)
			for range heldLimit/bufferSize + 2 {
				r.feed <- make([]byte, bufferSize)
			}
			synctest.Wait()
			r.lift(s)
		}, 0},
		{"another fault stays, and the connection is idle", func(r *rig) { r.insert(delay(1)) }, 0},
		{"another fault stays, and bytes pass", func(r *rig) { r.insert(delay(1)) }, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(1000)
				row.prepare(r)
				for range 100 {
					s := delay(1)
					r.insert(s)
					if row.pass > 0 {
						r.feed <- make([]byte, row.pass)
					}
					time.Sleep(10 * time.Millisecond)
					r.lift(s)
					synctest.Wait()
				}
				r.mu.Lock()
				n := len(r.waiting)
				if r.chain != nil {
					n += len(r.chain.stages)
				}
				r.mu.Unlock()
				if n > 2 {
					t.Errorf("the pump has %d stages after 100 came and went, want 2 at the most", n)
				}
				r.block(false)
				close(r.feed)
				r.kill()
				r.goroutines.Wait()
			})
		})
	}
}

// A stage that stays does its work in the chain that is built anew when another
// one has been lifted.
func TestAStageStaysWhenAnotherIsLifted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay = 10 * time.Millisecond
		r := newRig(100)
		r.insert(newStage(&toxics.LatencyToxic{Latency: delay.Milliseconds()}))
		for i := range 3 {
			other := newStage(&toxics.LatencyToxic{Latency: 1})
			r.insert(other)
			r.feed <- []byte("met by both")
			time.Sleep(time.Second)
			r.lift(other)
			before := r.passed()
			r.feed <- []byte("late")
			time.Sleep(delay - time.Millisecond)
			synctest.Wait()
			if n := r.passed() - before; n != 0 {
				t.Errorf("round %d: %d bytes passed within %v, want none", i, n, delay)
			}
			time.Sleep(time.Second)
			if n := r.passed() - before; n != 4 {
				t.Errorf("round %d: %d bytes passed, want 4", i, n)
			}
		}
		close(r.feed)
		r.goroutines.Wait()
	})
}

// A stage that ends the stream lets exactly its bytes out, through whatever stands
// behind it, and blocks nobody.
func TestPumpIsCut(t *testing.T) {
	for _, at := range []int{1, 4, 9, 10} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(100)
			cuts := 0
			toxic := &limitToxic{left: at}
			st := newStage(toxic)
			toxic.cut = func() { st.cut.Store(true) }
			st.onCut = func() { cuts++; r.kill() }
			r.insert(newStage(&toxics.LatencyToxic{Latency: 50}))
			r.insert(st)
			hold := newStage(holdToxic{})
			r.insert(hold)
			for range 100 {
				r.feed <- []byte("01234")
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if r.out.Len() > 0 || cuts > 0 {
				t.Errorf("cut at %d: %q came out and %d cuts, past a stage that holds", at, r.out.Bytes(), cuts)
			}
			r.lift(hold)
			time.Sleep(time.Second)
			synctest.Wait()
			if want := strings.Repeat("01234", 2)[:at]; r.out.String() != want || cuts != 1 || r.ends != 0 {
				t.Errorf("cut at %d: %q came out, %d cuts, %d ends, want %q, one cut and no end", at, r.out.Bytes(), cuts, r.ends, want)
			}
			close(r.feed)
			r.goroutines.Wait() // the bubble fails the test if it cannot end
		})
	}
}
