package potential

import (
	"math"

	"sgdlab/pkg/problem"
)

// LoopIntegral returns ∮ v·dx counter-clockwise round the circle of radius r about (cx, cy)
// with n points: spectrally accurate for a smooth field. It is zero for every circle if v
// is a gradient. statements.md §9.2 (E11).
//
//	loop := potential.LoopIntegral(problem.EX19(0.5).System().Drift, 0, 0, 0.1, 64)
func LoopIntegral(v func(dst, x []float64), cx, cy, r float64, n int) (sum float64) {
	dst, x := make([]float64, 2), make([]float64, 2)
	for k := range n {
		s, c := math.Sincos(2 * math.Pi * float64(k) / float64(n))
		x[0], x[1] = cx+r*c, cy+r*s
		v(dst, x)
		sum += (-s*dst[0] + c*dst[1]) * r * 2 * math.Pi / float64(n)
	}
	return sum
}

// InverseNoiseGradient returns the field −D⁻¹u of a system, D⁻¹∇f for a loss. With constant
// D it is a gradient if and only if there is no force: its loop integrals tell. D must be
// positive definite.
//
//	loop := potential.LoopIntegral(potential.InverseNoiseGradient(problem.REF().System()), 0, 0, 1, 64)
func InverseNoiseGradient(s *problem.System) func(dst, x []float64) {
	return func(dst, x []float64) {
		s.Drift(dst, x)
		dst[0], dst[1] = s.Diffusion(x).Inverse().MulVec(-dst[0], -dst[1])
	}
}

// Divergence returns ∂₁v₁ + ∂₂v₂ at x (2) by central differences over ±1e-4: truncation about
// 1e-8 times third derivatives, round-off 1e-12.
//
//	s := problem.XD()
//	div := potential.Divergence(s.Force, []float64{0.7, -0.4})
func Divergence(v func(dst, x []float64), x []float64) (div float64) {
	const h = 1e-4
	var up, down [2]float64
	for i := range 2 {
		p := [2]float64{x[0], x[1]}
		p[i] += h
		v(up[:], p[:])
		p[i] -= 2 * h
		v(down[:], p[:])
		div += (up[i] - down[i]) / (2 * h)
	}
	return div
}

// Assumption4 is how far the force j of a system is from what Assumption 4 of the paper says
// of it, ∇·j = 0.
type Assumption4 struct {
	Largest float64 // max |∇·j| over the centres of the cells
	X, Y    float64 // where
	RMS     float64 // root mean square of ∇·j under the masses
}

// CheckAssumption4 returns the divergence of the force of s, by central differences, under
// the steady state masses of st. It panics if the force of s is not known.
//
//	v, err := plane.Solve(problem.XD(), 80)
//	a := potential.CheckAssumption4(problem.XD(), v)
func CheckAssumption4(s *problem.System, st interface {
	Mean(func(x, y float64) float64) float64
}) (a Assumption4) {
	square := st.Mean(func(x, y float64) float64 {
		div := Divergence(s.ForceTo, []float64{x, y})
		if math.Abs(div) > a.Largest {
			a.Largest, a.X, a.Y = math.Abs(div), x, y
		}
		return div * div
	})
	a.RMS = math.Sqrt(square)
	return a
}
