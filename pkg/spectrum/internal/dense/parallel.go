package dense

import (
	"runtime"
	"sync/atomic"
	"time"
)

// team is a number of goroutines that work together. Between two pieces of work they
// spin, because it is microseconds until the next one: waking a goroutine takes longer.
type team struct {
	size     int
	round    atomic.Int64 // pieces of work that have been given out
	finished atomic.Int64 // shares of them that are done, one for each helper and round

	n    int
	f    func(worker, i int)
	next atomic.Int64
}

// newTeam starts the helpers of a team; dismiss ends them.
func newTeam(size int) *team {
	t := &team{size: max(size, 1)}
	for w := 1; w < t.size; w++ {
		go func() {
			for round := int64(1); ; round++ {
				waitFor(&t.round, round)
				if t.f == nil {
					return
				}
				t.take(w)
				t.finished.Add(1)
			}
		}()
	}
	return t
}

// dismiss ends the goroutines of the team.
func (t *team) dismiss() {
	t.f = nil
	t.round.Add(1)
}

// run calls f(worker, i) for i = 0..n−1. Each goroutine takes the next i that nobody has
// taken, so that they are begun in order, and up to size calls may wait for each other.
func (t *team) run(n int, f func(worker, i int)) {
	if t.size == 1 || n == 1 {
		for i := range n {
			f(0, i)
		}
		return
	}
	t.n, t.f = n, f
	t.next.Store(0)
	round := t.round.Add(1)
	t.take(0)
	waitFor(&t.finished, round*int64(t.size-1))
}

// take works until nothing is left.
func (t *team) take(worker int) {
	for i := int(t.next.Add(1)) - 1; i < t.n; i = int(t.next.Add(1)) - 1 {
		t.f(worker, i)
	}
}

// waitFor returns when counter is at least want. It spins, because the waits here are
// of microseconds. When one takes half a millisecond, the processor has other work to
// do, maybe for the one that is waited for, and gets time for it; not before, because
// a sleep takes ten times as long as it should.
func waitFor(counter *atomic.Int64, want int64) {
	var begin time.Time
	for i := 1; counter.Load() < want; i++ {
		switch {
		case i%1024 != 0:
		case begin.IsZero():
			begin = time.Now()
		case time.Since(begin) < 500*time.Microsecond:
			runtime.Gosched()
		default:
			time.Sleep(20 * time.Microsecond)
		}
	}
}

// barrier makes goroutines wait for each other.
type barrier struct {
	arrived atomic.Int64
}

// wait returns when all of the given number of workers have called it round times,
// round = 1, 2, ...
func (b *barrier) wait(workers, round int) {
	b.arrived.Add(1)
	waitFor(&b.arrived, int64(workers)*int64(round))
}
