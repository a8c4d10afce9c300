package syrk

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"sgdlab/pkg/internal/syrk/kernel"
)

// naive adds GᵀG to the lower triangle by the definition, and returns Σₖ|gₖᵢgₖⱼ|.
func naive[T float32 | float64](dst []float64, g []T, rows, d int) (weight []float64) {
	weight = make([]float64, d*d)
	for i := range d {
		for j := range i + 1 {
			var sum, abs float64
			for k := range rows {
				x := float64(g[k*d+i]) * float64(g[k*d+j])
				sum += x
				abs += math.Abs(x)
			}
			dst[i*d+j] += sum
			weight[i*d+j] = abs
		}
	}
	return weight
}

func random[T float32 | float64](seed uint64, n int) []T {
	rng := rand.New(rand.NewPCG(seed, 1))
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

var shapes = []struct{ rows, d int }{
	{1, 1}, {3, 1}, {1, 3}, {5, 47}, {7, 48}, {9, 49}, {127, 96}, {128, 97}, {129, 145},
	{255, 60}, {257, 192}, {1025, 50}, {4200, 31}, {300, 245},
}

func TestLower32AgainstDefinition(t *testing.T) {
	for _, set := range kernel.Available() {
		for _, s := range shapes {
			g := random[float32](1, s.rows*s.d)
			got := random[float64](2, s.d*s.d)
			want := append([]float64(nil), got...)
			// u = 2⁻²⁴: the worst case of a float32 sum of 128 products is 128·u·Σ|…|;
			// sums of random signs stay far below.
			weight := naive(want, g, s.rows, s.d)
			lower(got, g, s.rows, s.d, 2, set.MulTN32)
			compare(t, set.Name, s.d, got, want, weight, 128*0x1p-24)
		}
	}
}

func TestLower64AgainstDefinition(t *testing.T) {
	for _, set := range kernel.Available() {
		for _, s := range shapes {
			g := random[float64](1, s.rows*s.d)
			got := random[float64](2, s.d*s.d)
			want := append([]float64(nil), got...)
			// u = 2⁻⁵³: both sides err by at most rows·u·Σ|…|, and by one rounding of
			// the sum with dst.
			weight := naive(want, g, s.rows, s.d)
			lower(got, g, s.rows, s.d, 2, set.MulTN64)
			compare(t, set.Name, s.d, got, want, weight, 2*float64(s.rows)*0x1p-53)
		}
	}
}

// compare checks the lower triangle within rel·weight + 2⁻⁵²·|want|, and that the
// upper triangle was left alone.
func compare(t *testing.T, name string, d int, got, want, weight []float64, rel float64) {
	t.Helper()
	for i := range d {
		for j := range d {
			g, w := got[i*d+j], want[i*d+j]
			tol := rel*weight[i*d+j] + 0x1p-50*(1+math.Abs(w))
			if j > i {
				tol = 0
			}
			if !(math.Abs(g-w) <= tol) {
				t.Fatalf("%s: d = %d, entry (%d, %d): got %.17g, want %.17g, difference %.3g, tolerance %.3g", name, d, i, j, g, w, g-w, tol)
			}
		}
	}
}

func TestSameBitsForAnyWorkers(t *testing.T) {
	const rows, d = 1100, 500
	g32, g64 := random[float32](3, rows*d), random[float64](4, rows*d)
	want32, want64 := make([]float64, d*d), make([]float64, d*d)
	Lower32(want32, g32, rows, d, 1)
	Lower64(want64, g64, rows, d, 1)
	for _, workers := range []int{0, 2, 3, 4, 64} {
		got := make([]float64, d*d)
		Lower32(got, g32, rows, d, workers)
		same(t, fmt.Sprintf("Lower32, %d workers", workers), got, want32)
		clear(got)
		Lower64(got, g64, rows, d, workers)
		same(t, fmt.Sprintf("Lower64, %d workers", workers), got, want64)
	}
}

func same(t *testing.T, name string, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
			t.Fatalf("%s: element %d: got %.17g, want %.17g, the same bits", name, i, got[i], want[i])
		}
	}
}

func TestInputUnchanged(t *testing.T) {
	g := random[float32](5, 300*100)
	before := append([]float32(nil), g...)
	Lower32(make([]float64, 100*100), g, 300, 100, 2)
	for i := range g {
		if g[i] != before[i] {
			t.Fatalf("g[%d]: got %v after the call, want %v", i, g[i], before[i])
		}
	}
}

// A NaN or an infinity in one column shows in the row and the column of the result
// that belong to it, and nowhere else.
func TestNaNStaysInItsColumn(t *testing.T) {
	const rows, d, bad = 20, 100, 60
	for _, set := range kernel.Available() {
		g := random[float32](6, rows*d)
		g[7*d+bad] = float32(math.NaN())
		dst := make([]float64, d*d)
		lower(dst, g, rows, d, 1, set.MulTN32)
		for i := range d {
			for j := range i + 1 {
				if got, want := math.IsNaN(dst[i*d+j]), i == bad || j == bad; got != want {
					t.Fatalf("%s: entry (%d, %d) is NaN: got %v, want %v", set.Name, i, j, got, want)
				}
			}
		}
	}
}

func TestMisusePanics(t *testing.T) {
	tests := []struct {
		name     string
		call     func()
		contains string
	}{
		{"dst too short", func() { Lower32(make([]float64, 3), make([]float32, 4), 2, 2, 1) }, "dst has 3 elements, want 2×2"},
		{"g too long", func() { Lower32(make([]float64, 4), make([]float32, 5), 2, 2, 1) }, "g has 5 elements, want 2×2"},
		{"g too short", func() { Lower64(make([]float64, 4), make([]float64, 3), 2, 2, 1) }, "g has 3 elements, want 2×2"},
		{"negative rows", func() { Lower64(nil, nil, -1, 0, 1) }, "rows = -1"},
		{"negative d", func() { Lower32(nil, nil, 0, -2, 1) }, "d = -2"},
	}
	for _, tt := range tests {
		func() {
			defer func() {
				text, _ := recover().(string)
				if !strings.HasPrefix(text, "syrk: ") || !strings.Contains(text, tt.contains) {
					t.Errorf("%s: got panic %q, want one with %q", tt.name, text, tt.contains)
				}
			}()
			tt.call()
		}()
	}
}

func TestNothingToDo(t *testing.T) {
	Lower32(nil, nil, 10, 0, 0)
	dst := []float64{1, 2, 3, 4}
	Lower32(dst, nil, 0, 2, 0)
	same(t, "no rows", dst, []float64{1, 2, 3, 4})
}

func BenchmarkLower32(b *testing.B) {
	for _, set := range kernel.Available() {
		for _, s := range []struct{ rows, d int }{{4096, 917}, {4096, 3978}} {
			b.Run(fmt.Sprintf("%s/d=%d", strings.ReplaceAll(set.Name, " ", "-"), s.d), func(b *testing.B) {
				g := random[float32](7, s.rows*s.d)
				dst := make([]float64, s.d*s.d)
				for b.Loop() {
					lower(dst, g, s.rows, s.d, 0, set.MulTN32)
				}
				gflops(b, s.rows, s.d)
			})
		}
	}
}

func BenchmarkLower64(b *testing.B) {
	for _, set := range kernel.Available() {
		b.Run(strings.ReplaceAll(set.Name, " ", "-"), func(b *testing.B) {
			const rows, d = 1024, 3978
			g := random[float64](7, rows*d)
			dst := make([]float64, d*d)
			for b.Loop() {
				lower(dst, g, rows, d, 0, set.MulTN64)
			}
			gflops(b, rows, d)
		})
	}
}

// gflops reports rows·d² operations per call, those of half the matrix.
func gflops(b *testing.B, rows, d int) {
	b.ReportMetric(float64(rows)*float64(d)*float64(d)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
