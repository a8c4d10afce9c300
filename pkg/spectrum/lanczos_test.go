package spectrum_test

import (
	"context"
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
	"sgdlab/pkg/spectrum"
)

// diagonal is the matrix with these entries. Lanczos begins with a Gaussian block, whose
// law no rotation changes: diagonal matrices are as good as any.
type diagonal []float64

func (a diagonal) Dim() int { return len(a) }

func (a diagonal) Trace() float64 {
	var sum float64
	for _, v := range a {
		sum += v
	}
	return sum
}

func (a diagonal) MulTo(ctx context.Context, dst, v *mat.Dense) error {
	if dst.IsEmpty() {
		dst.ReuseAs(v.Dims())
	}
	for i, scale := range a {
		row := dst.RawRowView(i)
		for j, x := range v.RawRowView(i) {
			row[j] = scale * x
		}
	}
	return ctx.Err()
}

// checkTop holds everything that s says about the largest eigenvalues of a matrix with
// the given ones against the truth.
func checkTop(t *testing.T, name string, s *spectrum.Spectrum, values []float64, k int) {
	t.Helper()
	want := slices.Clone(values)
	slices.Sort(want)
	slices.Reverse(want)
	d, q := len(want), len(s.Values)
	if s.Method != spectrum.Lanczos || s.Dim != d || q < k || q+s.Rest+s.Zeros != d || len(s.Errors) != q || len(s.Residuals) != q || !slices.IsSorted(s.Values) || s.Products == 0 {
		t.Errorf("%s: got %+v", name, s)
		return
	}
	for i, v := range want[:q] {
		j := q - 1 - i
		if diff := math.Abs(s.Values[j] - v); !(diff <= s.Errors[j]) {
			t.Errorf("%s: eigenvalue %d: got %v ± %.2g, want %v", name, i, s.Values[j], s.Errors[j], v)
		}
		if s.Errors[j] > s.Residual {
			t.Errorf("%s: error %v of eigenvalue %d is above the residual %v", name, s.Errors[j], i, s.Residual)
		}
		// Settings.Tolerance, and the round-off of λmax; where no gap follows, the 7 % by
		// which the bound for the others exceeds them.
		tol := .25
		if end := 3*k/2 + 33; end >= d || want[end] < .75*v {
			tol = 1e-6
		}
		if i < k && s.Errors[j] > tol*v+1e-8*want[0] {
			t.Errorf("%s: eigenvalue %d is %v ± %.2g: not converged", name, i, v, s.Errors[j])
		}
	}
	if s.Rest > 0 && s.RestMax < want[q] {
		t.Errorf("%s: others are at most %v, want at least %v", name, s.RestMax, want[q])
	}
	var sum, squares float64
	for _, v := range want {
		sum += v
	}
	mean := sum / float64(d)
	for _, v := range want {
		squares += (v - mean) * (v - mean)
	}
	std := math.Sqrt(squares / float64(d))
	numtest.Close(t, name+": mean", s.Mean, mean, 1e-14*float64(d)*want[0])
	// Nearly equal eigenvalues cancel: see Moments.
	if slack := 4e-8 * want[0]; !(s.StdLower-slack <= std && std <= s.StdUpper+slack && s.StdLower <= s.Std && s.Std <= s.StdUpper) {
		t.Errorf("%s: std: got %v in %v..%v, want %v", name, s.Std, s.StdLower, s.StdUpper, std)
	}
	for _, rank := range []struct {
		got     spectrum.Count
		epsilon float64
	}{{s.RankF32, spectrum.EpsilonF32}, {s.RankF64, spectrum.EpsilonF64}} {
		if w := spectrum.Rank(want, d, rank.epsilon, 0).Lower; w < rank.got.Lower || w > rank.got.Upper {
			t.Errorf("%s: rank with ε=%.2g: got %v, want %d", name, rank.epsilon, rank.got, w)
		}
	}
	for _, relative := range []float64{.5, .1, 1e-2, 1e-4} {
		if c, w := s.CountAbove(relative), spectrum.CountAbove(want, relative, 0).Lower; w < c.Lower || w > c.Upper {
			t.Errorf("%s: above %v: got %v, want %d", name, relative, c, w)
		}
	}
}

func geometric(n int, last float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = math.Pow(last, float64(i)/float64(n-1))
	}
	return v
}

// withTail returns the values followed by n−len(values) equal ones.
func withTail(n int, tail float64, values ...float64) []float64 {
	return append(values, slices.Repeat([]float64{tail}, n-len(values))...)
}

var large = map[string][]float64{
	"geometric":        geometric(700, 1e-9),
	"power law":        powers(900, 1.5),
	"flat":             powers(500, .3),
	"degenerate":       withTail(600, 1e-4, slices.Repeat([]float64{2}, 50)...),
	"clustered":        withTail(500, 0, 1, 1+1e-13, 1+2e-13, 1, 1-1e-13, .5, .5, .5+1e-12, .5, .25),
	"rank one":         withTail(400, 0, 7),
	"low rank":         withTail(700, 0, powers(45, 1)...),
	"zero":             make([]float64, 300),
	"identity":         slices.Repeat([]float64{3}, 300),
	"tiny scale":       withTail(300, 1e-110, 5e-100, 4e-100, 3e-100, 2e-100),
	"huge scale":       withTail(300, 1e90, 5e100, 4e100, 3e100, 2e100),
	"one stands out":   withTail(400, 1, 1e6),
	"every block full": geometric(320, 1e-3),
}

func TestTopKnownSpectra(t *testing.T) {
	for name, values := range large {
		for _, k := range []int{1, 40} {
			s, err := spectrum.Top(context.Background(), diagonal(values), k, nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			checkTop(t, fmt.Sprintf("%s, k=%d", name, k), s, values, k)
		}
	}
}

func TestTopOfSmallMatrices(t *testing.T) {
	// On both sides of whole blocks and tiles, down to 1×1, and with all eigenvalues.
	for _, d := range []int{1, 2, 3, 4, 31, 32, 33, 40, 64, 65, 100} {
		for _, values := range [][]float64{powers(d, 1), make([]float64, d), withTail(d, 0, 2), slices.Repeat([]float64{1}, d)} {
			for _, k := range []int{1, (d + 1) / 2, d} {
				s, x, err := spectrum.TopVectors(context.Background(), diagonal(values), k, nil)
				if err != nil {
					t.Fatal(err)
				}
				name := fmt.Sprintf("d=%d, k=%d, λmax %v", d, k, values[0])
				checkTop(t, name, s, values, k)
				var xx mat.Dense
				xx.Mul(x.T(), x)
				for i := range k {
					xx.Set(i, i, xx.At(i, i)-1)
				}
				numtest.Close(t, name+": ‖XᵀX−I‖", mat.Norm(&xx, 2), 0, 1e-12)
			}
		}
	}
}

func TestTopVectors(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 1))
	values := powers(200, 1)
	a := numtest.Symmetric(rng, values)
	s, x, err := spectrum.TopVectors(context.Background(), operator{a}, 20, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkTop(t, "dense matrix", s, values, 20)
	var ax mat.Dense
	ax.Mul(a, x)
	for j := range 20 {
		at := len(s.Values) - 1 - j
		var r mat.VecDense
		r.AddScaledVec(ax.ColView(j), -s.Values[at], x.ColView(j))
		// Round-off of the product: 200 terms.
		numtest.Close(t, fmt.Sprintf("residual %d", j), mat.Norm(&r, 2), 0, s.Residuals[at]+1e-13)
	}
}

// operator is a matrix as an Operator.
type operator struct{ *mat.SymDense }

func (a operator) Dim() int       { return a.SymmetricDim() }
func (a operator) Trace() float64 { return mat.Trace(a.SymDense) }
func (a operator) MulTo(ctx context.Context, dst, v *mat.Dense) error {
	dst.Mul(a.SymDense, v)
	return ctx.Err()
}

func TestTopDecidesTheRank(t *testing.T) {
	// A third of a geometric spectrum down to 1e-12 exceeds the float32 threshold. The
	// gap of two neighbours is 5 %.
	values := geometric(600, 1e-12)
	s, err := spectrum.Top(context.Background(), diagonal(values), 10, &spectrum.Settings{Rank: true})
	if err != nil {
		t.Fatal(err)
	}
	checkTop(t, "geometric", s, values, 10)
	if !s.RankF32.Decided() {
		t.Errorf("rank %v is not decided: %v", s.RankF32, s)
	}
	if plain, err := spectrum.Top(context.Background(), diagonal(values), 10, nil); err != nil || plain.RankF32.Decided() || plain.Products >= s.Products {
		t.Errorf("without Rank: got %v, %v, want less work and no decision", plain, err)
	}
}

func TestTopStopsAtTheLimit(t *testing.T) {
	values := powers(1000, .05) // hopeless
	s, err := spectrum.Top(context.Background(), diagonal(values), 5, &spectrum.Settings{MaxVectors: 64})
	if err != nil {
		t.Fatal(err)
	}
	checkTop(t, "64 vectors", s, values, 0)
	if s.Residual < 1e-4 {
		t.Errorf("64 vectors of a flat spectrum give errors of %v only", s.Residual)
	}
}

func TestTopIsTheSameForAllWorkers(t *testing.T) {
	var last *spectrum.Spectrum
	for _, workers := range []int{1, 2, 5} {
		s, err := spectrum.Top(context.Background(), diagonal(large["power law"]), 20, &spectrum.Settings{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if last != nil {
			numtest.CloseSlice(t, fmt.Sprintf("%d workers", workers), slices.Concat(s.Values, s.Errors, []float64{s.RestMax, s.Std}), slices.Concat(last.Values, last.Errors, []float64{last.RestMax, last.Std}), 0)
		}
		last = s
	}
}

func TestRestMaxHoldsForAllSeeds(t *testing.T) {
	// With a probability of failure of 10⁻⁷ for each of 20 seeds, one of them fails here
	// with less than 2·10⁻⁶.
	values := powers(400, .5)
	for seed := range uint64(20) {
		s, err := spectrum.Top(context.Background(), diagonal(values), 3, &spectrum.Settings{Seed: seed, Failure: 1e-7})
		if err != nil {
			t.Fatal(err)
		}
		checkTop(t, fmt.Sprint("seed ", seed), s, values, 3)
	}
}

// bend is a matrix that is not what it says.
type bend struct {
	diagonal
	trace float64
	at    float64 // value of an entry of every product, if not 0
}

func (a bend) Trace() float64 { return a.trace }
func (a bend) MulTo(ctx context.Context, dst, v *mat.Dense) error {
	if err := a.diagonal.MulTo(ctx, dst, v); err != nil {
		return err
	}
	if a.at != 0 {
		dst.Set(7, 0, a.at)
	}
	return nil
}

func TestTopErrors(t *testing.T) {
	ctx := context.Background()
	values := powers(100, 1)
	sum := diagonal(values).Trace()
	for name, c := range map[string]struct {
		a    spectrum.Operator
		k    int
		want string
	}{
		"k > d":        {diagonal(values), 101, "ask for 1 to 100"},
		"k = 0":        {diagonal(values), 0, "ask for 1 to 100"},
		"k < 0":        {diagonal(values), -3, "ask for 1 to 100"},
		"NaN":          {bend{values, sum, math.NaN()}, 5, "not finite"},
		"Inf":          {bend{values, sum, math.Inf(1)}, 5, "not finite"},
		"small trace":  {bend{values, sum / 3, 0}, 5, "trace"},
		"indefinite":   {diagonal(append([]float64{-1}, values...)), 101, "semidefinite"},
		"negative":     {diagonal{-1, -2}, 1, "semidefinite"},
		"only NaN":     {bend{diagonal: diagonal{math.NaN()}}, 1, "not finite"},
		"not a number": {bend{values, math.NaN(), 0}, 5, "trace"},
	} {
		s, err := spectrum.Top(ctx, c.a, c.k, nil)
		if s != nil || err == nil || !strings.HasPrefix(err.Error(), "spectrum: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, %v, want an error that says %q", name, s, err, c.want)
		}
	}
	// Stopped at every product in turn.
	for stop := range 8 {
		within, cancel := context.WithCancel(ctx)
		a := &stopping{diagonal: values, cancel: cancel, after: stop}
		if s, err := spectrum.Top(within, a, 5, nil); s != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled after %d products: got %v, %v", stop, s, err)
		}
	}
	wantPanics(t, map[string]func(){
		"tolerance": func() { spectrum.Top(ctx, diagonal(values), 1, &spectrum.Settings{Tolerance: -1}) },
		"failure":   func() { spectrum.Top(ctx, diagonal(values), 1, &spectrum.Settings{Failure: 1}) },
	})
}

type stopping struct {
	diagonal
	cancel context.CancelFunc
	after  int
}

func (a *stopping) MulTo(ctx context.Context, dst, v *mat.Dense) error {
	if a.after--; a.after < 0 {
		a.cancel()
	}
	return a.diagonal.MulTo(ctx, dst, v)
}

func TestTopProgress(t *testing.T) {
	last, final := 0, 0
	if _, err := spectrum.Top(context.Background(), diagonal(large["power law"]), 7, &spectrum.Settings{Progress: func(vectors, found int) {
		if vectors <= last {
			t.Errorf("%d vectors after %d", vectors, last)
		}
		last, final = vectors, found
	}}); err != nil {
		t.Fatal(err)
	}
	if final != 7 {
		t.Errorf("%d eigenvalues found at the end, want 7", final)
	}
}

func TestAllMethodsAgree(t *testing.T) {
	// Random gradients, in both precisions; the last of the size of small-fc.
	sizes := []struct{ n, d, k int }{{1000, 600, 20}, {200, 600, 20}}
	if !testing.Short() {
		sizes = append(sizes, struct{ n, d, k int }{300, 3978, 20})
	}
	for _, size := range sizes {
		g := gradients(uint64(size.n), size.n, size.d)
		for _, single := range []bool{false, true} {
			if size.d > 1000 && !single {
				continue
			}
			cov, err := noise.NewCovariance(context.Background(), sum(g, single), make([]float64, size.d), nil)
			if err != nil {
				t.Fatal(err)
			}
			methods := []spectrum.Method{spectrum.Automatic, spectrum.Lanczos}
			if size.n < size.d && size.d < 1000 {
				methods = append(methods, spectrum.Dense)
			}
			var all []*spectrum.Spectrum
			for _, method := range methods {
				s, err := spectrum.Of(context.Background(), cov, &spectrum.Settings{Method: method, Top: size.k, Rank: true})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, s)
			}
			for _, s := range all[1:] {
				name := fmt.Sprintf("N=%d, d=%d, single %v, %q against %q", size.n, size.d, single, s.Method, all[0].Method)
				top := func(s *spectrum.Spectrum) []float64 { return s.Values[len(s.Values)-size.k:] }
				numtest.CloseSlice(t, name, top(s), top(all[0]), s.Residual+all[0].Residual)
				numtest.Close(t, name+": mean", s.Mean, all[0].Mean, 1e-15)
				numtest.Close(t, name+": std", s.Std, all[0].Std, s.StdUpper-s.StdLower+s.Residual+all[0].Residual)
				if s.Zeros != all[0].Zeros || s.Dim != size.d || s.Samples != size.n || s.DType != all[0].DType {
					t.Errorf("%s: got %v, want %v", name, s, all[0])
				}
				if s.RankF32.Upper < all[0].RankF32.Lower || s.RankF32.Lower > all[0].RankF32.Upper {
					t.Errorf("%s: rank %v, want %v", name, s.RankF32, all[0].RankF32)
				}
				if s.Method == spectrum.Lanczos && !s.RankF32.Decided() {
					t.Errorf("%s: rank %v is not decided: %v", name, s.RankF32, s)
				}
			}
		}
	}
}

func TestOfBadQuestions(t *testing.T) {
	ctx := context.Background()
	cov := func(g *mat.Dense) *noise.Covariance {
		_, d := g.Dims()
		c, err := noise.NewCovariance(ctx, sum(g, false), make([]float64, d), nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	some := cov(gradients(44, 20, 10))
	for name, c := range map[string]struct {
		cov  *noise.Covariance
		s    *spectrum.Settings
		want string
	}{
		"k > d":               {some, &spectrum.Settings{Top: 11}, "ask for 1 to 10"},
		"k < 0":               {some, &spectrum.Settings{Top: -1}, "ask for 1 to 10"},
		"one sample":          {cov(gradients(44, 1, 10)), nil, "one gradient"},
		"one sample, Lanczos": {cov(gradients(44, 1, 10)), &spectrum.Settings{Top: 1, Method: spectrum.Lanczos}, "one gradient"},
		"zero gradients":      {cov(mat.NewDense(9, 4, nil)), nil, "all 9 gradients are equal"},
		"zeros, Lanczos":      {cov(mat.NewDense(9, 4, nil)), &spectrum.Settings{Top: 1, Method: spectrum.Lanczos}, "all 9 gradients are equal"},
		"all by Lanczos":      {some, &spectrum.Settings{Method: spectrum.Lanczos}, "set Top"},
		"a method of no name": {some, &spectrum.Settings{Method: "QR"}, `"QR"`},
	} {
		s, err := spectrum.Of(ctx, c.cov, c.s)
		if s != nil || err == nil || !strings.HasPrefix(err.Error(), "spectrum: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, %v, want an error that says %q", name, s, err, c.want)
		}
	}
}

func ExampleTop() {
	// λᵢ = 1/i², i = 1..2000, of which three are asked for.
	values := make(diagonal, 2000)
	for i := range values {
		values[i] = 1 / float64((i+1)*(i+1))
	}
	s, err := spectrum.Top(context.Background(), values, 3, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("λ = %.4f, the other %d at most %.4f, with a probability of failure of %.0g\n", s.Values, s.Rest, s.RestMax, s.Failure)
	fmt.Printf("more than λmax/20: %v\n", s.CountAbove(.05))
	two, errors := s.Largest(2)
	fmt.Printf("the two largest: %.4f, known to 1e-9: %v\n", two, max(errors[0], errors[1]) < 1e-9)
	// Output:
	// λ = [0.1111 0.2500 1.0000], the other 1997 at most 0.0711, with a probability of failure of 1e-12
	// more than λmax/20: 3–8
	// the two largest: [1.0000 0.2500], known to 1e-9: true
}
