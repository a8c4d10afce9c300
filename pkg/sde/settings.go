package sde

import (
	"fmt"
	"math"
	"runtime"
)

// Settings are the choices of [Simulate] and [Path]. Step and Steps must be set; the zero
// value of every other field is its default.
//
//	s := &sde.Settings{Step: 0.01, BurnIn: 500, Steps: 5000, Walkers: 1000, Seed: 7}
type Settings struct {
	Scheme  Scheme  `json:"scheme"`            // default: Euler–Maruyama
	Step    float64 `json:"step"`              // Δ > 0, in units of time
	Steps   int     `json:"steps"`             // recorded steps of every walker, at least 1
	BurnIn  int     `json:"burn_in,omitempty"` // steps before them, not recorded
	Walkers int     `json:"walkers,omitempty"` // independent paths; 0 means 1
	Seed    uint64  `json:"seed"`              // walker w draws from rand.NewPCG(Seed, w)
	Bound   float64 `json:"bound,omitempty"`   // a path has blown up when |xᵢ| exceeds it for one i; 0 means 1e6
	Workers int     `json:"-"`                 // goroutines; 0 means GOMAXPROCS; no effect on any result

	// Start, if not nil, stores the start of a walker in dst, which holds x0 before.
	Start func(dst []float64, walker int) `json:"-"`

	Observables []Observable `json:"-"`              // averaged over the recorded steps
	Grid        *Grid        `json:"grid,omitempty"` // for a histogram and the current, in the plane; nil means none
}

func (s *Settings) walkers() int { return max(1, s.Walkers) }

func (s *Settings) bound() float64 {
	if s.Bound == 0 {
		return 1e6
	}
	return s.Bound
}

func (s *Settings) workers() int {
	n := s.Workers
	if n == 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return min(n, s.walkers())
}

// String describes the simulation in one line.
func (s *Settings) String() string {
	return fmt.Sprintf("%v, Δ = %.6g, %d walkers × (%d + %d) steps, seed %d", s.Scheme, s.Step, s.walkers(), s.BurnIn, s.Steps, s.Seed)
}

// check returns the first thing that is wrong with s for an equation in d dimensions.
func (s *Settings) check(d int) error {
	switch {
	case s.Scheme != EulerMaruyama && s.Scheme != WeakTwo:
		return fmt.Errorf("sde: unknown scheme %d", int(s.Scheme))
	case !(s.Step > 0) || math.IsInf(s.Step, 1):
		return fmt.Errorf("sde: the step must be positive and finite: got %v", s.Step)
	case s.Steps < 1:
		return fmt.Errorf("sde: the number of steps must be positive: got %d", s.Steps)
	case s.BurnIn < 0:
		return fmt.Errorf("sde: the burn-in must not be negative: got %d steps", s.BurnIn)
	case s.Walkers < 0:
		return fmt.Errorf("sde: the number of walkers must not be negative: got %d", s.Walkers)
	case s.Workers < 0:
		return fmt.Errorf("sde: the number of workers must not be negative: got %d", s.Workers)
	case !(s.Bound >= 0):
		return fmt.Errorf("sde: the bound must not be negative: got %v", s.Bound)
	}
	for i, o := range s.Observables {
		if o.Value == nil {
			return fmt.Errorf("sde: observable %d, %q, has no Value", i, o.Name)
		}
		if o.dim > d {
			return fmt.Errorf("sde: observable %d, %q, needs %d dimensions: the equation has %d", i, o.Name, o.dim, d)
		}
	}
	if s.Grid == nil {
		return nil
	}
	if d != 2 {
		return fmt.Errorf("sde: a grid is for the plane: the equation has dimension %d", d)
	}
	return s.Grid.check()
}
