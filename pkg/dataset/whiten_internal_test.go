package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
)

// (C+ε)^(−½) for matrices of known spectrum, in the same random eigenvectors.
func TestInverseSqrt(t *testing.T) {
	for _, tt := range []struct {
		name string
		eig  []float64
		bias float64
	}{
		{"one value", []float64{3}, 0.1},
		{"zero", []float64{0, 0, 0}, 0.25},
		{"spread", []float64{0, 1e-3, 0.1, 1, 30, 900}, 0.1},
		{"degenerate", []float64{2, 2, 2, 5, 5}, 0.5},
		{"wide", []float64{0, 1e-6, 1e-3, 1, 1e3}, 1e-6},
		{"little variance", []float64{1e-9, 2e-9}, 10},
	} {
		want := make([]float64, len(tt.eig))
		for i, lambda := range tt.eig {
			want[i] = 1 / math.Sqrt(lambda+tt.bias)
		}
		c := numtest.Symmetric(rand.New(rand.NewPCG(7, 7)), tt.eig)
		w := numtest.Symmetric(rand.New(rand.NewPCG(7, 7)), want)
		got, err := inverseSqrt(t.Context(), c, tt.bias)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		// The quadrature errs by 1e-9; C is known to 1e-16·λmax, which counts as
		// a relative 1e-16·λmax/ε, at most 1e-7 here.
		tol := 2e-9 + 1e-16*tt.eig[len(tt.eig)-1]/tt.bias
		numtest.RelSlice(t, tt.name, dense(got), dense(w), tol)
	}
}

func dense(a mat.Symmetric) []float64 {
	return mat.DenseCopyOf(a).RawMatrix().Data
}

// A bias below the rounding of the covariance is refused, not turned into numbers.
func TestInverseSqrtLost(t *testing.T) {
	c := numtest.Symmetric(rand.New(rand.NewPCG(7, 7)), []float64{-1e-3, 1, 1e6}) // rounding made it indefinite
	_, err := inverseSqrt(t.Context(), c, 1e-12)
	if want := "dataset: fitting a whitening: a bias of 1e-12 is lost in rounding beside the variance"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Against values of Jacobi's functions from Abramowitz and Stegun: K(m=½) =
// 1.85407467730137, 17.1; am(K) = π/2; am(u|0) = u; am(u|1) = gd(u); and the
// definition u = ∫ dθ/√(1−m sin²θ) by Simpson's rule.
func TestJacobi(t *testing.T) {
	numtest.Close(t, "K(½)", quarterPeriod(0.5), 1.85407467730137, 1e-14)
	numtest.Close(t, "K(0)", quarterPeriod(1), math.Pi/2, 1e-15)
	for _, q := range []float64{1, 0.9, 0.5, 1e-3, 1e-8, 1e-14} {
		numtest.Close(t, fmt.Sprintf("am(K), q = %g", q), amplitude(quarterPeriod(q), q), math.Pi/2, 1e-9)
	}
	numtest.Close(t, "am(0.7|0)", amplitude(0.7, 1), 0.7, 1e-15)
	numtest.Close(t, "am(0.7|1)", amplitude(0.7, 1e-16), 2*math.Atan(math.Tanh(0.35)), 1e-12)
	const q, n = 0.04, 2000
	phi := amplitude(1.3, q)
	var u float64
	for i := range n + 1 {
		s := math.Sin(phi * float64(i) / n)
		weight := []float64{2, 4}[i%2]
		if i == 0 || i == n {
			weight = 1
		}
		u += weight * phi / (3 * n) / math.Sqrt(1-(1-q)*s*s)
	}
	numtest.Close(t, "u of am(1.3)", u, 1.3, 1e-12) // Simpson's error is below 1e-13
}
