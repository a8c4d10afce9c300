package direct

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func random[T Float](r *rand.Rand, n int) []T {
	v := make([]T, n)
	for i := range v {
		v[i] = T(r.NormFloat64())
	}
	return v
}

// All kernels that this machine can run compute what those in plain Go do, up to the
// rounding that fused multiply-adds save.
func TestKernels(t *testing.T) {
	t.Run("float32", func(t *testing.T) { testKernels[float32](t, 0x1p-24) })
	t.Run("float64", func(t *testing.T) { testKernels[float64](t, 0x1p-53) })
}

func testKernels[T Float](t *testing.T, unit float64) {
	for _, fast := range available[T]() {
		t.Run(fast.name, func(t *testing.T) { testSet(t, fast, unit) })
	}
}

func testSet[T Float](t *testing.T, fast *kernels[T], unit float64) {
	slow := portable[T]()
	r := rand.New(rand.NewPCG(1, 1))
	check := func(name string, got, want []T, terms int) {
		t.Helper()
		for i := range want {
			// A sum of n products of numbers of order 1 has terms up to about 20 and rounds n times.
			if d := math.Abs(float64(got[i] - want[i])); !(d <= 20*float64(terms+1)*unit) {
				t.Errorf("%s: entry %d is %v, want %v", name, i, got[i], want[i])
			}
		}
	}
	for w := 1; w < len(fast.tile); w++ {
		for _, steps := range []int{1, 2, 25, 108} {
			for _, rows := range []int{1, 2, 5, 8, 9, 31} {
				for used := (w-1)*lanes + 1; used <= w*lanes; used += 3 {
					for _, exact := range []bool{false, true} {
						a := random[T](r, rows*3+steps*2+1)
						row, step := make([]int32, rows), make([]int32, steps)
						for i := range row {
							row[i] = int32(i * 3)
						}
						for j := range step {
							step[j] = int32(j * 2)
						}
						p := panel[T]{used: used, width: w * lanes, b: random[T](r, steps*w*lanes), ldb: w * lanes, init: random[T](r, w*lanes)}
						got, want := make([]T, rows*used+slack), make([]T, rows*used+slack)
						fast.product(got, used, row, a, step, p, exact)
						slow.product(want, used, row, a, step, p, true)
						check(fmt.Sprintf("tile %d×%d, %d steps, exact %v", rows, used, steps, exact), got[:rows*used], want[:rows*used], steps)
						for i, v := range got[rows*used:] {
							if exact && v != 0 {
								t.Fatalf("tile %d×%d wrote %v %d places beyond its end", rows, used, v, i)
							}
						}
					}
				}
			}
		}
	}
	for _, n := range []int{8, 16, 64, 72, 136} {
		for _, m := range []int{1, 2, 49} {
			got, want := make([]T, n), make([]T, n)
			a, b, init := random[T](r, m), random[T](r, m*n), random[T](r, n)
			fast.vector(got, a, b, n, init)
			slow.vector(want, a, b, n, init)
			check(fmt.Sprintf("vector of %d, %d terms", n, m), got, want, m)
		}
	}
	for _, period := range []int{8, 24, 40} {
		along, scale, shift := random[T](r, period), random[T](r, period), random[T](r, period)
		for _, n := range []int{1, 7, 8, 24, 75, 200} {
			d, a := random[T](r, n+lanes), random[T](r, n+lanes)
			got, want := make([]T, n+lanes), make([]T, n+lanes)
			fast.affine(got[:n], a, scale, shift)
			slow.affine(want[:n], a, scale, shift)
			check(fmt.Sprintf("affine of %d, period %d", n, period), got[:n], want[:n], 1)
			fast.affinePair(got[:n], d, a, along, scale, shift)
			slow.affinePair(want[:n], d, a, along, scale, shift)
			check(fmt.Sprintf("affine pair of %d, period %d", n, period), got[:n], want[:n], 2)
		}
		for _, rows := range []int{1, 2, 37} {
			ld := period + 3
			d, a := random[T](r, ld*rows), random[T](r, ld*rows)
			level, centre := random[T](r, period), random[T](r, period)
			first, second := random[T](r, period), random[T](r, period)
			wantFirst, wantSecond := slices.Clone(first), slices.Clone(second)
			fast.moments(first, second, d, a, ld, rows, level, centre)
			slow.moments(wantFirst, wantSecond, d, a, ld, rows, level, centre)
			check(fmt.Sprintf("first moments of %d×%d", rows, period), first, wantFirst, rows)
			check(fmt.Sprintf("second moments of %d×%d", rows, period), second, wantSecond, rows)
		}
	}
	special := []T{T(math.Inf(1)), T(math.Inf(-1)), 0, T(math.Copysign(0, -1)), 1, -1}
	for n := range 20 {
		a, d := append(random[T](r, n), special...), append(random[T](r, n), special...)
		for name, f := range map[string]func(k *kernels[T], c []T){
			"outer": func(k *kernels[T], c []T) { k.outer(c[:2*len(a)], []T{-1.5, 0.1}, a) },
			"relu":  func(k *kernels[T], c []T) { k.relu(c, a) },
			"gate":  func(k *kernels[T], c []T) { k.gate(c, d, a) },
			"plus":  func(k *kernels[T], c []T) { k.plus(c, a); k.plus(c, d) },
		} {
			got, want := make([]T, 2*len(a)+1), make([]T, 2*len(a)+1)
			f(fast, got)
			f(slow, want)
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%s of %d: entry %d is %v, want %v", name, len(a), i, got[i], want[i])
				}
			}
		}
	}
	for _, n := range []int{1, 7, 8, 21} {
		a, b := random[T](r, 3), random[T](r, n)
		got := random[T](r, 3*n+1)
		want := slices.Clone(got)
		fast.outerPlus(got, a, b)
		slow.outerPlus(want, a, b)
		check(fmt.Sprintf("outer plus of %d", n), got, want, 1)
	}
	for _, channels := range []int{1, 3, 8, 12, 24} {
		for _, side := range []int{1, 2, 9} {
			a := make([]T, 9*2*channels+slack)
			for i := range a {
				a[i] = T(r.IntN(4)) // with ties
			}
			steps := make([]int32, side)
			for j := range steps {
				steps[j] = int32(2 * channels * j)
			}
			best, chosen := make([]T, channels+slack), make([]T, channels+slack)
			fast.window(best[:channels], chosen[:channels], a, steps, []T{1})
			for k := range channels {
				top := 0
				for j, s := range steps {
					if a[int(s)+k] > a[int(steps[top])+k] {
						top = j
					}
				}
				if best[k] != a[int(steps[top])+k] || chosen[k] != T(top) {
					t.Errorf("window of %d, channel %d of %d: %v at %v, want %v at %d", side, k, channels, best[k], chosen[k], a[int(steps[top])+k], top)
				}
			}
		}
	}
	nan := []T{T(math.NaN())}
	if fast.relu(nan, nan); nan[0] == nan[0] {
		t.Errorf("relu(NaN) = %v, want NaN, so that nothing is hidden", nan[0])
	}
}

// BenchmarkTile reports how near the tiles come to the peak of the processor.
func BenchmarkTile(b *testing.B) {
	b.Run("float32", benchmarkTile[float32])
	b.Run("float64", benchmarkTile[float64])
}

func benchmarkTile[T Float](b *testing.B) {
	for _, k := range available[T]() {
		benchmarkTileOf(b, k)
	}
}

func benchmarkTileOf[T Float](b *testing.B, k *kernels[T]) {
	for w := 1; w < len(k.tile); w++ {
		b.Run(fmt.Sprintf("%s/%d columns", k.name, w*lanes), func(b *testing.B) {
			const steps = 108
			r := rand.New(rand.NewPCG(1, 1))
			a, c := random[T](r, maxRows*12+steps), make([]T, maxRows*maxWidth)
			rows, step := make([]int32, maxRows), make([]int32, steps)
			for i := range rows {
				rows[i] = int32(12 * i)
			}
			for j := range step {
				step[j] = int32(j)
			}
			m, init := random[T](r, steps*w*lanes), make([]T, w*lanes)
			for b.Loop() {
				k.tile[w](c, w*lanes, rows, a, step, m, w*lanes, init)
			}
			b.ReportMetric(float64(2*steps*k.rows[w]*w*lanes*b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
		})
	}
}
