package spectrum_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/spectrum"
)

func symmetric(t *testing.T, a *mat.SymDense) *spectrum.Spectrum {
	t.Helper()
	s, err := spectrum.Symmetric(a)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func powers(n int, exponent float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[n-1-i] = math.Pow(float64(i+1), -exponent)
	}
	return v
}

// prescribed are spectra in ascending order whose answer is known.
var prescribed = map[string][]float64{
	"one":             {3},
	"one negative":    {-3},
	"zero 1×1":        {0},
	"zero":            make([]float64, 20),
	"identity":        slices.Repeat([]float64{1}, 30),
	"rank one":        append(make([]float64, 24), 5),
	"power law":       powers(60, 1.5),
	"steep":           powers(60, 6),
	"indefinite":      {-4, -1e-3, 0, 1e-6, 2, 2, 9},
	"clustered":       {1, 1 + 1e-14, 1 + 2e-14, 1 + 3e-14, 2, 2 + 1e-15, 3},
	"two clusters":    append(slices.Repeat([]float64{1e-9}, 25), slices.Repeat([]float64{1}, 25)...),
	"tiny scale":      {1e-250, 2e-250, 3e-250},
	"huge scale":      {1e290, 2e290, 3e290},
	"wide, 16 digits": {1e-16, 1e-8, 1},
}

func TestSymmetricKnownSpectra(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 1))
	for name, want := range prescribed {
		a := numtest.Symmetric(rng, want)
		kept := mat.DenseCopyOf(a)
		s := symmetric(t, a)
		d := len(want)
		scale := math.Max(math.Abs(want[0]), math.Abs(want[d-1]))
		// The random similarity is itself rounded: d products of size scale.
		numtest.CloseSlice(t, name, s.Values, want, 4*float64(d)*spectrum.EpsilonF64*scale)
		if s.Dim != d || s.Samples != 0 || s.Zeros != 0 || s.Method != "dense" || s.DType != "float64" || !slices.IsSorted(s.Values) {
			t.Errorf("%s: got %+v", name, s)
		}
		var sum, squares float64
		for _, v := range want {
			sum += v
			squares += v * v
		}
		mean := sum / float64(d)
		var spread float64
		for _, v := range want {
			spread += (v - mean) / scale * ((v - mean) / scale)
		}
		if scale > 0 {
			numtest.Close(t, name+": mean", s.Mean/scale, mean/scale, 1e-14)
			// Nearly equal eigenvalues cancel: see Moments.
			numtest.Close(t, name+": std", s.Std/scale, math.Sqrt(spread/float64(d)), 1e-7)
		}
		numtest.Close(t, name+": largest", s.Max(), want[d-1], 4*float64(d)*spectrum.EpsilonF64*scale)
		numtest.CloseSlice(t, name+": a after use", kept.RawMatrix().Data, mat.DenseCopyOf(a).RawMatrix().Data, 0)
	}
}

func TestSymmetricResidualCoversTheError(t *testing.T) {
	// Matrices of small integers whose eigenvalues are known exactly.
	rng := rand.New(rand.NewPCG(32, 1))
	for _, d := range []int{2, 3, 10, 100, 300, 500} {
		// The second difference has the eigenvalues 4 sin²(πk/(2(d+1))).
		laplace := mat.NewSymDense(d, nil)
		want := make([]float64, d)
		for i := range d {
			laplace.SetSym(i, i, 2)
			if i+1 < d {
				laplace.SetSym(i, i+1, -1)
			}
			half := math.Sin(math.Pi * float64(i+1) / float64(2*(d+1)))
			want[i] = 4 * half * half
		}
		s := symmetric(t, laplace)
		numtest.CloseSlice(t, fmt.Sprintf("Laplacian, d=%d", d), s.Values, want, s.Residual)
		ones := mat.NewSymDense(d, nil)
		for i := range d {
			for j := i; j < d; j++ {
				ones.SetSym(i, j, 1)
			}
		}
		s = symmetric(t, ones)
		want = make([]float64, d)
		want[d-1] = float64(d)
		numtest.CloseSlice(t, fmt.Sprintf("all ones, d=%d", d), s.Values, want, s.Residual)
		if s.RankF64 != (spectrum.Count{Lower: 1, Upper: 1}) || s.RankF32 != s.RankF64 {
			t.Errorf("all ones, d=%d: ranks %v and %v, want 1: residual %v", d, s.RankF32, s.RankF64, s.Residual)
		}
		// (i, j) ↦ min(i, j) has the eigenvalues 1/(4 sin²(π(2k−1)/(4d+2))).
		minimum := mat.NewSymDense(d, nil)
		for i := range d {
			for j := i; j < d; j++ {
				minimum.SetSym(i, j, float64(i+1))
			}
			half := math.Sin(math.Pi * float64(2*(d-i)-1) / float64(4*d+2))
			want[i] = 1 / (4 * half * half)
		}
		s = symmetric(t, minimum)
		// Squared sines and their inverse are themselves off by a few 2⁻⁵².
		numtest.CloseSlice(t, fmt.Sprintf("min(i, j), d=%d", d), s.Values, want, s.Residual+4*spectrum.EpsilonF64*s.Max())
		// Full rank, well conditioned.
		values := make([]float64, d)
		for i := range values {
			values[i] = 1 + rng.Float64()
		}
		slices.Sort(values)
		s = symmetric(t, numtest.Symmetric(rng, values))
		if s.RankF64 != (spectrum.Count{Lower: d, Upper: d}) || s.RankF32 != s.RankF64 {
			t.Errorf("full rank, d=%d: ranks %v and %v", d, s.RankF32, s.RankF64)
		}
	}
}

func TestSymmetricAgainstGonum(t *testing.T) {
	// The solver of package dense, on both sides of the order where it changes method,
	// and gonum's, which shares nothing with it above that order.
	rng := rand.New(rand.NewPCG(33, 1))
	for _, d := range []int{40, 128, 129, 250} {
		a := mat.NewSymDense(d, nil)
		a.SymOuterK(1, numtest.Gaussian(rng, d, d/2)) // half of the eigenvalues are zero
		s := symmetric(t, a)
		var eig mat.EigenSym
		if !eig.Factorize(a, false) {
			t.Fatal("gonum found no eigenvalues")
		}
		numtest.RelSlice(t, fmt.Sprintf("d=%d", d), s.Values, eig.Values(nil), 1e-13)
		if s.RankF64 != (spectrum.Count{Lower: d / 2, Upper: d / 2}) {
			t.Errorf("d=%d: rank %v, want %d", d, s.RankF64, d/2)
		}
		part := mat.NewSymDense(d+3, nil) // rows longer than the matrix
		inner := part.SliceSym(1, d+1).(*mat.SymDense)
		inner.CopySym(a)
		numtest.CloseSlice(t, fmt.Sprintf("d=%d, part of a matrix", d), symmetric(t, inner).Values, s.Values, 0)
	}
}

func TestSymmetricErrors(t *testing.T) {
	bad := func(v float64) *mat.SymDense { a := mat.NewSymDense(3, nil); a.SetSym(1, 2, v); return a }
	for name, a := range map[string]*mat.SymDense{
		"empty": new(mat.SymDense), "NaN": bad(math.NaN()), "Inf": bad(math.Inf(-1)), "overflow": bad(1e305),
	} {
		s, err := spectrum.Symmetric(a)
		if s != nil || err == nil || !strings.HasPrefix(err.Error(), "spectrum: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, %v, want one clear error", name, s, err)
		}
	}
	if _, err := spectrum.Symmetric(bad(math.NaN())); !strings.Contains(err.Error(), "(1, 2)") {
		t.Errorf("NaN: got %v, want the position of the entry", err)
	}
}

// sum returns the finite sum with the given gradients.
func sum(g *mat.Dense, single bool) *numtest.Gradients {
	return &numtest.Gradients{G: g, Single: single, BlockRows: 50}
}

func of(t *testing.T, f problem.FiniteSum, s *noise.Settings) *spectrum.Spectrum {
	t.Helper()
	cov, err := noise.NewCovariance(context.Background(), f, make([]float64, f.Dim()), s)
	if err != nil {
		t.Fatal(err)
	}
	result, err := spectrum.Of(context.Background(), cov, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// gradients returns n rows of length d with decaying columns.
func gradients(seed uint64, n, d int) *mat.Dense {
	g := numtest.Gaussian(rand.New(rand.NewPCG(seed, 1)), n, d)
	g.Apply(func(_, j int, v float64) float64 { return (v + .3) / float64(j+1) }, g)
	return g
}

// full returns all d eigenvalues of s, structural zeros included, ascending.
func full(s *spectrum.Spectrum) []float64 {
	all := append(make([]float64, s.Zeros), s.Values...)
	slices.Sort(all)
	return all
}

func TestOfAgreesWithSymmetric(t *testing.T) {
	for _, size := range []struct{ n, d int }{{2, 1}, {2, 2}, {3, 3}, {5, 40}, {39, 40}, {40, 40}, {41, 40}, {300, 40}} {
		g := gradients(uint64(size.n), size.n, size.d)
		var d mat.SymDense
		noise.DiffusionTo(&d, g)
		want := symmetric(t, &d)
		for _, kind := range []string{"float64", "float32"} {
			name := fmt.Sprintf("N=%d d=%d %s", size.n, size.d, kind)
			s := of(t, sum(g, kind == "float32"), nil)
			// The gradients themselves are rounded to float32 in the second case; λmax ≈ 1.
			tol := 1e-14
			if kind == "float32" {
				tol = 1e-6
			}
			numtest.CloseSlice(t, name+": eigenvalues", full(s), want.Values, tol)
			numtest.Close(t, name+": mean", s.Mean, want.Mean, tol)
			numtest.Close(t, name+": std", s.Std, want.Std, max(tol, 4e-8*want.Mean)) // see Moments
			numtest.Close(t, name+": stable rank", s.StableRank, want.StableRank, 100*tol)
			numtest.Close(t, name+": participation ratio", s.ParticipationRatio, want.ParticipationRatio, 100*tol)
			rank := min(size.d, size.n-1)
			if s.Dim != size.d || s.Samples != size.n || s.Zeros != max(0, size.d-size.n+1) || len(s.Values)+s.Zeros != size.d || s.DType != kind {
				t.Errorf("%s: got %+v", name, s)
			}
			if wantMethod := map[bool]spectrum.Method{true: spectrum.Gram, false: spectrum.Dense}[size.n < size.d]; s.Method != wantMethod {
				t.Errorf("%s: method: got %s, want %s", name, s.Method, wantMethod)
			}
			if s.RankF64.Upper > rank || s.RankF32.Upper > rank || kind == "float64" && s.RankF64.Lower != rank && size.n != size.d {
				t.Errorf("%s: ranks %v and %v, want at most %d", name, s.RankF32, s.RankF64, rank)
			}
		}
	}
}

func TestOfIsCentred(t *testing.T) {
	g := gradients(41, 60, 20)
	moved := mat.DenseCopyOf(g)
	moved.Apply(func(_, j int, v float64) float64 { return v + 100*float64(j) }, moved)
	// Rows up to 2000 are rounded to 2000·2⁻⁵³; λmax ≈ 1.
	numtest.CloseSlice(t, "eigenvalues of moved gradients", of(t, sum(moved, false), nil).Values, of(t, sum(g, false), nil).Values, 1e-11)
}

func TestOfToys(t *testing.T) {
	ctx := context.Background()
	for _, x := range [][]float64{{0, 0}, {5, -2}} {
		cov, err := noise.NewCovariance(ctx, problem.T1(), x, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := spectrum.Of(ctx, cov, nil)
		if err != nil {
			t.Fatal(err)
		}
		// D = [1 1.8; 1.8 9]: λ = 5 ± √(16+3.24).
		root := math.Sqrt(16 + 1.8*1.8)
		numtest.CloseSlice(t, "T1", s.Values, []float64{5 - root, 5 + root}, 1e-14)
		numtest.CloseSlice(t, "T1: moments", []float64{s.Mean, s.Std}, []float64{5, root}, 1e-14)
	}
}

func TestOfFloat32DecidesWhatItCan(t *testing.T) {
	// Gradients with eigenvalues over twelve decades: float32 products leave the float64
	// rank open and say so, float64 products of the same gradients decide it.
	const n, d = 400, 60
	g := numtest.Gaussian(rand.New(rand.NewPCG(42, 1)), n, d)
	g.Apply(func(_, j int, v float64) float64 { return float64(float32(v * math.Pow(10, -float64(j)/10))) }, g)
	single, precise := of(t, sum(g, true), nil), of(t, sum(g, true), &noise.Settings{Float64Products: true})
	if single.DType != "float32" || precise.DType != "float64" {
		t.Errorf("products in %s and %s", single.DType, precise.DType)
	}
	numtest.CloseSlice(t, "float32 products", single.Values, precise.Values, single.Residual+precise.Residual)
	if !precise.RankF64.Decided() {
		t.Errorf("float64 products leave the rank open: %v", precise)
	}
	if got := precise.RankF64.Lower; got < single.RankF64.Lower || got > single.RankF64.Upper {
		t.Errorf("float64 rank: got %d, want one of %v", got, single.RankF64)
	}
	if single.Residual > 1e-5*single.Max() || precise.Residual > 1e-14*precise.Max() {
		t.Errorf("residuals %v and %v of %v", single.Residual, precise.Residual, single.Max())
	}
	if !single.RankF32.Decided() || single.RankF32 != precise.RankF32 {
		t.Errorf("float32 ranks %v and %v, want the same", single.RankF32, precise.RankF32)
	}
}

func TestOfErrors(t *testing.T) {
	ctx := context.Background()
	for _, n := range []int{5, 30} {
		cov, err := noise.NewCovariance(ctx, sum(gradients(43, n, 10), false), make([]float64, 10), nil)
		if err != nil {
			t.Fatal(err)
		}
		cancelled, stop := context.WithCancel(ctx)
		stop()
		if s, err := spectrum.Of(cancelled, cov, nil); s != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("N=%d, cancelled: got %v, %v", n, s, err)
		}
	}
}

func TestSpectrumJSON(t *testing.T) {
	for _, s := range []*spectrum.Spectrum{of(t, sum(gradients(44, 8, 12), true), nil), symmetric(t, mat.NewSymDense(2, nil))} {
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back spectrum.Spectrum
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(&back); err != nil || string(again) != string(data) || back.String() != s.String() {
			t.Errorf("round trip: got %s (%v), want %s", again, err, data)
		}
	}
}

func ExampleSymmetric() {
	a := mat.NewSymDense(2, []float64{1, 1.8, 1.8, 9})
	s, err := spectrum.Symmetric(a)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("λ = %.3f, mean %.1f, std %.3f, participation ratio %.3f\n", s.Values, s.Mean, s.Std, s.ParticipationRatio)
	// Output:
	// λ = [0.614 9.386], mean 5.0, std 4.386, participation ratio 1.130
}

func ExampleOf() {
	ctx := context.Background()
	cov, err := noise.NewCovariance(ctx, problem.T1(), []float64{0, 0}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := spectrum.Of(ctx, cov, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("λ = %.3f, rank %v (float32) and %v (float64)\n", s.Values, s.RankF32, s.RankF64)
	// Output:
	// λ = [0.614 9.386], rank 2 (float32) and 2 (float64)
}

func BenchmarkOf(b *testing.B) {
	// The sizes of tiny-fc and, with fewer gradients than weights, of small-fc.
	for _, size := range []struct{ n, d int }{{5000, 917}, {1000, 3978}} {
		b.Run(fmt.Sprintf("N=%d,d=%d", size.n, size.d), func(b *testing.B) {
			g := gradients(1, size.n, size.d)
			cov, err := noise.NewCovariance(context.Background(), sum(g, true), make([]float64, size.d), nil)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := spectrum.Of(context.Background(), cov, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSymmetric(b *testing.B) {
	for _, d := range []int{250, 917, 3978} {
		b.Run(fmt.Sprintf("d=%d", d), func(b *testing.B) {
			a := mat.NewSymDense(d, nil)
			a.SymOuterK(1/float64(d), numtest.Gaussian(rand.New(rand.NewPCG(1, 1)), d, d))
			for b.Loop() {
				if _, err := spectrum.Symmetric(a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Largest gives the same, within its bounds, whatever the method.
func TestLargest(t *testing.T) {
	g := &numtest.Gradients{G: numtest.Gaussian(rand.New(rand.NewPCG(21, 1)), 300, 60)}
	cov, err := noise.NewCovariance(context.Background(), g, make([]float64, 60), nil)
	if err != nil {
		t.Fatal(err)
	}
	var first []float64
	for _, method := range []spectrum.Method{spectrum.Dense, spectrum.Lanczos} {
		s, err := spectrum.Of(context.Background(), cov, &spectrum.Settings{Method: method, Top: 5})
		if err != nil {
			t.Fatal(err)
		}
		values, errors := s.Largest(5)
		if len(values) != 5 || len(errors) != 5 || !slices.IsSortedFunc(values, func(a, b float64) int { return cmp.Compare(b, a) }) || values[0] != s.Max() {
			t.Errorf("%v: got %v, %v", method, values, errors)
		}
		for i := range first {
			if d := math.Abs(values[i] - first[i]); !(errors[i] > 0) || d > errors[i]+1e-13 {
				t.Errorf("%v: eigenvalue %d is off by %g, want at most %g", method, i, d, errors[i])
			}
		}
		first = values
	}
}
