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

// Simulate follows an ensemble of independent paths of eq from x0 (d) over all cores. The
// result is the same, bit for bit, for any number of workers: walker w has the random
// numbers of rand.NewPCG(Seed, w), and what the walkers leave is added up in their order.
// The memory does not depend on the number of steps.
//
// A path that leaves every bound is not an error but a [Status]. An error comes from
// settings that make no sense, a stale Batch ([problem.System.CheckShortcuts]), a start, drift
// or diffusion that is not finite, a D that is not positive semi-definite (with the point,
// step and walker), or ctx.
//
//	r, err := sde.Simulate(ctx, sde.Plane(problem.XD()), []float64{0, 0}, &sde.Settings{Step: 0.01, Steps: 5000, Walkers: 100, Seed: 7})
func Simulate(ctx context.Context, eq *Ito, x0 []float64, s *Settings) (*Result, error) {
	if err := eq.check(x0); err != nil {
		return nil, err
	}
	if err := s.check(eq.Dim); err != nil {
		return nil, err
	}
	// What the functions of the caller panic about, let them do it here, where it can be
	// recovered, and not in a goroutine.
	eq.Drift(make([]float64, eq.Dim), x0)
	for _, o := range s.Observables {
		o.Value(x0, x0)
	}
	start := time.Now()
	n, d := s.walkers(), eq.Dim
	averages := make([][]float64, len(s.Observables)) // observable × walker
	for i := range averages {
		averages[i] = make([]float64, n)
	}
	res := &Result{Equation: eq.String(), Settings: *s, Final: make([]float64, n*d)}
	var (
		blown  = make([]*BlowUp, n)
		errs   = make([]error, n)
		made   atomic.Int64
		next   atomic.Int64
		failed atomic.Bool
		groups = make([]*group, s.workers())
		wg     sync.WaitGroup
	)
	size := min(groupSize, (n+len(groups)-1)/len(groups)) // no core idle for a few walkers
	for k := range groups {
		g := newGroup(eq, s)
		groups[k] = g
		wg.Go(func() {
			for !failed.Load() {
				first := int(next.Add(int64(size))) - size
				if first >= n {
					return
				}
				count := min(size, n-first)
				g.follow(ctx, x0, first, count)
				for k := range count {
					w := &g.walkers[k]
					i := w.number
					made.Add(int64(w.step))
					blown[i] = w.blown
					if w.err != nil {
						errs[i] = w.err
						failed.Store(true)
					}
					copy(res.Final[i*d:], w.x)
					for o, sum := range w.sums {
						if s.Observables[o].Rate {
							sum /= s.Step
						}
						averages[o][i] = sum / float64(s.Steps)
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
	for i, b := range blown {
		if b == nil {
			continue
		}
		if res.Blown++; res.BlowUp == nil {
			res.BlowUp, res.Status = b, BlewUp
		}
		for o := range averages {
			averages[o][i] = math.NaN()
		}
		for c := range d {
			res.Final[i*d+c] = math.NaN()
		}
	}
	for o, values := range averages {
		res.Estimates = append(res.Estimates, estimate(s.Observables[o].Name, values))
	}
	if s.Grid != nil {
		res.Histogram = newHistogram(*s.Grid, s.Step)
		for _, g := range groups {
			res.Histogram.merge(g.histogram)
		}
	}
	res.PathSteps = made.Load()
	res.Seconds = time.Since(start).Seconds()
	return res, nil
}

// follow runs the paths of count walkers from their start to their end.
func (g *group) follow(ctx context.Context, x0 []float64, first, count int) {
	g.begin(x0, first, count)
	for _, part := range [2]struct {
		steps  int
		record bool
	}{{g.s.BurnIn, false}, {g.s.Steps, true}} {
		for done := 0; done < part.steps && len(g.active) > 0; done += chunk {
			if err := ctx.Err(); err != nil {
				g.walkers[0].err = err
				return
			}
			g.run(min(chunk, part.steps-done), part.record)
		}
	}
	for i := range count {
		g.walkers[i].locate()
	}
}

// locate adds walker and step to the error of w.
func (w *walker) locate() {
	if w.err != nil {
		w.err = fmt.Errorf("sde: walker %d after %d steps: %w", w.number, w.step, w.err)
	}
}
