package sde

import (
	"context"
	"fmt"
	"math"
	"sync"
)

// ConvergenceSettings are the choices of [Converge]. The zero value of Reference, Paths and
// Horizon is its default.
type ConvergenceSettings struct {
	Scheme          Scheme  `json:"scheme"`
	Horizon         float64 `json:"horizon"`   // T; 0 means 1
	Coarsest        int     `json:"coarsest"`  // level of the longest steps, T/2^level
	Finest          int     `json:"finest"`    // level of the shortest steps
	Reference       int     `json:"reference"` // level that stands for the solution; 0 means Finest+4
	ReferenceScheme Scheme  `json:"reference_scheme"`
	Paths           int     `json:"paths"` // Brownian paths; 0 means 1000
	Seed            uint64  `json:"seed"`  // of [NewBrownian]
	Workers         int     `json:"-"`     // goroutines; 0 means GOMAXPROCS; no effect on any result
}

// Convergence is how the error of a scheme at time T falls with its step. Errors are
// against the same Brownian paths in the steps of the reference.
type Convergence struct {
	Settings ConvergenceSettings `json:"settings"`
	Steps    []float64           `json:"steps"`  // Δ, ascending, one per level
	Strong   []Estimate          `json:"strong"` // (𝔼|X − X*|²)^½, one per step
	Weak     []Estimate          `json:"weak"`   // |𝔼φ(X) − 𝔼φ(X*)|, one per step

	// Slopes of the least-squares lines through the logarithms of the errors, each weighted
	// by how well it is known: the orders.
	StrongOrder float64 `json:"strong_order"`
	WeakOrder   float64 `json:"weak_order"`
}

// Converge measures the strong and the weak order of a scheme for eq from x0 (d), the weak one
// for the observable phi of the final state. The difference of φ on the same path varies
// far less than φ, so that a weak error stands out of few paths.
//
// A level must be fine enough for the scheme to stay bounded: a path that blows up is an
// error, as are settings that make no sense, and those of [Drive]. It panics if phi is nil.
func Converge(ctx context.Context, eq *Ito, x0 []float64, phi func(x []float64) float64, s ConvergenceSettings) (*Convergence, error) {
	if phi == nil {
		panic("sde: Converge needs an observable phi")
	}
	if s.Horizon == 0 {
		s.Horizon = 1
	}
	if s.Reference == 0 {
		s.Reference = s.Finest + 4
	}
	if s.Paths == 0 {
		s.Paths = 1000
	}
	switch {
	case s.Coarsest < 0 || s.Finest <= s.Coarsest || s.Reference <= s.Finest || s.Reference > 20:
		return nil, fmt.Errorf("sde: convergence needs levels 0 ≤ Coarsest < Finest < Reference ≤ 20: got %d, %d, %d", s.Coarsest, s.Finest, s.Reference)
	case s.Paths < 2:
		return nil, fmt.Errorf("sde: convergence needs at least 2 paths: got %d", s.Paths)
	case !(s.Horizon > 0) || math.IsInf(s.Horizon, 1):
		return nil, fmt.Errorf("sde: the horizon must be positive and finite: got %v", s.Horizon)
	}
	levels := s.Finest - s.Coarsest + 1
	square, diff := make([][]float64, levels), make([][]float64, levels) // of every path
	for k := range levels {
		square[k], diff[k] = make([]float64, s.Paths), make([]float64, s.Paths)
	}
	path := func(w int) error {
		b := NewBrownian(eq.Dim, s.Horizon, s.Seed, uint64(w))
		end := func(level int, scheme Scheme) ([]float64, error) {
			t, err := Drive(eq, x0, b.Increments(level), b.Step(level), scheme)
			if err == nil && t.Status != Completed {
				err = fmt.Errorf("sde: path %d blew up at step %d of length %.3g: raise Coarsest", w, t.BlowUp.Step, b.Step(level))
			}
			if err != nil {
				return nil, err
			}
			return t.State(t.Len() - 1), nil
		}
		exact, err := end(s.Reference, s.ReferenceScheme)
		if err != nil {
			return err
		}
		for k := range levels {
			x, err := end(s.Finest-k, s.Scheme)
			if err != nil {
				return err
			}
			for i, v := range x {
				square[k][w] += (v - exact[i]) * (v - exact[i])
			}
			diff[k][w] = phi(x) - phi(exact)
		}
		return nil
	}
	workers := (&Settings{Walkers: s.Paths, Workers: s.Workers}).workers()
	errs := make([]error, s.Paths)
	var group sync.WaitGroup
	for k := range workers {
		group.Go(func() {
			for w := k; w < s.Paths; w += workers {
				if errs[w] = ctx.Err(); errs[w] == nil {
					errs[w] = path(w)
				}
				if errs[w] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	c := &Convergence{Settings: s}
	for k := range levels {
		c.Steps = append(c.Steps, math.Ldexp(s.Horizon, k-s.Finest))
		e := estimate("strong error", square[k])
		e.Mean = math.Sqrt(e.Mean)
		e.StdErr /= 2 * e.Mean
		c.Strong = append(c.Strong, e)
		e = estimate("weak error", diff[k])
		e.Mean = math.Abs(e.Mean)
		c.Weak = append(c.Weak, e)
	}
	c.StrongOrder, c.WeakOrder = c.order(c.Strong), c.order(c.Weak)
	return c, nil
}

// order fits log error against log Δ by least squares, with the weights of the relative
// standard errors.
func (c *Convergence) order(errors []Estimate) float64 {
	var w, x, y, xx, xy float64
	for k, e := range errors {
		p, a, b := math.Pow(e.Mean/e.StdErr, 2), math.Log(c.Steps[k]), math.Log(e.Mean)
		w, x, y, xx, xy = w+p, x+p*a, y+p*b, xx+p*a*a, xy+p*a*b
	}
	return (w*xy - x*y) / (w*xx - x*x)
}
