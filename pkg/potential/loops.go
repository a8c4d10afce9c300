package potential

import (
	"math"

	"sgdlab/pkg/problem"
)

// LoopIntegral returns ∮ v·dx counter-clockwise round the circle of radius r about (cx, cy)
// with n points: spectrally accurate for a smooth field. It is zero for every circle if v
// is a gradient. statements.md §9.2 (E11).
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

// Assumption4 is how far the force j of a system is from what Assumption 4 of the paper says
// of it, ∇·j = 0.
type Assumption4 struct {
	Largest float64 // max |∇·j| over the centres of the cells
	X, Y    float64 // where
	RMS     float64 // root mean square of ∇·j under the masses
}

// CheckAssumption4 returns the divergence of the force of s, by central differences, under
// the steady state masses of st. It panics if the force of s is not known.
func CheckAssumption4(s *problem.System, st interface {
	Mean(func(x, y float64) float64) float64
}) (a Assumption4) {
	const h = 1e-4 // truncation 1e-8, round-off 1e-12
	up, down := make([]float64, 2), make([]float64, 2)
	square := st.Mean(func(x, y float64) float64 {
		div := 0.0
		for i := range 2 {
			p := []float64{x, y}
			p[i] += h
			s.ForceTo(up, p)
			p[i] -= 2 * h
			s.ForceTo(down, p)
			div += (up[i] - down[i]) / (2 * h)
		}
		if math.Abs(div) > a.Largest {
			a.Largest, a.X, a.Y = math.Abs(div), x, y
		}
		return div * div
	})
	a.RMS = math.Sqrt(square)
	return a
}
