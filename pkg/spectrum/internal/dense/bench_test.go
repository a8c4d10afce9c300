package dense

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/lapack/gonum"

	"sgdlab/pkg/internal/syrk"
	"sgdlab/pkg/internal/syrk/kernel"
)

// covariance returns the lower triangle of GᵀG/N with N = 2000 normal samples whose
// columns decay from 1 to 1e-4: a spectrum like that of D(x).
func covariance(n int) []float64 {
	const samples = 2000
	rng := rand.New(rand.NewPCG(1, 1))
	g := make([]float32, samples*n)
	for k := range samples {
		for i := range n {
			g[k*n+i] = float32(rng.NormFloat64() * math.Pow(10, -4*float64(i)/float64(n)) / math.Sqrt(samples))
		}
	}
	a := make([]float64, n*n)
	syrk.Lower32(a, g, samples, n, 0)
	return a
}

// The operations counted are 4n³/3, those of the reduction to a band.
func BenchmarkEigenvalues(b *testing.B) {
	for _, n := range []int{500, 1000, 2000, 3978, 13338} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			if n > 4000 && testing.Short() {
				b.Skip("a minute: not with -short")
			}
			original := covariance(n)
			a := slices.Clone(original)
			for b.Loop() {
				copy(a, original)
				if _, err := Eigenvalues(a, n, 0); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(4./3*math.Pow(float64(n), 3)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

// BenchmarkStages tells where the time goes, in seconds per call.
func BenchmarkStages(b *testing.B) {
	const n = 3978
	original := covariance(n)
	a := slices.Clone(original)
	k := kernel.Best()
	both := pair(b)
	b.Run("reduce", func(b *testing.B) {
		for b.Loop() {
			copy(a, original)
			reduce(k, a, n, both)
		}
	})
	copy(a, original)
	full := reduce(k, a, n, both)
	b.Run("chase", func(b *testing.B) {
		for b.Loop() {
			chase(k, slices.Clone(full), n, both)
		}
	})
	diag, off := chase(k, full, n, both)
	b.Run("Dsterf", func(b *testing.B) {
		for b.Loop() {
			gonum.Implementation{}.Dsterf(n, slices.Clone(diag), slices.Clone(off))
		}
	})
}
