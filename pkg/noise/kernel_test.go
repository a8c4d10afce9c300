package noise

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
)

func TestKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 7, 256} {
		tall, wide := numtest.Gaussian(rng, max(n, 1), 6), numtest.Gaussian(rng, 5, n+3)
		b, start := numtest.Gaussian(rng, max(n, 1), 11), numtest.Gaussian(rng, 4, 9)
		right := mat.NewDense(max(n, 1), tileCols, nil)
		right.Copy(b)
		var product mat.Dense
		want := map[string]*mat.Dense{}
		for name, left := range map[string]mat.Matrix{"outer": tall.Slice(0, max(n, 1), 0, tileRows).T(), "inner": wide.Slice(0, tileRows, 0, max(n, 1))} {
			product.Mul(left, right)
			sum := mat.DenseCopyOf(start)
			for i := range tileRows {
				for j := range tileCols {
					if n > 0 {
						sum.Set(i, j, sum.At(i, j)+product.At(i, j))
					}
				}
			}
			want[name] = sum
		}
		for _, k := range []struct {
			name, kind string
			fn         kernel
			a          *mat.Dense
		}{
			{"outer", "machine", outer, tall}, {"outer", "portable", outerPortable, tall},
			{"inner", "machine", inner, wide}, {"inner", "portable", innerPortable, wide},
		} {
			c := mat.DenseCopyOf(start)
			k.fn(n, k.a.RawMatrix().Data, k.a.RawMatrix().Stride, b.RawMatrix().Data, 11, c.RawMatrix().Data, 9)
			// At most 256 products of size 16 in two orders of summation.
			numtest.CloseSlice(t, fmt.Sprintf("%s, %s, n=%d", k.name, k.kind, n), c.RawMatrix().Data, want[k.name].RawMatrix().Data, 1e-12)
		}
	}
}

func BenchmarkKernels(b *testing.B) {
	const n, ld = 256, 96
	a, c := make([]float64, n*ld), make([]float64, ld*ld)
	for _, k := range []struct {
		name string
		fn   kernel
		lda  int
	}{{"outer", outer, ld}, {"inner", inner, n}, {"outerPortable", outerPortable, ld}, {"innerPortable", innerPortable, n}} {
		b.Run(k.name, func(b *testing.B) {
			for b.Loop() {
				k.fn(n, a, k.lda, a[8:], ld-8, c, ld)
			}
			b.ReportMetric(float64(b.N)*2*n*tileRows*tileCols/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
