package dense

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// parallel calls f(worker, i) for i = 0..n−1 on the given number of goroutines. Each
// goroutine takes the next i that nobody has taken, so that they are begun in order.
func parallel(workers, n int, f func(worker, i int)) {
	workers = min(workers, n)
	if workers <= 1 {
		for i := range n {
			f(0, i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(w, i)
			}
		})
	}
	wg.Wait()
}

// waitFor returns when counter is at least want. It spins, because the waits here are
// of microseconds; when one takes long, the processor has other work to do, maybe for
// the one that is waited for, and gets time for it.
func waitFor(counter *atomic.Int64, want int64) {
	for i := 1; counter.Load() < want; i++ {
		switch {
		case i%1024 != 0:
		case i < 32*1024:
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
