package tall

import (
	"sync"
	"sync/atomic"
)

// Parallel calls work for every task below tasks, from up to workers goroutines. Tasks
// must not depend on each other; which goroutine takes which task is left open.
func Parallel(workers, tasks int, work func(task int)) {
	if workers = min(workers, tasks); workers <= 1 {
		for task := range tasks {
			work(task)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for task := int(next.Add(1)) - 1; task < tasks; task = int(next.Add(1)) - 1 {
				work(task)
			}
		})
	}
	wg.Wait()
}
