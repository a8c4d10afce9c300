package noise

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
)

// of returns the covariance of the rows of g, kept or not.
func of(t *testing.T, g *mat.Dense, single bool, store Store) *Covariance {
	t.Helper()
	_, d := g.Dims()
	c, err := NewCovariance(context.Background(), &numtest.Gradients{G: g, Single: single, BlockRows: 100}, make([]float64, d), &Settings{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCosine(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(81, 1))
	for _, size := range []struct{ n1, n2, d int }{{3, 2, 1}, {5, 9, 40}, {40, 30, 40}, {300, 520, 40}, {100, 3, 300}} {
		g1, g2 := numtest.Gaussian(rng, size.n1, size.d), numtest.Gaussian(rng, size.n2, size.d)
		g2.Apply(func(_, j int, v float64) float64 { return 1 + v/float64(j+1) }, g2)
		var d1, d2, product mat.Dense
		for dst, g := range map[*mat.Dense]*mat.Dense{&d1: g1, &d2: g2} {
			var sym mat.SymDense
			DiffusionTo(&sym, g)
			dst.CloneFrom(&sym)
		}
		product.Mul(&d1, &d2)
		want := mat.Trace(&product) / (mat.Norm(&d1, 2) * mat.Norm(&d2, 2))
		for _, single := range []bool{false, true} {
			// Float64: sums of up to 300 products. Float32 products are wrong by 2⁻²⁴ each.
			tol := 1e-13
			if single {
				tol = 1e-6
			}
			for _, store := range []Store{InMemory, Recompute} {
				a, b := of(t, g1, single, store), of(t, g2, single, store)
				name := fmt.Sprintf("N=%d and %d, d=%d, single %v, %v", size.n1, size.n2, size.d, single, store)
				for way, compare := range map[string]comparison{"cross Gram": crossGram, "dense": denseInner, "strips": stripInner} {
					inner, x, y, err := compare(ctx, a, b)
					if err != nil {
						t.Fatal(err)
					}
					numtest.Close(t, name+", "+way, inner/(x*y), want, tol)
				}
				for _, c := range []struct {
					a, b *Covariance
					want float64
				}{{a, b, want}, {b, a, want}, {a, a, 1}} {
					got, err := Cosine(ctx, c.a, c.b)
					if err != nil {
						t.Fatal(err)
					}
					numtest.Close(t, name, got, c.want, tol)
				}
			}
		}
	}
}

func TestCosineOfRotatedMatrices(t *testing.T) {
	// Erratum E20: the same spectrum, turned by a random rotation, has a cosine of about
	// PR/d. With d = 60 and λ = 1/j its standard deviation is about .01; statements m22.
	const d = 60
	g := mat.NewDense(2*d, d, nil)
	for j := range d {
		// Rows ±√(dλⱼ)eⱼ: D is diagonal.
		g.Set(2*j, j, math.Sqrt(d/float64(j+1)))
		g.Set(2*j+1, j, -math.Sqrt(d/float64(j+1)))
	}
	var turned mat.Dense
	turned.Mul(g, numtest.Orthogonal(rand.New(rand.NewPCG(82, 1)), d))
	got, err := Cosine(context.Background(), of(t, g, false, InMemory), of(t, &turned, false, InMemory))
	if err != nil {
		t.Fatal(err)
	}
	var sum, squares float64
	for j := range d {
		sum += 1 / float64(j+1)
		squares += 1 / float64((j+1)*(j+1))
	}
	numtest.Close(t, "cosine", got, sum*sum/squares/d, .06)
}

func TestCosineErrors(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(83, 1))
	a, zero := of(t, numtest.Gaussian(rng, 20, 6), false, InMemory), of(t, mat.NewDense(4, 6, nil), false, InMemory)
	if _, err := Cosine(ctx, a, zero); err == nil || !strings.Contains(err.Error(), "no direction") {
		t.Errorf("zero matrix: got %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for _, compare := range []comparison{crossGram, denseInner, stripInner} {
		if _, _, _, err := compare(cancelled, a, a); err != context.Canceled {
			t.Errorf("cancelled: got %v", err)
		}
	}
	defer func() {
		if msg := fmt.Sprint(recover()); !strings.HasPrefix(msg, "noise: dimension") {
			t.Errorf("other dimensions: got %q", msg)
		}
	}()
	Cosine(ctx, a, of(t, numtest.Gaussian(rng, 3, 5), false, InMemory))
}

func TestChoiceOfComparison(t *testing.T) {
	// By what it costs: see Cosine.
	name := func(n, d int) string {
		c := &Covariance{index: make([]int, n), dim: d}
		return fmt.Sprintf("%p", innerProducts(c, c))
	}
	for want, sizes := range map[string][][2]int{
		fmt.Sprintf("%p", crossGram):  {{100, 300}, {5000, 13338}},
		fmt.Sprintf("%p", denseInner): {{60000, 13338}, {2000, 3978}, {3, 3}},
		fmt.Sprintf("%p", stripInner): {{50000, 26982}},
	} {
		for _, size := range sizes {
			if name(size[0], size[1]) != want {
				t.Errorf("N=%d, d=%d: another way", size[0], size[1])
			}
		}
	}
}

func TestCovarianceSecondMoment(t *testing.T) {
	g := numtest.Gaussian(rand.New(rand.NewPCG(84, 1)), 50, 7)
	g.Apply(func(_, j int, v float64) float64 { return v + float64(j) }, g)
	var got, want mat.SymDense
	if err := of(t, g, false, InMemory).SecondMomentTo(context.Background(), &got); err != nil {
		t.Fatal(err)
	}
	want.SymOuterK(1./50, g.T())
	// Sums of 50 products below 100.
	numtest.CloseSlice(t, "second moment", mat.DenseCopyOf(&got).RawMatrix().Data, mat.DenseCopyOf(&want).RawMatrix().Data, 1e-12)
}

func TestUnbiasedMomentsAgainstTheDefinition(t *testing.T) {
	for _, size := range []struct{ n, d int }{{4, 1}, {5, 3}, {9, 30}, {70, 20}, {601, 40}} {
		g := numtest.Gaussian(rand.New(rand.NewPCG(uint64(size.n), 1)), size.n, size.d)
		g.Apply(func(_, j int, v float64) float64 { return float64(float32(3 + v/float64(j+1))) }, g)
		m := size.n / 2
		y := mat.NewDense(m, size.d, nil)
		var trace float64
		for k := range m {
			for j := range size.d {
				v := (g.At(2*k, j) - g.At(2*k+1, j)) / math.Sqrt2
				y.Set(k, j, v)
				trace += v * v / float64(m)
			}
		}
		var inner, outer float64
		for k := range m {
			for l := range m {
				if k != l {
					p := mat.Dot(y.RowView(k), y.RowView(l))
					inner += p * p / float64(m*(m-1))
					outer += mat.Dot(y.RowView(k), y.RowView(k)) * mat.Dot(y.RowView(l), y.RowView(l)) / float64(m*(m-1))
				}
			}
		}
		for _, single := range []bool{false, true} {
			for _, store := range []Store{InMemory, InFile, Recompute} {
				c := of(t, g, single, store)
				u, err := c.UnbiasedMoments(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				// Differences and products are rounded to float32 in the second case.
				tol := 1e-12
				if single {
					tol = 3e-5
				}
				name := fmt.Sprintf("N=%d d=%d single %v %v", size.n, size.d, single, store)
				numtest.RelSlice(t, name, []float64{u.Trace, u.TraceSquared, u.SquaredNorm, u.Mean, u.ParticipationRatio}, []float64{trace, outer, inner, trace / float64(size.d), outer / inner}, tol)
				numtest.Close(t, name+": std", u.Std, math.Sqrt(max(0, inner/float64(size.d)-u.Mean*u.Mean)), 1e-4)
				if u.Pairs != m {
					t.Errorf("%s: %d pairs", name, u.Pairs)
				}
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

func TestUnbiasedMomentsAreUnbiased(t *testing.T) {
	// Gaussian gradients with λⱼ = 1/j: 400 experiments of 12 samples. The means of the
	// estimates lie within 5 standard errors of the truth but for 6·10⁻⁷ each; the
	// participation ratio of the sample's D does not by far.
	const d, n, repeats = 30, 12, 400
	rng := rand.New(rand.NewPCG(85, 1))
	var trace, squares float64
	for j := range d {
		trace += 1 / float64(j+1)
		squares += 1 / float64((j+1)*(j+1))
	}
	want := []float64{trace, trace * trace, squares}
	sum, square := make([]float64, 3), make([]float64, 3)
	var naive float64
	for range repeats {
		g := numtest.Gaussian(rng, n, d)
		g.Apply(func(_, j int, v float64) float64 { return 5 + v/math.Sqrt(float64(j+1)) }, g)
		c := of(t, g, false, InMemory)
		u, err := c.UnbiasedMoments(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range []float64{u.Trace, u.TraceSquared, u.SquaredNorm} {
			sum[i] += v
			square[i] += v * v
		}
		norm, err := c.FrobeniusNorm(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		naive += c.Trace() * c.Trace() / (norm * norm) / repeats
	}
	for i, w := range want {
		mean := sum[i] / repeats
		deviation := math.Sqrt((square[i]/repeats - mean*mean) / repeats)
		numtest.Close(t, fmt.Sprintf("mean of estimate %d", i), mean, w, 5*deviation)
	}
	if pr := trace * trace / squares; naive > .8*pr {
		t.Errorf("participation ratio of the sample: mean %v, expected well below %v", naive, pr)
	}
}

func TestUnbiasedMomentsErrors(t *testing.T) {
	ctx := context.Background()
	same := mat.NewDense(8, 3, nil)
	for name, c := range map[string]*Covariance{
		"at least 4": of(t, numtest.Gaussian(rand.New(rand.NewPCG(86, 1)), 3, 2), false, InMemory),
		"zero":       of(t, same, false, InMemory),
	} {
		if u, err := c.UnbiasedMoments(ctx); err == nil || !strings.Contains(err.Error(), name) || u != (UnbiasedMoments{}) {
			t.Errorf("%s: got %+v, %v", name, u, err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := of(t, numtest.Gaussian(rand.New(rand.NewPCG(87, 1)), 30, 2), false, Recompute).UnbiasedMoments(cancelled); err != context.Canceled {
		t.Errorf("cancelled: got %v", err)
	}
}

func ExampleCosine() {
	// The same noise, and the same turned by a quarter: equal spectra, unequal matrices.
	ctx := context.Background()
	wide := mat.NewDense(4, 2, []float64{3, 0, -3, 0, 0, 1, 0, -1})
	high := mat.NewDense(4, 2, []float64{0, 3, 0, -3, 1, 0, -1, 0})
	a, err := NewCovariance(ctx, &numtest.Gradients{G: wide}, []float64{0, 0}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := NewCovariance(ctx, &numtest.Gradients{G: high}, []float64{0, 0}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	same, err := Cosine(ctx, a, a)
	if err != nil {
		fmt.Println(err)
		return
	}
	turned, err := Cosine(ctx, a, b)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f %.3f\n", same, turned)
	// Output:
	// 1.000 0.220
}
