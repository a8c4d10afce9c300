package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

const (
	unit32 = 0x1p-24
	unit64 = 0x1p-53
)

func random[T float32 | float64](rng *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(rng.NormFloat64())
	}
	return x
}

func randomVector(rng *rand.Rand) *Vector { return (*Vector)(random[float64](rng, Width)) }

// forEach runs f on every set that this processor can run, and logs their names.
func forEach(t *testing.T, f func(t *testing.T, s *Set)) {
	for _, s := range Available() {
		t.Run(s.Name, func(t *testing.T) { f(t, s) })
	}
}

// within fails unless |got − want| ≤ tol, elementwise.
func within[T float32 | float64](t *testing.T, name string, got []T, want, tol []float64) {
	t.Helper()
	for i := range got {
		if !(math.Abs(float64(got[i])-want[i]) <= tol[i]) {
			t.Fatalf("%s: element %d: got %.17g, want %.17g, tolerance %.3g", name, i, got[i], want[i], tol[i])
		}
	}
}

// mulTNExpected returns c + AᵀB in float64, and for each entry a bound on the error of a
// sum of k products in the precision u, in any order: (k+1)·u·Σ|a·b|; and for each of up to
// k additions to c, in float64, of unit64·(|c| + Σ|a·b|).
func mulTNExpected[T float32 | float64](k int, a, b []T, c []float64, u float64) (want, tol []float64) {
	want, tol = make([]float64, Tile), make([]float64, Tile)
	for i := range Width {
		for j := range Width {
			sum, abs := c[i*Width+j], 0.0
			for l := range k {
				x := float64(a[l*Width+i]) * float64(b[l*Width+j])
				sum += x
				abs += math.Abs(x)
			}
			want[i*Width+j] = sum
			tol[i*Width+j] = float64(k+1) * (u*abs + unit64*(math.Abs(c[i*Width+j])+abs))
		}
	}
	return want, tol
}

var depths = []int{0, 1, 2, 3, 4, 5, 7, 8, 48, 96, 127, 128}

func TestMulTN32(t *testing.T) {
	forEach(t, func(t *testing.T, s *Set) {
		for _, k := range depths {
			rng := rand.New(rand.NewPCG(1, uint64(k)))
			a, b, c := random[float32](rng, k*Width), random[float32](rng, k*Width), random[float64](rng, Tile)
			want, tol := mulTNExpected(k, a, b, c, unit32)
			s.MulTN32(k, a, b, c, nil)
			within(t, fmt.Sprintf("k = %d", k), c, want, tol)
		}
	})
}

func TestMulTN64(t *testing.T) {
	forEach(t, func(t *testing.T, s *Set) {
		for _, k := range depths {
			rng := rand.New(rand.NewPCG(2, uint64(k)))
			a, b, c := random[float64](rng, k*Width), random[float64](rng, k*Width), random[float64](rng, Tile)
			// Twice, because the sum to compare with is no better.
			want, tol := mulTNExpected(k, a, b, c, 2*unit64)
			s.MulTN64(k, a, b, c, nil)
			within(t, fmt.Sprintf("k = %d", k), c, want, tol)
		}
	})
}

func TestMulNN64(t *testing.T) {
	forEach(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(3, 1))
		a, b, c := random[float64](rng, Tile), random[float64](rng, Tile), random[float64](rng, Tile)
		transposed := make([]float64, Tile)
		for i := range Width {
			for j := range Width {
				transposed[j*Width+i] = a[i*Width+j]
			}
		}
		want, tol := mulTNExpected(Width, transposed, b, c, 2*unit64)
		s.MulNN64(a, b, c, nil)
		within(t, "AB", c, want, tol)
	})
}

func TestPanelStep(t *testing.T) {
	forEach(t, func(t *testing.T, s *Set) {
		for next := range Width {
			for _, rows := range []int{1, 2, 5} {
				col := max(next-1, 0)
				rng := rand.New(rand.NewPCG(5, uint64(next)))
				p, w, g := random[float64](rng, (rows+1)*Width), randomVector(rng), randomVector(rng)
				for j := range col + 1 {
					w[j] = 0
				}
				const scale = 0.75
				wantP, wantG := append([]float64(nil), p...), *g
				for r := range rows {
					for j := range Width {
						wantP[r*Width+j] -= p[r*Width+col] * scale * w[j]
					}
					for j := range Width {
						wantG[j] += wantP[r*Width+next] * wantP[r*Width+j]
					}
				}
				s.PanelStep(rows, p[:rows*Width], col, next, scale, w, g)
				name := fmt.Sprintf("next = %d, %d rows, ", next, rows)
				// Normal deviates: products below 4³, a handful of roundings.
				within(t, name+"p", p, wantP, fill(len(p), 1e-13))
				within(t, name+"g", g[next:], wantG[next:], fill(Width-next, 1e-12))
				for j := range next &^ 15 {
					if want := wantP[j]; p[j] != want {
						t.Fatalf("%sp[%d]: got %v, want it left alone, %v", name, j, p[j], want)
					}
				}
			}
		}
	})
}

func fill(n int, x float64) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = x
	}
	return s
}

// bandBlock returns random storage for a block that begins at an entry with the given
// index, padding zero: above the diagonal, seen from a diagonal block, it is all zero.
func bandBlock(rng *rand.Rand, diagonal bool) []float64 {
	b := random[float64](rng, (Width-1)*BandStride+Width)
	for at := range b {
		i, j := at%BandStride, at/BandStride
		if i >= Width || diagonal && i < j {
			b[at] = 0
		}
	}
	return b
}

// Sums of 48 products of normal deviates, below 4²: 48·48·16·2⁻⁵³ < 1e-11.
const bandTolerance = 1e-11

func TestBandMulVec(t *testing.T) {
	forEach(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(6, 1))
		e, v, y := bandBlock(rng, false), randomVector(rng), randomVector(rng)
		var want Vector
		for i := range Width {
			for j := range Width {
				want[i] += e[i+BandStride*j] * v[j]
			}
		}
		s.BandMulVec(e, v, y)
		within(t, "Ev", y[:], want[:], fill(Width, bandTolerance))
	})
}

func TestBandReflect(t *testing.T) {
	forEach(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(7, 1))
		e, u, y, p := bandBlock(rng, false), randomVector(rng), randomVector(rng), randomVector(rng)
		const tau = 0.05
		want := append([]float64(nil), e...)
		for j := 1; j < Width; j++ {
			col := want[BandStride*j:]
			var dot float64
			for i := range Width {
				col[i] -= y[i] * u[j]
				dot += p[i] * col[i]
			}
			for i := range Width {
				col[i] -= tau * dot * p[i]
			}
		}
		s.BandReflect(e, u, y, p, tau)
		within(t, "(I − τppᵀ)(E − yuᵀ)", e, want, fill(len(e), bandTolerance))
	})
}

func TestBandSymMulVec(t *testing.T) {
	forEach(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(8, 1))
		a, v, y := bandBlock(rng, true), randomVector(rng), randomVector(rng)
		var want Vector
		for i := range Width {
			for j := range Width {
				want[i] += a[max(i, j)+BandStride*min(i, j)] * v[j]
			}
		}
		s.BandSymMulVec(a, v, y)
		within(t, "Av", y[:], want[:], fill(Width, bandTolerance))
	})
}

func TestBandRankTwo(t *testing.T) {
	forEach(t, func(t *testing.T, s *Set) {
		rng := rand.New(rand.NewPCG(9, 1))
		a, v, w := bandBlock(rng, true), randomVector(rng), randomVector(rng)
		want := append([]float64(nil), a...)
		for j := range Width {
			for i := j; i < Width; i++ {
				want[i+BandStride*j] -= v[i]*w[j] + w[i]*v[j]
			}
		}
		s.BandRankTwo(a, v, w)
		// All of it: the padding, above the diagonal too, must have stayed zero.
		within(t, "A − vwᵀ − wvᵀ", a, want, padding(want, bandTolerance))
	})
}

// padding returns tol for entries of a diagonal block, 0 for its padding.
func padding(block []float64, tol float64) []float64 {
	s := make([]float64, len(block))
	for at := range s {
		if i, j := at%BandStride, at/BandStride; i < Width && i >= j {
			s[at] = tol
		}
	}
	return s
}

func TestBestIsFirst(t *testing.T) {
	sets := Available()
	if Best() != sets[0] {
		t.Errorf("got %q as best, want %q", Best().Name, sets[0].Name)
	}
	if got := sets[len(sets)-1].Name; got != "portable Go" {
		t.Errorf("got %q as the last resort, want portable Go", got)
	}
	for _, s := range sets {
		t.Logf("available: %s", s.Name)
	}
}

func BenchmarkProducts(b *testing.B) {
	for _, s := range Available() {
		rng := rand.New(rand.NewPCG(10, 1))
		const k = 128
		a32, b32, c32 := random[float32](rng, k*Width), random[float32](rng, k*Width), make([]float64, Tile)
		a64, b64, c64 := random[float64](rng, 96*Width), random[float64](rng, 96*Width), make([]float64, Tile)
		run := func(name string, operations int, f func()) {
			b.Run(name+"/"+s.Name, func(b *testing.B) {
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(operations)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
		run("MulTN32", 2*Tile*k, func() { s.MulTN32(k, a32, b32, c32, nil) })
		run("MulTN64", 2*Tile*96, func() { s.MulTN64(96, a64, b64, c64, nil) })
		run("MulNN64", 2*Tile*Width, func() { s.MulNN64(a64, b64, c64, nil) })
		var v, y, p Vector
		v, p = *randomVector(rng), *randomVector(rng)
		band := bandBlock(rng, true)
		run("BandMulVec", 2*Tile, func() { s.BandMulVec(band, &v, &y) })
		run("BandReflect", 6*Tile, func() { s.BandReflect(band, &v, &y, &p, 1e-9) })
		run("BandSymMulVec", 2*Tile, func() { s.BandSymMulVec(band, &v, &y) })
		run("BandRankTwo", 2*Tile, func() { s.BandRankTwo(band, &y, &p) })
		panel, w, g := random[float64](rng, 192*Width), new(Vector), new(Vector)
		run("PanelStep", 4*192*Width, func() { s.PanelStep(192, panel, 0, 1, 1e-9, w, g) })
	}
}
