package noise_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
)

// sample returns n gradients of length d with decaying columns and a mean that is not
// zero, as float32 numbers so that both precisions deliver the same.
func sample(seed uint64, n, d int) *mat.Dense {
	g := numtest.Gaussian(rand.New(rand.NewPCG(seed, 1)), n, d)
	for k := range n {
		row := g.RawRowView(k)
		for j := range row {
			row[j] = float64(float32((row[j] + 1) / math.Sqrt(float64(j+1))))
		}
	}
	return g
}

// plain is D by the definition, in float64, with a loop over the samples.
func plain(g *mat.Dense) *mat.SymDense {
	n, d := g.Dims()
	sum := make([]float64, d*d)
	mean := make([]float64, d)
	for k := range n {
		for j, v := range g.RawRowView(k) {
			mean[j] += v / float64(n)
		}
	}
	for k := range n {
		row := g.RawRowView(k)
		for i := range d {
			for j := range d {
				sum[i*d+j] += (row[i] - mean[i]) * (row[j] - mean[j]) / float64(n)
			}
		}
	}
	return mat.NewSymDense(d, sum)
}

func covariance(t *testing.T, f problem.FiniteSum, x []float64, s *noise.Settings) *noise.Covariance {
	t.Helper()
	c, err := noise.NewCovariance(context.Background(), f, x, s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// everything returns what a Covariance computes, in one slice.
func everything(t *testing.T, c *noise.Covariance) []float64 {
	t.Helper()
	ctx := context.Background()
	d := c.Dim()
	all := append(c.MeanTo(nil), c.Trace())
	v := make([]float64, d)
	block := mat.NewDense(d, 11, nil)
	rng := rand.New(rand.NewPCG(12, 1))
	for j := range d {
		v[j] = rng.NormFloat64()
		for k := range 11 {
			block.Set(j, k, rng.NormFloat64())
		}
	}
	var many, quick, gramMany mat.Dense
	var dense, gram mat.SymDense
	norm, err := c.FrobeniusNorm(ctx)
	for _, err := range []error{err, c.MulVecTo(ctx, v, v), c.MulTo(ctx, &many, block), c.QuickMulTo(ctx, &quick, block), c.GramMulTo(ctx, &gramMany, numtest.Gaussian(rng, c.Samples(), 2)), c.DenseTo(ctx, &dense), c.GramTo(ctx, &gram)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	all = append(all, v...)
	for _, m := range []mat.Matrix{&many, &quick, &gramMany, &dense, &gram} {
		all = append(all, raw(m)...)
	}
	return append(all, norm)
}

// Gradients with a small mean are multiplied where they are, across the borders of chunks
// as well, which are of 64 MiB: as good as exact products, and the same bits from memory
// and computed again, for one goroutine and three. A tile is eight columns wide: with
// fewer, rows of the last block, even all of them, may be too few to be read instead.
func TestQuickProductInPlace(t *testing.T) {
	ctx := context.Background()
	sizes := []struct{ n, d int }{{600, 97}, {512, 64}, {300, 5}, {257, 1}, {258, 2}, {513, 3}, {263, 1}, {264, 1}, {265, 1}}
	if !testing.Short() {
		sizes = append(sizes, struct{ n, d int }{8500, 2001})
	}
	for _, size := range sizes {
		rng := rand.New(rand.NewPCG(15, uint64(size.n)))
		g := mat.NewDense(size.n, size.d, nil)
		for k := range size.n {
			row := g.RawRowView(k)
			for j := range row {
				row[j] = float64(float32((rng.NormFloat64() + .05) / math.Sqrt(float64(j+1))))
			}
		}
		v := numtest.Gaussian(rng, size.d, 3)
		var want, first mat.Dense
		for _, store := range []noise.Store{noise.InMemory, noise.Recompute, noise.InFile} {
			name := fmt.Sprintf("N=%d d=%d %v", size.n, size.d, store)
			s := &noise.Settings{Store: store, Dir: t.TempDir(), Workers: 1}
			if store != noise.InMemory {
				s.Workers = 3
			}
			c := covariance(t, &numtest.Gradients{G: g, Single: true, BlockRows: 100}, make([]float64, size.d), s)
			var quick mat.Dense
			if err := c.QuickMulTo(ctx, &quick, v); err != nil {
				t.Fatal(err)
			}
			if store == noise.InMemory {
				if err := c.MulTo(ctx, &want, v); err != nil {
					t.Fatal(err)
				}
				first.CloneFrom(&quick)
				// λmax is 1.0025 or so; the numbers of v are below 5.
				numtest.CloseSlice(t, name, raw(&quick), raw(&want), 5e-6)
			}
			numtest.CloseSlice(t, name+" against memory", raw(&quick), raw(&first), 0)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestCovarianceAgainstTheDefinition(t *testing.T) {
	ctx := context.Background()
	for _, size := range []struct{ n, d int }{{1, 1}, {1, 5}, {2, 1}, {3, 7}, {40, 70}, {257, 33}, {600, 97}, {300, 300}} {
		g := sample(uint64(size.n), size.n, size.d)
		want := plain(g)
		for _, products := range []string{"float64", "float32", "float64 of float32"} {
			single := products != "float64"
			name := fmt.Sprintf("N=%d d=%d products=%s", size.n, size.d, products)
			s := &noise.Settings{Float64Products: products == "float64 of float32"}
			c := covariance(t, &numtest.Gradients{G: g, Single: single, BlockRows: 100}, make([]float64, size.d), s)
			if c.Dim() != size.d || c.Samples() != size.n || (c.DType() == noise.Float32) != single || !c.Kept() {
				t.Errorf("%s: got %v", name, c)
			}
			// Float64: sums of up to 600 products below 20. Float32 products are wrong
			// by 2⁻²⁴ each, of the same size, and there are up to 600 of them.
			exact, product := 1e-13, 1e-13
			if c.Products() == noise.Float32 {
				product = 1e-6
			}
			mean := make([]float64, size.d)
			for j := range mean {
				mean[j] = mat.Sum(g.ColView(j)) / float64(size.n)
			}
			numtest.CloseSlice(t, name+": mean", c.MeanTo(nil), mean, exact)
			numtest.Close(t, name+": trace", c.Trace(), mat.Trace(want), 10*exact)
			norm, err := c.FrobeniusNorm(ctx)
			if err != nil {
				t.Fatal(err)
			}
			numtest.Close(t, name+": Frobenius norm", norm, mat.Norm(want, 2), 10*product)

			var dense, gram mat.SymDense
			if err := c.DenseTo(ctx, &dense); err != nil {
				t.Fatal(err)
			}
			numtest.CloseSlice(t, name+": dense", raw(&dense), raw(want), product)
			if err := c.GramTo(ctx, &gram); err != nil {
				t.Fatal(err)
			}
			centred := mat.DenseCopyOf(g)
			centred.Apply(func(_, j int, v float64) float64 { return v - mean[j] }, centred)
			var k mat.Dense
			k.Mul(centred, centred.T())
			k.Scale(1/float64(size.n), &k)
			numtest.CloseSlice(t, name+": Gram", raw(&gram), raw(&k), 10*product)

			rng := rand.New(rand.NewPCG(13, 1))
			for _, m := range []int{1, 3, 8, 17} {
				v := numtest.Gaussian(rng, size.d, m)
				kept := mat.DenseCopyOf(v)
				var got, dv mat.Dense
				if err := c.MulTo(ctx, &got, v); err != nil {
					t.Fatal(err)
				}
				dv.Mul(want, v)
				numtest.CloseSlice(t, fmt.Sprintf("%s: D·V, %d vectors", name, m), raw(&got), raw(&dv), 100*exact)
				// v and the sums over it are rounded too: N·d products below 20 each.
				var quick mat.Dense
				if err := c.QuickMulTo(ctx, &quick, v); err != nil {
					t.Fatal(err)
				}
				numtest.CloseSlice(t, fmt.Sprintf("%s: D·V in %v, %d vectors", name, c.Products(), m), raw(&quick), raw(&dv), 100*product)
				numtest.CloseSlice(t, name+": V after use", raw(v), raw(kept), 0)
				var gramV, kv mat.Dense
				u := numtest.Gaussian(rng, size.n, m)
				if err := c.GramMulTo(ctx, &gramV, u); err != nil {
					t.Fatal(err)
				}
				kv.Mul(&k, u)
				numtest.CloseSlice(t, fmt.Sprintf("%s: K·V, %d vectors", name, m), raw(&gramV), raw(&kv), 100*exact)
				x, y := mat.Col(nil, m-1, v), make([]float64, size.d)
				if err := c.MulVecTo(ctx, y, x); err != nil {
					t.Fatal(err)
				}
				numtest.CloseSlice(t, name+": D·v", y, mat.Col(nil, m-1, &dv), 100*exact)
				numtest.CloseSlice(t, name+": v after use", x, mat.Col(nil, m-1, kept), 0)
				if quadratic := mat.Dot(mat.NewVecDense(size.d, x), mat.NewVecDense(size.d, y)); quadratic < -1e-12 {
					t.Errorf("%s: vᵀDv = %v is negative", name, quadratic)
				}
			}
		}
	}
}

func TestCovarianceFloat32Products(t *testing.T) {
	// The error of an entry, in units of √(DᵢᵢDⱼⱼ). Two sources of the same size: rounding
	// the centred gradients to 2⁻²⁴ and the float32 sums over 128 rows; both average over
	// N samples. Measured 1.6e-7; a factor of three is left for other kernels.
	const n, d = 5000, 100
	g := sample(15, n, d)
	want := plain(g)
	c := covariance(t, &numtest.Gradients{G: g, Single: true}, make([]float64, d), nil)
	var got mat.SymDense
	if err := c.DenseTo(context.Background(), &got); err != nil {
		t.Fatal(err)
	}
	var worst float64
	for i := range d {
		for j := range d {
			worst = max(worst, math.Abs(got.At(i, j)-want.At(i, j))/math.Sqrt(want.At(i, i)*want.At(j, j)))
		}
	}
	t.Logf("largest error of an entry: %.2g·√(DᵢᵢDⱼⱼ)", worst)
	numtest.Close(t, "largest error of an entry", worst, 0, 5e-7)
}

func TestCovarianceOfTheToys(t *testing.T) {
	ctx := context.Background()
	t1, t2 := problem.T1(), problem.T2()
	var d mat.SymDense
	for _, x := range [][]float64{{0, 0}, {.3, -.2}, {-4, 1}} {
		c := covariance(t, t1, x, nil)
		if err := c.DenseTo(ctx, &d); err != nil {
			t.Fatal(err)
		}
		numtest.CloseSlice(t, fmt.Sprint("T1 at ", x), raw(&d), raw(t1.Diffusion()), 1e-13)
		numtest.CloseSlice(t, fmt.Sprint("T1 ∇f at ", x), c.MeanTo(nil), t1.GradTo(nil, x), 1e-14)
	}
	for _, x := range []float64{0, 1, -3} {
		c := covariance(t, t2, []float64{x}, nil)
		numtest.Close(t, fmt.Sprint("T2 at ", x), c.Trace(), t2.Diffusion(x), 1e-14)
	}
}

func TestCovarianceDoesNotDependOnHow(t *testing.T) {
	// Same bits whether the gradients are kept or computed again, in which blocks they
	// arrive, and how many goroutines work.
	for _, single := range []bool{false, true} {
		g := sample(3, 600, 37)
		x := make([]float64, 37)
		want := everything(t, covariance(t, &numtest.Gradients{G: g, Single: single}, x, &noise.Settings{Workers: 1}))
		for _, block := range []int{1, 256, 699, 1000} {
			for _, workers := range []int{1, 3} {
				for _, limit := range []int64{0, 1, 20000} {
					f := &numtest.Gradients{G: g, Single: single, BlockRows: block}
					c := covariance(t, f, x, &noise.Settings{Workers: workers, MaxBytes: limit})
					got := everything(t, c)
					name := fmt.Sprintf("single=%v, blocks of %d, %d workers, MaxBytes=%d", single, block, workers, limit)
					if limit == 20000 || limit == 1 {
						// The strips of the Gram matrix depend on MaxBytes.
						const rest = 37 + 1 + 37 + 2*37*11 + 600*2 + 37*37
						numtest.CloseSlice(t, name, got[:rest], want[:rest], 0)
						numtest.RelSlice(t, name, got, want, 1e-6)
					} else {
						numtest.CloseSlice(t, name, got, want, 0)
					}
					if c.Kept() != (limit == 0) || c.Kept() != (f.Passes == 1) {
						t.Errorf("%s: kept %v after %d passes", name, c.Kept(), f.Passes)
					}
				}
			}
		}
	}
}

func TestCovarianceManyChunks(t *testing.T) {
	// 300 rows of 80,000 float32 exceed a chunk of 64 MiB.
	const n, d = 300, 80000
	f := &noisy{n: n, d: d}
	x := make([]float64, d)
	var gram [2]mat.SymDense
	var dv [2][]float64
	v := make([]float64, d)
	for j := range v {
		v[j] = math.Sin(float64(j))
	}
	for i, limit := range []int64{0, 40 << 20} { // in memory; three strips for the Gram matrix
		c := covariance(t, f, x, &noise.Settings{MaxBytes: limit})
		if err := c.GramTo(context.Background(), &gram[i]); err != nil {
			t.Fatal(err)
		}
		dv[i] = make([]float64, d)
		if err := c.MulVecTo(context.Background(), dv[i], v); err != nil {
			t.Fatal(err)
		}
		numtest.Close(t, "tr K = tr D", mat.Trace(&gram[i]), c.Trace(), 1e-6*c.Trace())
	}
	numtest.RelSlice(t, "Gram, recomputed", raw(&gram[1]), raw(&gram[0]), 1e-6)
	numtest.CloseSlice(t, "D·v, recomputed", dv[1], dv[0], 0)
}

func TestCovarianceIsCentred(t *testing.T) {
	// A common vector a million times the spread: the float64 gradients have lost six
	// digits and no more.
	g := sample(6, 50, 9)
	moved := mat.DenseCopyOf(g)
	moved.Apply(func(_, j int, v float64) float64 { return v + 1e6 }, moved)
	x := make([]float64, 9)
	a := everything(t, covariance(t, &numtest.Gradients{G: g}, x, nil))
	b := everything(t, covariance(t, &numtest.Gradients{G: moved}, x, nil))
	for j := range 9 {
		b[j] -= 1e6
	}
	numtest.CloseSlice(t, "D of moved gradients", b, a, 1e-8)

	// Equal rows: no noise, to the last bit.
	same := mat.NewDense(20, 3, nil)
	same.Apply(func(_, j int, _ float64) float64 { return .1 + float64(j) }, same)
	c := covariance(t, &numtest.Gradients{G: same}, make([]float64, 3), nil)
	numtest.CloseSlice(t, "D of equal rows", everything(t, c)[3:], make([]float64, len(everything(t, c))-3), 0)
}

func TestCovarianceOfSomeSamples(t *testing.T) {
	g := sample(7, 30, 4)
	pick := []int{3, 29, 3, 0}
	rows := mat.NewDense(4, 4, nil)
	for i, k := range pick {
		rows.SetRow(i, g.RawRowView(k))
	}
	s := &noise.Settings{Samples: pick}
	c := covariance(t, &numtest.Gradients{G: g, BlockRows: 3}, make([]float64, 4), s)
	pick[0] = 99 // the settings are copied
	numtest.CloseSlice(t, "four samples", everything(t, c), everything(t, covariance(t, &numtest.Gradients{G: rows}, make([]float64, 4), nil)), 0)
	if c.Samples() != 4 {
		t.Errorf("samples: got %d, want 4", c.Samples())
	}
}

func TestCovarianceOneSample(t *testing.T) {
	c := covariance(t, &numtest.Gradients{G: sample(8, 1, 3)}, make([]float64, 3), nil)
	got := everything(t, c)
	numtest.CloseSlice(t, "D of one sample", got[3:], make([]float64, len(got)-3), 0)
}

// bad breaks the promises of a FiniteSum.
type bad struct {
	blocks []problem.Block
}

func (bad) Dim() int     { return 2 }
func (bad) Samples() int { return 3 }
func (b bad) PerSampleGradients(_ context.Context, _ []float64, _ []int, yield func(problem.Block) error) error {
	for _, block := range b.blocks {
		if err := yield(block); err != nil {
			return err
		}
	}
	return nil
}

func TestCovarianceErrors(t *testing.T) {
	ctx := context.Background()
	broken := errors.New("the data are gone")
	with := func(k int, v float64) *mat.Dense { g := sample(9, 20, 2); g.Set(k, 1, v); return g }
	whole := []float64{1, 2, 3, 4, 5, 6}
	tests := []struct {
		name string
		f    problem.FiniteSum
		s    *noise.Settings
		want string
	}{
		{"NaN", &numtest.Gradients{G: with(17, math.NaN())}, nil, "sample 17"},
		{"Inf in float32", &numtest.Gradients{G: with(4, 1e300), Single: true}, nil, "sample 4"},
		{"overflow", &numtest.Gradients{G: with(4, 1e200), BlockRows: 3}, nil, "sample 4"},
		{"first row NaN", &numtest.Gradients{G: with(0, math.NaN())}, nil, "sample 0"},
		{"no samples", &numtest.Gradients{G: sample(9, 20, 2)}, &noise.Settings{Samples: []int{}}, "no samples"},
		{"fails", &numtest.Gradients{G: sample(9, 20, 2), BlockRows: 5, Err: broken}, nil, broken.Error()},
		{"too few", bad{[]problem.Block{{Index: []int{0, 1}, Dim: 2, F64: whole[:4]}}}, nil, "2 gradients, want 3"},
		{"too many", bad{[]problem.Block{{Index: []int{0, 1, 2, 2}, Dim: 2, F64: make([]float64, 8)}}}, nil, "in order"},
		{"wrong order", bad{[]problem.Block{{Index: []int{0, 2, 1}, Dim: 2, F64: whole}}}, nil, "in order"},
		{"wrong width", bad{[]problem.Block{{Index: []int{0, 1, 2}, Dim: 3, F64: make([]float64, 9)}}}, nil, "length 3"},
		{"both kinds", bad{[]problem.Block{{Index: []int{0, 1, 2}, Dim: 2, F64: whole, F32: make([]float32, 6)}}}, nil, "one kind"},
		{"short block", bad{[]problem.Block{{Index: []int{0, 1, 2}, Dim: 2, F64: whole[:5]}}}, nil, "5 float64"},
		{"mixed", bad{[]problem.Block{{Index: []int{0}, Dim: 2, F64: whole[:2]}, {Index: []int{1, 2}, Dim: 2, F32: make([]float32, 4)}}}, nil, "precision"},
	}
	for _, tt := range tests {
		c, err := noise.NewCovariance(ctx, tt.f, []float64{0, 0}, tt.s)
		if err == nil || c != nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error that says %q", tt.name, err, tt.want)
		}
	}
	empty := bad{[]problem.Block{{Dim: 2}, {Index: []int{0, 1, 2}, Dim: 2, F64: whole}, {Dim: 2}}}
	if _, err := noise.NewCovariance(ctx, empty, []float64{0, 0}, nil); err != nil {
		t.Errorf("empty blocks between the others: got %v", err)
	}

	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	f := &numtest.Gradients{G: sample(9, 20, 2)}
	if _, err := noise.NewCovariance(cancelled, f, []float64{0, 0}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	for _, limit := range []int64{0, 1} {
		c := covariance(t, f, []float64{0, 0}, &noise.Settings{MaxBytes: limit})
		_, err := c.FrobeniusNorm(cancelled)
		for i, err := range []error{err, c.MulVecTo(cancelled, make([]float64, 2), make([]float64, 2)), c.MulTo(cancelled, new(mat.Dense), mat.NewDense(2, 1, nil)), c.QuickMulTo(cancelled, new(mat.Dense), mat.NewDense(2, 1, nil)), c.GramMulTo(cancelled, new(mat.Dense), mat.NewDense(20, 1, nil)), c.DenseTo(cancelled, new(mat.SymDense)), c.GramTo(cancelled, new(mat.SymDense))} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled, MaxBytes=%d, method %d: got %v", limit, i, err)
			}
		}
	}

	c := covariance(t, &numtest.Gradients{G: sample(9, 20, 2)}, []float64{0, 0}, nil)
	wantPanics(t, map[string]func(){
		"long x":         func() { noise.NewCovariance(ctx, f, make([]float64, 3), nil) },
		"mean dst":       func() { c.MeanTo(make([]float64, 3)) },
		"product dst":    func() { c.MulVecTo(ctx, make([]float64, 3), make([]float64, 2)) },
		"product vector": func() { c.MulVecTo(ctx, make([]float64, 2), make([]float64, 3)) },
		"block rows":     func() { c.MulTo(ctx, new(mat.Dense), mat.NewDense(3, 1, nil)) },
		"block dst":      func() { c.MulTo(ctx, mat.NewDense(2, 2, nil), mat.NewDense(2, 1, nil)) },
		"Gram block":     func() { c.GramMulTo(ctx, new(mat.Dense), mat.NewDense(2, 1, nil)) },
		"dense dst":      func() { c.DenseTo(ctx, mat.NewSymDense(3, nil)) },
		"Gram dst":       func() { c.GramTo(ctx, mat.NewSymDense(3, nil)) },
	})
}

func TestCovarianceIntoAPartOfAMatrix(t *testing.T) {
	// A SymDense whose stride exceeds its size, and one that holds old numbers.
	g := sample(10, 40, 5)
	c := covariance(t, &numtest.Gradients{G: g}, make([]float64, 5), nil)
	big := mat.NewSymDense(9, nil)
	for i := range 9 {
		for j := i; j < 9; j++ {
			big.SetSym(i, j, 7)
		}
	}
	part := big.SliceSym(2, 7).(*mat.SymDense)
	if err := c.DenseTo(context.Background(), part); err != nil {
		t.Fatal(err)
	}
	numtest.CloseSlice(t, "part", raw(part), raw(plain(g)), 1e-13)
	numtest.Close(t, "outside", big.At(1, 3), 7, 0)
	numtest.Close(t, "outside", big.At(6, 7), 7, 0)
	whole := mat.NewSymDense(5, raw(big.SliceSym(0, 5)))
	if err := c.DenseTo(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	numtest.CloseSlice(t, "reused", raw(whole), raw(plain(g)), 1e-13)
}

func TestCovarianceProgress(t *testing.T) {
	var done []int
	covariance(t, &numtest.Gradients{G: sample(11, 10, 2), BlockRows: 4}, make([]float64, 2), &noise.Settings{Progress: func(k, n int) {
		if n != 10 {
			t.Errorf("total: got %d, want 10", n)
		}
		done = append(done, k)
	}})
	if fmt.Sprint(done) != "[4 8 10]" {
		t.Errorf("progress: got %v, want [4 8 10]", done)
	}
}

func ExampleNewCovariance() {
	ctx := context.Background()
	d, err := noise.NewCovariance(ctx, problem.T1(), []float64{0.3, -0.2}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	dv := make([]float64, 2)
	if err := d.MulVecTo(ctx, dv, []float64{1, 0}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d)
	fmt.Printf("tr D = %.1f, D·(1,0) = %.1f, ∇f = %.1f\n", d.Trace(), dv, d.MeanTo(nil))
	// Output:
	// D at d=2 from 4 float64 gradients in memory
	// tr D = 10.0, D·(1,0) = [1.0 1.8], ∇f = [0.3 -0.6]
}

// network is the size of small-fc: 3,978 weights, 60,000 samples.
func network(b *testing.B, n int) (*noise.Covariance, *mat.Dense) {
	const d = 3978
	f := &noisy{n: n, d: d}
	c, err := noise.NewCovariance(context.Background(), f, make([]float64, d), nil)
	if err != nil {
		b.Fatal(err)
	}
	return c, numtest.Gaussian(rand.New(rand.NewPCG(1, 1)), d, 32)
}

// noisy delivers float32 gradients from a cheap generator, without storing them.
type noisy struct{ n, d int }

func (f *noisy) Dim() int     { return f.d }
func (f *noisy) Samples() int { return f.n }
func (f *noisy) PerSampleGradients(_ context.Context, _ []float64, idx []int, yield func(problem.Block) error) error {
	rng := rand.New(rand.NewPCG(1, 1))
	rows := make([]float32, 256*f.d)
	for len(idx) > 0 {
		block := problem.Block{Index: idx[:min(256, len(idx))], Dim: f.d}
		block.F32 = rows[:block.Rows()*f.d]
		for i := range block.F32 {
			block.F32[i] = rng.Float32() - .5
		}
		if err := yield(block); err != nil {
			return err
		}
		idx = idx[block.Rows():]
	}
	return nil
}

func BenchmarkCovariance(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{6000, 60000} {
		c, v := network(b, n)
		flop := float64(n) * 3978
		b.Run(fmt.Sprintf("MulVecTo/N=%d", n), func(b *testing.B) {
			dst, x := make([]float64, 3978), mat.Col(nil, 0, v)
			for b.Loop() {
				if err := c.MulVecTo(ctx, dst, x); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(4*flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
		b.Run(fmt.Sprintf("MulTo32/N=%d", n), func(b *testing.B) {
			dst := new(mat.Dense)
			for b.Loop() {
				if err := c.MulTo(ctx, dst, v); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(32*4*flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
		b.Run(fmt.Sprintf("QuickMulTo32/N=%d", n), func(b *testing.B) {
			dst := new(mat.Dense)
			for b.Loop() {
				if err := c.QuickMulTo(ctx, dst, v); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(32*4*flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
		b.Run(fmt.Sprintf("DenseTo/N=%d", n), func(b *testing.B) {
			dst := mat.NewSymDense(3978, nil)
			for b.Loop() {
				if err := c.DenseTo(ctx, dst); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(3978*flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
		if n == 6000 {
			b.Run(fmt.Sprintf("GramTo/N=%d", n), func(b *testing.B) {
				dst := mat.NewSymDense(n, nil)
				for b.Loop() {
					if err := c.GramTo(ctx, dst); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n)*flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
		runtime.KeepAlive(c)
	}
}
