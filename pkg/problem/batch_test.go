package problem_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"sgdlab/pkg/problem"
)

// TestBatchHasTheBits: lanes give what points give, bit for bit, in the box, far out, and
// where there is no number. With GOAMD64=v3 the compiler fuses operations of the scalar
// functions; then to a few units of rounding of the largest term.
func TestBatchHasTheBits(t *testing.T) {
	a, b, c := 1+0x1p-30, 1+0x1p-30, -1.
	fused := a*b+c != float64(a*b)+c
	src := rand.New(rand.NewPCG(5, 6))
	for _, s := range planeSystems() {
		if s.Batch == nil {
			continue
		}
		for round, scale := range []float64{1, 3, 100, 1e4, 1e6, 1e60, math.Inf(1), math.NaN()} {
			var lanes problem.Batch
			for i := range problem.Lanes {
				lanes.X1[i], lanes.X2[i] = 3*src.NormFloat64(), 3*src.NormFloat64()
				if i%3 == 0 { // among others that are near
					lanes.X1[i] *= scale
				}
				if (i+round)%4 == 0 {
					lanes.X2[i] *= scale
				}
			}
			points := lanes
			s.Batch(&lanes)
			for i := range problem.Lanes {
				x, u := []float64{points.X1[i], points.X2[i]}, make([]float64, 2)
				var d problem.Tensor
				if s.Coefficients != nil {
					d = s.Coefficients(u, x)
				} else {
					s.Drift(u, x)
					d = s.Diffusion(x)
				}
				got := [5]float64{lanes.U1[i], lanes.U2[i], lanes.XX[i], lanes.XY[i], lanes.YY[i]}
				for k, want := range [5]float64{u[0], u[1], d.XX, d.XY, d.YY} {
					if same(got[k], want) || fused && math.Abs(got[k]-want) <= 1e-14*(1+math.Pow(math.Hypot(x[0], x[1]), 3)) {
						continue
					}
					t.Fatalf("%s at %v: number %d: got %v, want %v", s.Name, x, k, got[k], want)
				}
			}
		}
	}
}

// same reports whether two numbers are equal, or both none; of −0 and 0 it sees no
// difference, which no step does either.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
