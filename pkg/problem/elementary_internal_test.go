package problem

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestExp(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	// Both are good to one unit in the last place, 2⁻⁵²: they differ by two at most.
	const tol = 2 * 0x1p-52
	for k := range 1_000_000 {
		x := rng.NormFloat64() * math.Pow(10, float64(k%5)-2)
		if math.Abs(x) > 708 {
			continue
		}
		if got, want := exp(x), math.Exp(x); !(math.Abs(got-want) <= tol*want) {
			t.Fatalf("exp(%v): got %v, want %v, relative difference %.2g, tolerance %.2g", x, got, want, got/want-1, tol)
		}
	}
	for _, x := range []float64{0, 1, -1, 707.9, -707.9, math.Ln2 / 64, -math.Ln2 / 64} {
		if got, want := exp(x), math.Exp(x); !(math.Abs(got-want) <= tol*want) {
			t.Errorf("exp(%v): got %v, want %v", x, got, want)
		}
	}
	for _, x := range []float64{-708, -1e300, math.Inf(-1)} {
		if got := exp(x); got != 0 {
			t.Errorf("exp(%v): got %v, want 0", x, got)
		}
	}
	if !math.IsNaN(exp(math.NaN())) || !math.IsInf(exp(1000), 1) {
		t.Error("exp of NaN and 1000: want NaN, +Inf")
	}
}

func TestSincos(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	// Reduction by π/2 in two parts loses k·2⁻⁸⁷·… < 1e-17 up to |x| = 1e5; the polynomial
	// is rounded a few times: 2⁻⁵² absolute.
	const tol = 0x1p-52
	check := func(x float64) {
		s, c := sincos(x)
		if ws, wc := math.Sincos(x); !(math.Abs(s-ws) <= tol && math.Abs(c-wc) <= tol) {
			t.Fatalf("sincos(%v): got %v, %v, want %v, %v, tolerance %v", x, s, c, ws, wc, tol)
		}
	}
	for k := range 1_000_000 {
		check(rng.NormFloat64() * math.Pow(10, float64(k%7)-2))
	}
	for k := range 100 {
		check(float64(k-50) * math.Pi / 4)
	}
	check(1e7)
	if s, c := sincos(math.NaN()); !math.IsNaN(s) || !math.IsNaN(c) {
		t.Error("sincos of NaN: want NaN")
	}
}
