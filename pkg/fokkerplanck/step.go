package fokkerplanck

import (
	"fmt"
	"math"
)

// Stepper advances masses by implicit Euler, p ← (I − Δt·L)⁻¹p, which for a Markov chain is
// a stochastic matrix for every Δt > 0 and keeps the steady state: by convexity every
// f-divergence to it falls at every step, the free energy among them. statements.md §11.1.
type Stepper struct {
	l  *Generator
	f  *factors
	dt float64
}

// Step returns the stepper of step size dt > 0. It is first-order accurate in dt. It panics
// unless dt is positive and finite, and returns an error if the matrix is singular.
func (l *Generator) Step(dt float64) (*Stepper, error) {
	if !(dt > 0) || math.IsInf(dt, 1) {
		panic(fmt.Sprintf("fokkerplanck: the time step must be positive and finite: got %v", dt))
	}
	f, err := factorise(l, 1, -dt)
	if err != nil {
		return nil, err
	}
	return &Stepper{l: l, f: f, dt: dt}, nil
}

// Dt returns the step size.
func (s *Stepper) Dt() float64 { return s.dt }

// Advance replaces the masses p by those one step later. Negative masses of round-off are
// set to zero for a Markov chain, and the sum is restored. It panics if p has the wrong length.
func (s *Stepper) Advance(p []float64) {
	s.l.checkLength(p)
	s.f.solve(p)
	if n, _ := s.l.NegativeRates(); n == 0 {
		for k, v := range p {
			p[k] = max(v, 0)
		}
	}
	normalise(p)
}
