package sde

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Result is what an ensemble left. Its size does not depend on the number of steps.
type Result struct {
	Equation string    `json:"equation"`
	Settings Settings  `json:"settings"`
	Status   Status    `json:"status"`
	Blown    int       `json:"blown,omitempty"`   // walkers that blew up
	BlowUp   *BlowUp   `json:"blow_up,omitempty"` // of the first of them, by number
	Final    []float64 `json:"-"`                 // states at the end, walkers×d; NaN for a walker that blew up

	// Estimates of the observables, in their order, over the walkers that did not blow
	// up. If some did, they are biased: the others are those that stayed inside.
	Estimates []Estimate `json:"estimates,omitempty"`
	// Histogram on the grid, nil without one. It holds the visits of every walker until it
	// blew up.
	Histogram *Histogram `json:"histogram,omitempty"`

	PathSteps int64   `json:"path_steps"` // steps made by all walkers, burn-in included
	Seconds   float64 `json:"seconds"`    // of wall time
}

// chunk is the number of steps between two looks at the context.
const chunk = 1 << 14

// Simulate follows an ensemble of independent paths of eq from x0 over all cores. The
// result is the same, bit for bit, for any number of workers: walker w has the random
// numbers of rand.NewPCG(Seed, w), and what the walkers leave is added up in their order.
// The memory does not depend on the number of steps.
//
// A path that leaves every bound is not an error but a [Status]. An error comes from
// settings that make no sense, a start, drift or diffusion that is not finite, a D that is
// not positive semi-definite (with the point, step and walker), or ctx.
func Simulate(ctx context.Context, eq *Ito, x0 []float64, s *Settings) (*Result, error) {
	if err := eq.check(x0); err != nil {
		return nil, err
	}
	if err := s.check(eq.Dim); err != nil {
		return nil, err
	}
	start := time.Now()
	n, d := s.walkers(), eq.Dim
	averages := make([][]float64, len(s.Observables)) // observable × walker
	for i := range averages {
		averages[i] = make([]float64, n)
	}
	res := &Result{Equation: eq.String(), Settings: *s, Final: make([]float64, n*d)}
	var (
		blown   = make([]*BlowUp, n)
		errs    = make([]error, n)
		made    atomic.Int64
		next    atomic.Int64
		failed  atomic.Bool
		workers = make([]*walker, s.workers())
		wg      sync.WaitGroup
	)
	for k := range workers {
		w := newWalker(eq, s)
		workers[k] = w
		wg.Go(func() {
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				inside, err := w.follow(ctx, x0, i)
				made.Add(int64(w.step))
				if err != nil {
					errs[i] = err
					failed.Store(true)
					return
				}
				final := res.Final[i*d : (i+1)*d]
				copy(final, w.x)
				for o, sum := range w.sums {
					if s.Observables[o].Rate {
						sum /= s.Step
					}
					averages[o][i] = sum / float64(s.Steps)
				}
				if !inside {
					blown[i] = &BlowUp{Walker: i, Step: w.step, State: append([]float64(nil), w.next...), From: append([]float64(nil), w.x...)}
					for o := range averages {
						averages[o][i] = math.NaN()
					}
					for c := range final {
						final[c] = math.NaN()
					}
				}
			}
		})
	}
	wg.Wait()
	// Walkers are taken in order, so every one before the first error was followed.
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	for _, b := range blown {
		if b == nil {
			continue
		}
		if res.Blown++; res.BlowUp == nil {
			res.BlowUp, res.Status = b, BlewUp
		}
	}
	for o, values := range averages {
		res.Estimates = append(res.Estimates, estimate(s.Observables[o].Name, values))
	}
	if s.Grid != nil {
		res.Histogram = newHistogram(*s.Grid, s.Step)
		for _, w := range workers {
			res.Histogram.merge(w.histogram)
		}
	}
	res.PathSteps = made.Load()
	res.Seconds = time.Since(start).Seconds()
	return res, nil
}

// follow runs the path of walker number i from its start to its end. It returns false if
// the path blew up.
func (w *walker) follow(ctx context.Context, x0 []float64, i int) (inside bool, err error) {
	if err := w.begin(x0, i); err != nil {
		return false, fmt.Errorf("sde: walker %d: %w", i, err)
	}
	src := newStream(w.s.Seed, uint64(i))
	for _, part := range [2]struct {
		steps  int
		record bool
	}{{w.s.BurnIn, false}, {w.s.Steps, true}} {
		for done := 0; done < part.steps; done += chunk {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			inside, err := w.run(min(chunk, part.steps-done), src, part.record)
			if err != nil {
				return false, fmt.Errorf("sde: walker %d after %d steps: %w", i, w.step, err)
			}
			if !inside {
				return false, nil
			}
		}
	}
	return true, nil
}
