package spectrum_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/spectrum"
)

func panics(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}

// wantPanics checks that every function panics with a message of this package.
func wantPanics(t *testing.T, cases map[string]func()) {
	t.Helper()
	for name, fn := range cases {
		if msg := fmt.Sprint(panics(fn)); !strings.HasPrefix(msg, "spectrum: ") {
			t.Errorf("%s: got %q, want a panic of this package", name, msg)
		}
	}
}

func TestRanksOfEqualEigenvalues(t *testing.T) {
	// k equal eigenvalues give k for all of them, whatever the scale and the zeros.
	for _, k := range []int{1, 2, 7, 100} {
		for _, scale := range []float64{1, 1e-200, 3e150} {
			values := make([]float64, k+3)
			for i := range k {
				values[3+i] = scale
			}
			name := fmt.Sprintf("k=%d, scale %v", k, scale)
			// k additions of ones, a division and an exponential of log k.
			tol := 1e-13 * float64(k)
			numtest.Close(t, name+": stable rank", spectrum.StableRank(values), float64(k), tol)
			numtest.Close(t, name+": participation ratio", spectrum.ParticipationRatio(values), float64(k), tol)
			numtest.Close(t, name+": entropy rank", spectrum.EntropyRank(values), float64(k), tol)
			for _, epsilon := range []float64{spectrum.EpsilonF32, spectrum.EpsilonF64} {
				if c := spectrum.Rank(values, len(values), epsilon, 0); c != (spectrum.Count{Lower: k, Upper: k}) {
					t.Errorf("%s: rank: got %v, want %d", name, c, k)
				}
			}
		}
	}
}

func TestRanksOfNothing(t *testing.T) {
	for _, values := range [][]float64{nil, {0}, {0, 0, 0}} {
		numtest.CloseSlice(t, fmt.Sprint(values), []float64{spectrum.StableRank(values), spectrum.ParticipationRatio(values), spectrum.EntropyRank(values)}, make([]float64, 3), 0)
		if c := spectrum.Rank(values, 3, spectrum.EpsilonF32, 0); c != (spectrum.Count{}) {
			t.Errorf("rank of %v: got %v, want 0", values, c)
		}
	}
}

func TestRankOrdering(t *testing.T) {
	// Rényi entropies of order ∞, 2, 1, 0: statements §5.1.
	rapid.Check(t, func(t *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		d, power := rapid.IntRange(1, 60).Draw(t, "d"), rapid.Float64Range(0, 8).Draw(t, "power")
		values := make([]float64, d)
		for i := range values {
			values[i] = math.Pow(rng.ExpFloat64(), power)
		}
		a, b, c := spectrum.StableRank(values), spectrum.ParticipationRatio(values), spectrum.EntropyRank(values)
		const slack = 1 + 1e-12 // the four are equal if all eigenvalues are
		if !(1 <= a*slack && a <= b*slack && b <= c*slack && c <= float64(d)*slack) {
			t.Fatalf("d=%d, power %v: stable rank %v, participation ratio %v, entropy rank %v", d, power, a, b, c)
		}
		// Scale invariance, PR/d = mean²/(mean²+std²), and monotone threshold counts.
		scale := math.Exp(rng.NormFloat64() * 20)
		scaled := make([]float64, d)
		var trace, squares float64
		for i, v := range values {
			scaled[i] = scale * v
			trace += v
			squares += v * v
		}
		if got := spectrum.EntropyRank(scaled); math.Abs(got-c) > 1e-11*c {
			t.Fatalf("entropy rank of the scaled spectrum: got %v, want %v", got, c)
		}
		mean, std := spectrum.Moments(trace, math.Sqrt(squares), d)
		if pr := float64(d) * mean * mean / (mean*mean + std*std); math.Abs(pr-b) > 1e-9*b {
			t.Fatalf("participation ratio from the moments: got %v, want %v", pr, b)
		}
		last := d
		for _, epsilon := range []float64{1e-300, spectrum.EpsilonF64, 1e-10, spectrum.EpsilonF32, 1e-3} {
			count := spectrum.Rank(values, d, epsilon, 0)
			if !count.Decided() || count.Lower > last || count != spectrum.Rank(scaled, d, epsilon, 0) {
				t.Fatalf("ε=%v: got %v after %d, scaled %v", epsilon, count, last, spectrum.Rank(scaled, d, epsilon, 0))
			}
			last = count.Lower
		}
		if len(values) > 0 && last > d {
			t.Fatalf("rank %d of %d", last, d)
		}
	})
}

func TestGeometricSpectrum(t *testing.T) {
	// Statements §5.2: a geometric spectrum from 1 to 1e-12 with d = 13,338 has rank
	// 23 % in float32 and 96 % in float64 (m13: 23.33 %, 96.07 %).
	const d = 13338
	values := make([]float64, d)
	for i := range values {
		values[i] = math.Pow(10, -12*float64(d-1-i)/(d-1))
	}
	for epsilon, want := range map[float64]float64{spectrum.EpsilonF32: .2333, spectrum.EpsilonF64: .9607} {
		got := spectrum.Rank(values, d, epsilon, 0)
		numtest.Close(t, fmt.Sprint("ε=", epsilon), float64(got.Lower)/d, want, 1e-4)
	}
}

func TestCountAbove(t *testing.T) {
	values := []float64{-1e-9, 0, .009, .011, .5, 1}
	tests := []struct {
		relative, residual float64
		want               spectrum.Count
	}{
		{.01, 0, spectrum.Count{Lower: 3, Upper: 3}},
		{.01, 5e-4, spectrum.Count{Lower: 3, Upper: 3}},
		{.01, .002, spectrum.Count{Lower: 2, Upper: 4}}, // .009 and .011 are within ±.002 of .01
		{.01, .02, spectrum.Count{Lower: 2, Upper: 6}},  // nothing is known about zero either
		{1e-10, 0, spectrum.Count{Lower: 5, Upper: 5}},  // −1e-9 counts by its size
		{.6, 0, spectrum.Count{Lower: 1, Upper: 1}},
		{2, 0, spectrum.Count{}},
		{.5, 1e-3, spectrum.Count{Lower: 1, Upper: 2}},
	}
	for _, tt := range tests {
		if got := spectrum.CountAbove(values, tt.relative, tt.residual); got != tt.want {
			t.Errorf("above %v, residual %v: got %v, want %v", tt.relative, tt.residual, got, tt.want)
		}
	}
	if s := fmt.Sprint(spectrum.Count{Lower: 207, Upper: 207}, spectrum.Count{Lower: 200, Upper: 210}); s != "207 200–210" {
		t.Errorf("String: got %s", s)
	}
	nan := math.NaN()
	wantPanics(t, map[string]func(){
		"relative 0":   func() { spectrum.CountAbove(values, 0, 0) },
		"relative NaN": func() { spectrum.CountAbove(values, nan, 0) },
		"residual < 0": func() { spectrum.CountAbove(values, 1, -1) },
		"residual NaN": func() { spectrum.CountAbove(values, 1, nan) },
		"dim 0":        func() { spectrum.Rank(values, 0, 1e-7, 0) },
		"moments of 0": func() { spectrum.Moments(1, 1, 0) },
	})
}

func TestCountAboveHoldsForPerturbedValues(t *testing.T) {
	// Whatever the errors up to ±residual do, the count of the true values is in range.
	rng := rand.New(rand.NewPCG(21, 1))
	for range 2000 {
		n := 1 + rng.IntN(12)
		relative, residual := math.Pow(10, -4*rng.Float64()), math.Pow(10, -5*rng.Float64())
		truth, computed := make([]float64, n), make([]float64, n)
		for i := range truth {
			truth[i] = math.Pow(10, -5*rng.Float64())
			computed[i] = truth[i] + residual*(2*rng.Float64()-1)
		}
		exact := spectrum.CountAbove(truth, relative, 0).Lower
		if c := spectrum.CountAbove(computed, relative, residual); exact < c.Lower || exact > c.Upper {
			t.Fatalf("%v above %v: got %v from %v ± %v, want %d", truth, relative, c, computed, residual, exact)
		}
	}
}

func TestMoments(t *testing.T) {
	values := []float64{0, 0, 1, 2, 7}
	var trace, squares float64
	for _, v := range values {
		trace += v
		squares += v * v
	}
	mean, std := spectrum.Moments(trace, math.Sqrt(squares), 5)
	numtest.Close(t, "mean", mean, 2, 1e-15)
	numtest.Close(t, "std", std, math.Sqrt(34./5), 1e-14) // Σ(λ−2)² = 4+4+1+0+25
	mean, std = spectrum.Moments(-6, math.Sqrt(12), 3)    // −2 three times
	numtest.CloseSlice(t, "three times −2", []float64{mean, std}, []float64{-2, 0}, 1e-7)
	mean, std = spectrum.Moments(1e200, 1e200, 1)
	numtest.CloseSlice(t, "one huge", []float64{mean, std}, []float64{1e200, 0}, 0)
}

func ExampleRank() {
	// A spectrum over ten decades: what counts as zero depends on the precision (E19).
	values := []float64{1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1}
	fmt.Println("float32:", spectrum.Rank(values, 6, spectrum.EpsilonF32, 0))
	fmt.Println("float64:", spectrum.Rank(values, 6, spectrum.EpsilonF64, 0))
	fmt.Println("float32, values known to 1e-6:", spectrum.Rank(values, 6, spectrum.EpsilonF32, 1e-6))
	// Output:
	// float32: 4
	// float64: 6
	// float32, values known to 1e-6: 3–6
}
