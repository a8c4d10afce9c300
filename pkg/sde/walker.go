package sde

import (
	"fmt"
	"math"

	"sgdlab/pkg/problem"
)

// walker follows one path after the other; every goroutine has its own.
type walker struct {
	eq    *Ito
	s     *Settings
	bound float64
	st    *stepper

	x, next, before []float64 // the state, the one after it, and the one before it
	hasBefore       bool
	step            int // steps made
	sums            []float64
	histogram       *Histogram // nil if there is no grid
}

func newWalker(eq *Ito, s *Settings) *walker {
	w := &walker{
		eq: eq, s: s, bound: s.bound(), st: newStepper(eq, s.Scheme, s.Step),
		x: make([]float64, eq.Dim), next: make([]float64, eq.Dim), before: make([]float64, eq.Dim),
		sums: make([]float64, len(s.Observables)),
	}
	if s.Grid != nil {
		w.histogram = newHistogram(*s.Grid, s.Step)
	}
	return w
}

// begin puts the walker at its start.
func (w *walker) begin(x0 []float64, number int) error {
	copy(w.x, x0)
	if w.s.Start != nil {
		if w.s.Start(w.x, number); !finite(w.x) {
			return fmt.Errorf("the start %v is not finite", w.x)
		}
	}
	w.step, w.hasBefore = 0, false
	clear(w.sums)
	return nil
}

// run makes the given number of steps. It returns false if the path blew up; the state
// out of bounds is in w.next then.
func (w *walker) run(steps int, src *stream, record bool) (inside bool, err error) {
	record = record && (len(w.sums) > 0 || w.histogram != nil)
	if w.eq.plane != nil && w.s.Scheme == EulerMaruyama {
		return w.runPlane(steps, src, record)
	}
	for range steps {
		if err := w.st.step(w.next, w.x, w.st.draw(src)); err != nil {
			return false, err
		}
		w.step++
		for _, v := range w.next {
			if !(math.Abs(v) <= w.bound) {
				return false, w.explain()
			}
		}
		if record {
			w.record()
		}
		w.before, w.x, w.next = w.x, w.next, w.before
		w.hasBefore = true
	}
	return true, nil
}

// record takes the step from w.x to w.next into the averages.
func (w *walker) record() {
	for i := range w.sums {
		w.sums[i] += w.s.Observables[i].Value(w.x, w.next)
	}
	if w.histogram != nil && w.hasBefore {
		w.histogram.add(w.before, w.x, w.next)
	}
}

// runPlane is run for Euler–Maruyama in the plane: the arithmetic of stepper.step in the
// same order, written out.
func (w *walker) runPlane(steps int, src *stream, record bool) (inside bool, err error) {
	var (
		sys           = w.eq.plane
		drift, tensor = sys.Drift, sys.Diffusion
		u, r          = w.st.u, w.st.root
		dt, sqrtDt    = w.st.dt, w.st.sqrtDt
		amplitude     = w.st.amplitude
		both          = sys.Coefficients
		d             problem.Tensor
		b11, b12, b22 = amplitude * r.s.XX, amplitude * r.s.XY, amplitude * r.s.YY
		bound         = w.bound
	)
	for range steps {
		if both != nil {
			d = both(u, w.x)
		} else {
			drift(u, w.x)
			d = tensor(w.x)
		}
		if d != r.tensor {
			if err := r.refresh(d, w.x); err != nil {
				return false, err
			}
			b11, b12, b22 = amplitude*r.s.XX, amplitude*r.s.XY, amplitude*r.s.YY
		}
		w1, w2 := sqrtDt*src.normal(), sqrtDt*src.normal()
		x1 := w.x[0] + u[0]*dt
		x1 += b11 * w1
		x1 += b12 * w2
		x2 := w.x[1] + u[1]*dt
		x2 += b12 * w1
		x2 += b22 * w2
		w.step++
		w.next[0], w.next[1] = x1, x2
		if !(math.Abs(x1) <= bound && math.Abs(x2) <= bound) {
			return false, w.explain()
		}
		if record {
			w.record()
		}
		w.before, w.x, w.next = w.x, w.next, w.before
		w.hasBefore = true
	}
	return true, nil
}

// explain returns an error if the equation has no number at w.x, and nil if the path
// just left the bounds.
func (w *walker) explain() error {
	w.eq.Drift(w.st.u, w.x)
	if !finite(w.st.u) {
		return fmt.Errorf("the drift of %q at %.6g is %.6g: it must be finite", w.eq.Name, w.x, w.st.u)
	}
	return nil
}
