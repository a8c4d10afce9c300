package numtest

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// recorder is a testing.TB that counts failures instead of failing.
type recorder struct {
	testing.TB
	failures int
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failures++ }

func TestComparators(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		name string
		run  func(tb testing.TB)
		fail bool
	}{
		{"close equal", func(tb testing.TB) { Close(tb, "", 1, 1, 0) }, false},
		{"close within", func(tb testing.TB) { Close(tb, "", 1, 1.25, 0.25) }, false},
		{"close outside", func(tb testing.TB) { Close(tb, "", 1, 1.25, 0.2) }, true},
		{"close NaN got", func(tb testing.TB) { Close(tb, "", nan, 1, inf) }, true},
		{"close NaN both", func(tb testing.TB) { Close(tb, "", nan, nan, inf) }, true},
		{"close infinities", func(tb testing.TB) { Close(tb, "", inf, inf, 0) }, false},
		{"slice equal", func(tb testing.TB) { CloseSlice(tb, "", []float64{1, inf}, []float64{1, inf}, 0) }, false},
		{"slice length", func(tb testing.TB) { CloseSlice(tb, "", []float64{1}, nil, 1) }, true},
		{"slice worst", func(tb testing.TB) { CloseSlice(tb, "", []float64{1, 2}, []float64{1, 3}, 0.5) }, true},
		{"slice NaN", func(tb testing.TB) { CloseSlice(tb, "", []float64{1, nan}, []float64{1, 3}, 1e300) }, true},
		{"relative within", func(tb testing.TB) { RelSlice(tb, "", []float64{100, 1}, []float64{100, 2}, 0.01) }, false},
		{"relative outside", func(tb testing.TB) { RelSlice(tb, "", []float64{100, 1}, []float64{100, 2}, 0.001) }, true},
		{"relative to zero", func(tb testing.TB) { RelSlice(tb, "", []float64{1e-300}, []float64{0}, 1) }, true},
	}
	for _, tt := range tests {
		r := &recorder{TB: t}
		if tt.run(r); (r.failures > 0) != tt.fail {
			t.Errorf("%s: got %d failures, want failure %v", tt.name, r.failures, tt.fail)
		}
	}
}

func TestSymmetricHasTheSpectrum(t *testing.T) {
	want := []float64{-2, 0, 1e-3, 1, 1, 5}
	a := Symmetric(rand.New(rand.NewPCG(1, 1)), want)
	var eig mat.EigenSym
	if !eig.Factorize(a, false) {
		t.Fatal("no eigenvalues")
	}
	// 6 eigenvalues, λmax = 5: round-off is about 6·2⁻⁵²·5 < 1e-14.
	CloseSlice(t, "eigenvalues", eig.Values(nil), want, 1e-13)
}

func TestOrthogonal(t *testing.T) {
	q := Orthogonal(rand.New(rand.NewPCG(2, 1)), 7)
	var g mat.Dense
	g.Mul(q.T(), q)
	for i := range 7 {
		g.Set(i, i, g.At(i, i)-1)
	}
	Close(t, "‖QᵀQ−I‖", mat.Norm(&g, 2), 0, 1e-14)
}
