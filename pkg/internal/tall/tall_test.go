package tall

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
)

// both runs a kernel of either precision on float64 numbers.
func both[T float32 | float64](k func(n int, a []T, lda int, b []T, ldb int, c []T, ldc int)) func(n int, a, b, c *mat.Dense) {
	narrow := func(m *mat.Dense) []T {
		out := make([]T, 0, len(m.RawMatrix().Data))
		for _, v := range m.RawMatrix().Data {
			out = append(out, T(v))
		}
		return out
	}
	return func(n int, a, b, c *mat.Dense) {
		sum := narrow(c)
		k(n, narrow(a), a.RawMatrix().Stride, narrow(b), b.RawMatrix().Stride, sum, c.RawMatrix().Stride)
		for i, v := range sum {
			c.RawMatrix().Data[i] = float64(v)
		}
	}
}

// with returns the four products, made of the given kernels.
func with(k64 kernel[float64], k32 kernel[float32]) map[string]func(n int, a, b, c *mat.Dense) {
	return map[string]func(n int, a, b, c *mat.Dense){
		"Outer64": both(func(n int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) {
			k64(n, a, 1, lda, b, ldb, c, ldc)
		}),
		"Inner64": both(func(n int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) {
			k64(n, a, lda, 1, b, ldb, c, ldc)
		}),
		"Outer32": both(func(n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
			k32(n, a, 1, lda, b, ldb, c, ldc)
		}),
		"Inner32": both(func(n int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
			k32(n, a, lda, 1, b, ldb, c, ldc)
		}),
	}
}

func TestKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	sets := map[string]map[string]func(n int, a, b, c *mat.Dense){
		"exported": {"Outer64": both(Outer64), "Inner64": both(Inner64), "Outer32": both(Outer32), "Inner32": both(Inner32)},
		"portable": with(portable64, portable32),
	}
	for name, set := range narrower() {
		sets[name] = set
	}
	for _, n := range []int{0, 1, 2, 7, 256} {
		tall, wide := numtest.Gaussian(rng, max(n, 1), Rows+2), numtest.Gaussian(rng, Rows+1, n+3)
		b := numtest.Gaussian(rng, max(n, 1), Cols32+3)
		start := numtest.Gaussian(rng, Rows, Cols32+1)
		for set, kernels := range sets {
			for kind, fn := range kernels {
				left, cols, tol := mat.Matrix(tall.Slice(0, max(n, 1), 0, Rows).T()), Cols64, 1e-12
				a := tall
				if kind[:5] == "Inner" {
					left, a = wide.Slice(0, Rows, 0, max(n, 1)), wide
				}
				if kind[5:] == "32" {
					// At most 256 products of size 16 in two orders of summation.
					cols, tol = Cols32, 1e-3
				}
				want := mat.DenseCopyOf(start)
				if n > 0 {
					var product mat.Dense
					product.Mul(left, b.Slice(0, n, 0, cols))
					inside := want.Slice(0, Rows, 0, cols).(*mat.Dense)
					inside.Add(inside, &product)
				}
				got := mat.DenseCopyOf(start)
				fn(n, a, b, got)
				numtest.CloseSlice(t, fmt.Sprintf("%s, %s, n=%d", set, kind, n), got.RawMatrix().Data, want.RawMatrix().Data, tol)
			}
		}
	}
}

func TestSub32(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for _, n := range []int{0, 1, 7, 8, 9, 40} {
		a, b, got, want := make([]float32, n+1), make([]float32, n), make([]float32, n), make([]float32, n)
		for i := range b {
			a[i], b[i] = rng.Float32(), rng.Float32()
			want[i] = a[i] - b[i]
		}
		Sub32(got, a, b)
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("n=%d, entry %d: got %v, want %v", n, i, got[i], want[i])
			}
		}
	}
}

func TestRoundUp(t *testing.T) {
	for _, c := range [][3]int{{0, 4, 0}, {1, 4, 4}, {4, 4, 4}, {5, 4, 8}} {
		if got := RoundUp(c[0], c[1]); got != c[2] {
			t.Errorf("RoundUp(%d, %d): got %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func ExampleOuter64() {
	// The sums of two columns, and of their squares: one column of b for each.
	a := make([]float64, 2*Rows)
	a[0], a[1], a[Rows], a[Rows+1] = 1, 2, 3, 4
	b := make([]float64, 2*Cols64)
	b[0], b[Cols64] = 1, 1 // first column: ones
	b[1], b[Cols64+1] = 1, 3
	c := make([]float64, Rows*Cols64)
	Outer64(2, a, Rows, b, Cols64, c, Cols64)
	fmt.Println(c[:2], c[Cols64:Cols64+2])
	// Output:
	// [4 10] [6 14]
}

func BenchmarkKernels(b *testing.B) {
	const n, ld = 256, 96
	a, c := make([]float64, n*ld), make([]float64, n*ld)
	a32, c32 := make([]float32, n*ld), make([]float32, n*ld)
	for name, k := range map[string]kernel[float64]{"mul64": mul64, "portable64": portable64} {
		for kind, strides := range map[string][2]int{"Outer": {1, ld}, "Inner": {n, 1}} {
			b.Run(kind+"/"+name, func(b *testing.B) {
				for b.Loop() {
					k(n, a, strides[0], strides[1], a[8:], ld-8, c, ld)
				}
				b.ReportMetric(float64(b.N)*2*n*Rows*Cols64/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
	for name, k := range map[string]kernel[float32]{"mul32": mul32, "portable32": portable32} {
		for kind, strides := range map[string][2]int{"Outer": {1, ld}, "Inner": {n, 1}} {
			b.Run(kind+"/"+name, func(b *testing.B) {
				for b.Loop() {
					k(n, a32, strides[0], strides[1], a32[8:], ld-8, c32, ld)
				}
				b.ReportMetric(float64(b.N)*2*n*Rows*Cols32/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
