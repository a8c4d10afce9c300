package sgd

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// Ensemble takes runs independent runs of the same settings from x0 over all cores and
// returns their final weights (runs×d). Run r is [Run] with the seed s.Seed + r. The
// objective must allow concurrent calls, as the toys of package problem do. It fails if a
// run does, diverges, or if s has a callback or a checkpoint, which belong to one run; it
// panics if runs < 1.
//
//	x, err := sgd.Ensemble(ctx, problem.T1(), []float64{0, 0}, sgd.Settings{LearningRate: sgd.Constant(0.1), BatchSize: 1, Steps: 200, Seed: 2}, 3000) // 3000×2
func Ensemble(ctx context.Context, obj Objective, x0 []float64, s Settings, runs int) (*mat.Dense, error) {
	if runs < 1 {
		panic(fmt.Sprintf("sgd: an ensemble of %d runs", runs))
	}
	if s.Record != nil || s.Progress != nil || s.Checkpoint.Path != "" {
		return nil, fmt.Errorf("sgd: an ensemble keeps final weights only: leave Record, Progress and Checkpoint unset")
	}
	if _, ok := obj.(Stateful); ok {
		return nil, fmt.Errorf("sgd: an ensemble needs an objective without a state of its own")
	}
	out, errs := mat.NewDense(runs, len(x0), nil), make([]error, runs)
	workers := min(runs, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for k := range workers {
		group.Go(func() {
			for r := k; r < runs; r += workers {
				one := s
				one.Seed += uint64(r)
				res, err := Run(ctx, obj, x0, one)
				if err == nil && res.Status == Diverged {
					err = fmt.Errorf("sgd: run %d of an ensemble: %s", r, res.Message)
				}
				if errs[r] = err; err != nil {
					return
				}
				out.SetRow(r, res.X)
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
