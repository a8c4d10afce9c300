package sde_test

import (
	"math"
	"testing"

	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
)

// gibbsMoment is 𝔼∏xᵢ^pᵢ under e^(−βΦ), by the trapezoidal rule.
func gibbsMoment(s *problem.System, p, q int) float64 {
	const h = .05
	var sum, z float64
	for x := -7.; x < 7; x += h {
		for y := -7.; y < 7; y += h {
			w := math.Exp(-s.Beta * s.Potential([]float64{x, y}))
			sum += w * math.Pow(x, float64(p)) * math.Pow(y, float64(q))
			z += w
		}
	}
	return sum / z
}

// TestStateDependentNoise: e^(−Φ) is stationary for XD and TensorWell only if their drift
// holds the Itô terms β⁻¹∇·(D+Q), and if the schemes are of Itô's kind. Without ∇·D
// the means of x₂ are −0.17 and −0.12 instead of 0.
//
// 4.5 standard errors (0.01 to 0.02 here) and an allowance of 0.01 for the step, more
// than half of one of them: 20 numbers, false alarm below 8e-6.
func TestStateDependentNoise(t *testing.T) {
	for _, s := range []*problem.System{problem.XD(), problem.TensorWell()} {
		for _, set := range []sde.Settings{
			{Scheme: sde.EulerMaruyama, Step: .01, Steps: 2000, BurnIn: 500},
			{Scheme: sde.WeakTwo, Step: .05, Steps: 400, BurnIn: 100},
		} {
			set.Walkers, set.Seed = 400, 12
			set.Observables = []sde.Observable{sde.Moment(1, 0), sde.Moment(0, 1), sde.Moment(2, 0), sde.Moment(0, 2), sde.Moment(1, 1)}
			res := simulate(t, sde.Plane(s), []float64{.5, 0}, set)
			for k, p := range [][2]int{{1, 0}, {0, 1}, {2, 0}, {0, 2}, {1, 1}} {
				within(t, res.Estimates[k], gibbsMoment(s, p[0], p[1]), 4.5, .01)
			}
		}
	}
}

func TestCurvedValley(t *testing.T) {
	// 𝔼∇f = 0 at every β, and for the chain of Euler–Maruyama too: 𝔼x₂ = ½𝔼x₁². At β = 1
	// it is 0.4620 (m21); allowance 0.01 for Δ = 0.01. Two comparisons of 5 and one of 4.5
	// standard errors with its allowance: false alarm below 8e-6.
	across := sde.Observable{Name: "x2 − ½x1²", Value: func(_, x []float64) float64 { return x[1] - x[0]*x[0]/2 }}
	for _, beta := range []float64{1, 4} {
		res := simulate(t, sde.Plane(problem.CV().AtBeta(beta)), []float64{1, .5}, sde.Settings{
			Step: .01, Steps: 5000, BurnIn: 1000, Walkers: 200, Seed: 13,
			Observables: []sde.Observable{across, sde.Moment(0, 1)},
		})
		within(t, res.Estimates[0], 0, 5, 0)
		if beta == 1 {
			within(t, res.Estimates[1], .4620, 4.5, .01)
		}
	}
}
