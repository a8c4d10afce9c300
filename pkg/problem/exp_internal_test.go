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
