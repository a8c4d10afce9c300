package problem_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
)

func TestTensorRoot(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 0))
	for k := range 1000 {
		a, b, c := rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
		m := problem.Tensor{XX: a*a + b*b, XY: b * c, YY: c * c} // AAᵀ with A = [a b; 0 c]
		if k%3 == 0 {                                            // rank one
			m = problem.Tensor{XX: a * a, XY: a * b, YY: b * b}
		}
		s, ok := m.Root()
		if !ok {
			t.Fatalf("root of %v: not found", m)
		}
		got := []float64{s.XX*s.XX + s.XY*s.XY, s.XX*s.XY + s.XY*s.YY, s.XY*s.XY + s.YY*s.YY}
		// A singular t has a determinant of rounding size ε·tr², whose root is √ε·tr.
		tol := 1e-14
		if k%3 == 0 {
			tol = 4e-8
		}
		numtest.CloseSlice(t, "S·S", got, []float64{m.XX, m.XY, m.YY}, tol*m.Trace())
		if lower, _ := s.Eigenvalues(); lower < -1e-14*m.Trace() {
			t.Errorf("root of %v has the eigenvalue %v", m, lower)
		}
	}
}

func TestTensorEdges(t *testing.T) {
	inf := math.Inf(1)
	for name, tt := range map[string]struct {
		m  problem.Tensor
		ok bool
	}{
		"zero":               {problem.Tensor{}, true},
		"one direction":      {problem.Tensor{XX: 4}, true},
		"rank one":           {problem.Tensor{XX: 1, XY: 1, YY: 1}, true},
		"negative":           {problem.Tensor{XX: -1, YY: -1}, false},
		"negative, singular": {problem.Tensor{XX: -1}, false},
		"indefinite":         {problem.Tensor{XX: 1, XY: 2, YY: 1}, false},
		"zero trace":         {problem.Tensor{XX: 1, YY: -1}, false},
		"off-diagonal only":  {problem.Tensor{XY: 1}, false},
		"rounding":           {problem.Tensor{XX: 1, YY: -1e-16}, true},
		"NaN":                {problem.Tensor{XX: nan, YY: 1}, false},
		"NaN off-diagonal":   {problem.Tensor{XX: 1, XY: nan, YY: 1}, false},
		"infinite":           {problem.Tensor{XX: inf, YY: 1}, false},
	} {
		if s, ok := tt.m.Root(); ok != tt.ok {
			t.Errorf("%s: root %v, ok %v, want %v", name, s, ok, tt.ok)
		}
	}
	s, _ := problem.Tensor{XX: 4}.Root()
	if want := (problem.Tensor{XX: 2}); s != want {
		t.Errorf("root of diag(4, 0): got %v, want %v", s, want)
	}
	m := problem.Tensor{XX: 2, XY: 1, YY: 3}
	x, y := m.MulVec(1, -2)
	x, y = m.Inverse().MulVec(x, y)
	numtest.CloseSlice(t, "M⁻¹M(1, −2)", []float64{x, y}, []float64{1, -2}, 1e-15)
	lower, upper := m.Eigenvalues()
	numtest.CloseSlice(t, "trace and determinant", []float64{lower + upper, lower * upper}, []float64{m.Trace(), m.Det()}, 1e-14)
}
