package sde

import (
	"fmt"
	"math"
	"slices"

	"sgdlab/pkg/problem"
)

// walker is one path under way.
type walker struct {
	number          int
	src             stream
	x, next, before []float64 // the state, the one after it, and the one before it
	hasBefore       bool
	step            int // steps made
	sums            []float64
	err             error
	blown           *BlowUp
}

// groupSize is the number of walkers that a goroutine follows side by side: while one
// waits for the result of an operation the processor works for the others.
const groupSize = problem.Lanes

// group follows a few walkers at a time; every goroutine has its own.
type group struct {
	eq        *Ito
	s         *Settings
	bound     float64
	st        *stepper
	walkers   [groupSize]walker
	active    []*walker  // those still under way
	histogram *Histogram // nil if there is no grid
	lanes     *laneState // nil if the walkers are not stepped as lanes of vectors
}

func newGroup(eq *Ito, s *Settings) *group {
	g := &group{eq: eq, s: s, bound: s.bound(), st: newStepper(eq, s.Scheme, s.Step)}
	for i := range g.walkers {
		state := make([]float64, 3*eq.Dim)
		w := &g.walkers[i]
		w.x, w.next, w.before = state[:eq.Dim], state[eq.Dim:2*eq.Dim], state[2*eq.Dim:]
		w.sums = make([]float64, len(s.Observables))
	}
	if haveVector && eq.plane != nil && eq.plane.Batch != nil {
		g.lanes = new(laneState)
	}
	if s.Grid != nil {
		g.histogram = newHistogram(*s.Grid, s.Step)
	}
	return g
}

// begin puts the walkers first, first+1, … at their start.
func (g *group) begin(x0 []float64, first, count int) {
	g.active = g.active[:0]
	for i := range count {
		w := &g.walkers[i]
		w.number, w.step, w.hasBefore, w.err, w.blown = first+i, 0, false, nil, nil
		w.src.src.Seed(g.s.Seed, uint64(w.number))
		clear(w.sums)
		copy(w.x, x0)
		if g.s.Start != nil {
			if g.s.Start(w.x, w.number); !finite(w.x) {
				w.err = fmt.Errorf("the start %v is not finite", w.x)
				continue
			}
		}
		g.active = append(g.active, w)
	}
}

// run lets every active walker make the given number of steps.
func (g *group) run(steps int, record bool) {
	record = record && (len(g.s.Observables) > 0 || g.histogram != nil)
	if len(g.active) > 0 && g.eq.plane != nil && g.s.Scheme == EulerMaruyama {
		if g.lanes != nil && len(g.active) >= laneWorth {
			g.runLanes(steps, record)
		} else {
			g.runPlane(steps, record)
		}
		return
	}
	for i := 0; i < len(g.active); i++ {
		w := g.active[i]
		for done := 0; done < steps; done++ {
			clearUpper()
			if w.err = g.st.step(w.next, w.x, g.st.draw(&w.src)); w.err != nil {
				break
			}
			w.step++
			if !inside(w.next, g.bound) {
				g.leave(w)
				break
			}
			g.advance(w, record)
		}
		if w.err != nil || w.blown != nil {
			g.remove(i)
			i--
		}
	}
}

// runPlane is run for Euler–Maruyama in the plane: one step of every walker after the other.
func (g *group) runPlane(steps int, record bool) {
	for range steps {
		clearUpper()
		for i := 0; i < len(g.active); i++ {
			w := g.active[i]
			if !g.stepPlane(w, w.src.normal(), w.src.normal()) {
				g.remove(i)
				i--
				continue
			}
			g.advance(w, record)
		}
	}
}

// stepPlane stores the state of w after one step in w.next, by the arithmetic of
// stepper.step in the same order, written out. It reports whether w goes on.
func (g *group) stepPlane(w *walker, z1, z2 float64) bool {
	sys, u, x, r := g.eq.plane, g.st.u[:2:2], w.x[:2:2], g.st.root
	var d problem.Tensor
	if sys.Coefficients != nil {
		d = sys.Coefficients(u, x)
	} else {
		sys.Drift(u, x)
		d = sys.Diffusion(x)
	}
	if d != r.tensor {
		if w.err = r.refresh(d, x); w.err != nil {
			return false
		}
	}
	b11, b12, b22 := g.st.amplitude*r.s.XX, g.st.amplitude*r.s.XY, g.st.amplitude*r.s.YY
	w1, w2 := g.st.sqrtDt*z1, g.st.sqrtDt*z2
	x1 := x[0] + u[0]*g.st.dt
	x1 += b11 * w1
	x1 += b12 * w2
	x2 := x[1] + u[1]*g.st.dt
	x2 += b12 * w1
	x2 += b22 * w2
	w.step++
	w.next[0], w.next[1] = x1, x2
	if !(math.Abs(x1) <= g.bound && math.Abs(x2) <= g.bound) {
		g.leave(w)
		return false
	}
	return true
}

// remove takes walker i of those under way away; the others keep their order.
func (g *group) remove(i int) { g.active = slices.Delete(g.active, i, i+1) }

// advance takes the step from w.x to w.next.
func (g *group) advance(w *walker, record bool) {
	if record {
		g.record(w)
	}
	w.before, w.x, w.next = w.x, w.next, w.before
	w.hasBefore = true
}

// record takes the step from w.x to w.next into the averages.
func (g *group) record(w *walker) {
	for i := range w.sums {
		w.sums[i] += g.s.Observables[i].Value(w.x, w.next)
	}
	if g.histogram != nil && w.hasBefore {
		g.histogram.add(w.before, w.x, w.next)
	}
}

// leave says why w.next is out of bounds: the equation has no number at w.x, or the path
// blew up.
func (g *group) leave(w *walker) {
	if w.err = explain(g.eq, w.x); w.err == nil {
		w.blown = &BlowUp{Walker: w.number, Step: w.step, State: slices.Clone(w.next), From: slices.Clone(w.x)}
	}
}

func inside(x []float64, bound float64) bool {
	for _, v := range x {
		if !(math.Abs(v) <= bound) {
			return false
		}
	}
	return true
}

// explain returns an error if the drift has no number at x.
func explain(eq *Ito, x []float64) error {
	u := make([]float64, eq.Dim)
	eq.Drift(u, x)
	if !finite(u) {
		return fmt.Errorf("the drift of %q at %.6g is %.6g: it must be finite", eq.Name, x, u)
	}
	return nil
}
