package problem_test

import (
	"fmt"
	"math"
	"testing"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
)

// Check compares drift, D and Φ of the gallery by differences; the force follows from them.
func TestGalleryAgreesWithItself(t *testing.T) {
	for _, s := range []*problem.System{problem.WaveBox(), problem.WaveTorus(), problem.Airy(.1), problem.Separable()} {
		if err := problem.Check(s); err != nil {
			t.Error(err)
		}
	}
	j := make([]float64, 2)
	for _, x := range [][]float64{{.7, -.4}, {-1.2, .9}} {
		for _, s := range []*problem.System{problem.Airy(.1), problem.Separable()} { // no force
			s.ForceTo(j, x)
			numtest.CloseSlice(t, s.Name, j, []float64{0, 0}, 1e-7) // differences of five points
		}
		// On the torus j = m g′ (1, −1), g = 0.3 cos 2s, m = ½ (statements.md §3.2).
		problem.WaveTorus().ForceTo(j, x)
		g := -.6 * math.Sin(2*(x[0]+x[1]))
		numtest.CloseSlice(t, "torus", j, []float64{g / 2, -g / 2}, 1e-7)
	}
	lowest, highest := math.Inf(1), 0.
	for k := range 101 * 101 {
		a, b := problem.Airy(.1).Diffusion([]float64{-2.5 + .05*float64(k%101), -2.5 + .05*float64(k/101)}).Eigenvalues()
		lowest, highest = min(lowest, a), max(highest, b)
	}
	numtest.Close(t, "smallest eigenvalue of the Airy D", lowest, .80, .005) // two digits are given
	numtest.Close(t, "largest", highest, 1.23, .01)
}

// FromPotential makes XD of its Φ, D and q; at another β it agrees with itself, and the
// force is not that of β = 1.
func TestFromPotential(t *testing.T) {
	xd := problem.XD()
	again, hot := problem.FromPotential("XD again", xd.Box, 1, xd.Potential, xd.Diffusion, xd.Skew), problem.FromPotential("XD at β = 2", xd.Box, 2, xd.Potential, xd.Diffusion, xd.Skew)
	for _, s := range []*problem.System{again, hot, problem.Wavy()} {
		if err := problem.Check(s); err != nil {
			t.Error(err)
		}
	}
	u, v := make([]float64, 2), make([]float64, 2)
	for _, x := range [][]float64{{.7, -.4}, {-1.2, .9}} {
		again.Drift(u, x)
		xd.Drift(v, x)
		numtest.CloseSlice(t, "drift", u, v, 1e-8)
		hot.Force(u, x)
		xd.Force(v, x)
		if math.Hypot(u[0]-v[0], u[1]-v[1]) < .1 {
			t.Errorf("force %v at β = 2 is that at β = 1", u)
		}
	}
}

func TestBowls(t *testing.T) {
	ref, bowl := problem.REF(), problem.Bowl(1, 3, problem.Tensor{XX: 1, XY: .9, YY: 1})
	numtest.CloseSlice(t, "Bowl is REF", raw(bowl.Covariance()), raw(ref.Covariance()), 1e-15)
	if p := problem.LineNoise(1, 1); p.HasDensity() {
		t.Error("equal curvatures under noise along a line have a density")
	}
	w := problem.TwoBlocks(.9, .5).Frequencies()
	numtest.CloseSlice(t, "frequencies", w[:2], []float64{.480384, 1.244094}, 1e-6) // statements.md §3.3
	// An orbit against Runge–Kutta on its force; it keeps Φ.
	s, x := ref.System(), []float64{1.4, .3}
	problem.Flow(s.Force, x, 2.5, 1e-3, nil)
	numtest.CloseSlice(t, "orbit", ref.OrbitAt(2.5, []float64{1.4, .3}), x, 1e-11) // h⁴ times 2.5
}

func TestFlow(t *testing.T) {
	x, calls := []float64{2, -1}, 0
	problem.Flow(func(dst, x []float64) { dst[0], dst[1] = -x[0], -3*x[1] }, x, 1, .01, func([]float64) { calls++ })
	numtest.CloseSlice(t, "decay", x, []float64{2 * math.Exp(-1), -math.Exp(-3)}, 1e-8) // (3h)⁴/120 of the value
	if calls != 100 {
		t.Errorf("%d steps, want 100", calls)
	}
	// A circle closes; a spiral x² + y² = e^(−2ct) shrinks by e^(−2πc) in a turn.
	for _, c := range []float64{0, .05} {
		back := problem.FirstReturn(func(dst, x []float64) { dst[0], dst[1] = -c*x[0]-x[1], x[0]-c*x[1] }, 1.5)
		numtest.Close(t, fmt.Sprintf("return, c = %v", c), back, 1.5*math.Exp(-2*math.Pi*c), 1e-6) // a chord of length h cuts the arc by h²/8
	}
	// statements.md §7: the drift of Example 19 at λ = 1.5, given to four digits.
	for r, want := range map[float64]float64{.05: .04992, .5: .41649, 2: .5625} {
		numtest.Close(t, "return map", problem.FirstReturn(problem.EX19(1.5).System().Drift, r), want, 5e-5)
	}
	if back := problem.FirstReturn(func(dst, x []float64) { dst[0], dst[1] = -x[0], -x[1] }, 1); !math.IsNaN(back) {
		t.Errorf("a sink returns at %v, want NaN", back)
	}
	for name, fn := range map[string]func(){
		"t":   func() { problem.Flow(nil, x, -1, 1, nil) },
		"h":   func() { problem.Flow(nil, x, 1, 0, nil) },
		"D":   func() { problem.FromLoss("bad", problem.Box{}, nil, problem.Tensor{XX: 1, XY: 2, YY: 1}) },
		"x0":  func() { problem.REF().OrbitAt(1, []float64{1}) },
		"ρ":   func() { problem.LineNoise(1, 1).OrbitAt(1, []float64{1, 1}) },
		"l≤0": func() { problem.Bowl(-1, 1, problem.Tensor{XX: 1, YY: 1}) },
	} {
		if panics(fn) == nil {
			t.Errorf("%s: no panic", name)
		}
	}
}
