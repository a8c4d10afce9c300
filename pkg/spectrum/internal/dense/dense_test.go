package dense

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/internal/syrk/kernel"
)

// tolerance bounds the error of every eigenvalue: c·n·ε·‖A‖₂ with ε = 2⁻⁵².
//
// A is transformed by n reflectors on each side in each of two stages, then by the QR
// iteration. One reflector of length m moves A by about m·2⁻⁵³·‖A‖ in the worst case
// and √m·2⁻⁵³·‖A‖ typically; n of them add up, at random signs, to less than
// n·2⁻⁵³·‖A‖ per stage and side. c = 4 covers both stages, the QR iteration, and the
// other side of the comparison, which has the same error.
func tolerance(n int, norm float64) float64 { return 4 * float64(n) * 0x1p-52 * norm }

// lower returns the lower triangle of a, row-major, with NaN above the diagonal: it
// must not be read.
func lower(a *mat.SymDense) []float64 {
	n := a.SymmetricDim()
	x := make([]float64, n*n)
	for i := range n {
		for j := range n {
			x[i*n+j] = math.NaN()
			if j <= i {
				x[i*n+j] = a.At(i, j)
			}
		}
	}
	return x
}

func norm(values []float64) float64 {
	var m float64
	for _, v := range values {
		m = max(m, math.Abs(v))
	}
	return m
}

// similar returns a random matrix with the given eigenvalues: diag(λ) under n/2 pairs
// of random reflectors would be O(n³) in scalar code, so a few are taken. They mix all
// entries.
func similar(rng *rand.Rand, eig []float64) *mat.SymDense {
	n := len(eig)
	a := mat.NewSymDense(n, nil)
	for i, v := range eig {
		a.SetSym(i, i, v)
	}
	v, w := make([]float64, n), make([]float64, n)
	for range 4 {
		var vv, vav float64
		for i := range v {
			v[i] = rng.NormFloat64()
			vv += v[i] * v[i]
		}
		tau := 2 / vv
		for i := range w {
			w[i] = 0
			for j := range v {
				w[i] += a.At(i, j) * v[j]
			}
			w[i] *= tau
			vav += w[i] * v[i]
		}
		for i := range w {
			w[i] -= tau / 2 * vav * v[i]
		}
		for i := range n {
			for j := range i + 1 {
				a.SetSym(i, j, a.At(i, j)-v[i]*w[j]-w[i]*v[j])
			}
		}
	}
	return a
}

func gaussian(rng *rand.Rand, n int) *mat.SymDense {
	a := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			a.SetSym(i, j, rng.NormFloat64())
		}
	}
	return a
}

func check(t *testing.T, name string, a *mat.SymDense, want []float64) {
	t.Helper()
	n := a.SymmetricDim()
	got, err := Eigenvalues(lower(a), n, 2)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !slices.IsSorted(got) {
		t.Errorf("%s: eigenvalues are not ascending", name)
	}
	want = slices.Sorted(slices.Values(want))
	numtest.CloseSlice(t, name, got, want, tolerance(n, norm(want)))
}

// The orders are those where something changes: gonum to two stages at 128, whole and
// partial last tiles, one strip to three.
func TestAgainstGonum(t *testing.T) {
	for _, n := range []int{1, 2, 3, 47, 48, 49, 128, 129, 143, 144, 145, 190, 193, 337, 480} {
		a := gaussian(rand.New(rand.NewPCG(uint64(n), 1)), n)
		var eig mat.EigenSym
		if !eig.Factorize(a, false) {
			t.Fatalf("n = %d: gonum found no eigenvalues", n)
		}
		check(t, fmt.Sprintf("n = %d", n), a, eig.Values(nil))
	}
}

func TestPrescribedSpectra(t *testing.T) {
	const n = 245
	spectra := []struct {
		name  string
		value func(i int) float64
	}{
		{"all different", func(i int) float64 { return float64(i - 100) }},
		{"all equal", func(i int) float64 { return 3 }},
		{"two clusters", func(i int) float64 { return float64(i%2) + 1e-9*float64(i) }},
		{"three values", func(i int) float64 { return float64(i%3 - 1) }},
		{"rank one", func(i int) float64 { return float64((i + 1) / n) }},
		{"rank 20", func(i int) float64 { return float64(max(0, i-n+21)) }},
		{"graded 1 to 1e-12", func(i int) float64 { return math.Pow(10, -12*float64(i)/(n-1)) }},
		{"graded, both signs", func(i int) float64 { return math.Pow(-0.9, float64(i)) }},
		{"one large", func(i int) float64 { return 1 + 1e12*float64(i/(n-1)) }},
		{"negative", func(i int) float64 { return -1 - float64(i) }},
	}
	for _, s := range spectra {
		eig := make([]float64, n)
		for i := range eig {
			eig[i] = s.value(i)
		}
		check(t, s.name, similar(rand.New(rand.NewPCG(11, 1)), eig), eig)
	}
}

// Matrices that need no work, or less: many reflectors are the identity.
func TestSpecialMatrices(t *testing.T) {
	const n = 250
	rng := rand.New(rand.NewPCG(12, 1))
	check(t, "zero", mat.NewSymDense(n, nil), make([]float64, n))

	diagonal, values := mat.NewSymDense(n, nil), make([]float64, n)
	for i := range values {
		values[i] = rng.NormFloat64()
		diagonal.SetSym(i, i, values[i])
	}
	check(t, "diagonal", diagonal, values)

	// −1, 2, −1: λₖ = 2 − 2cos(kπ/(n+1)).
	second := mat.NewSymDense(n, nil)
	for i := range n {
		second.SetSym(i, i, 2)
		if i > 0 {
			second.SetSym(i, i-1, -1)
		}
		values[i] = 2 - 2*math.Cos(float64(i+1)*math.Pi/(n+1))
	}
	check(t, "tridiagonal", second, values)

	for _, half := range []int{5, 47, 48, 49, 100} {
		banded := mat.NewSymDense(n, nil)
		for i := range n {
			for j := max(0, i-half); j <= i; j++ {
				banded.SetSym(i, j, rng.NormFloat64())
			}
		}
		var eig mat.EigenSym
		eig.Factorize(banded, false)
		check(t, fmt.Sprintf("half bandwidth %d", half), banded, eig.Values(nil))
	}

	// All ones: n once, 0 else. xxᵀ with entries over 300 decades: ‖x‖² once.
	ones, outer := mat.NewSymDense(n, nil), mat.NewSymDense(n, nil)
	x := make([]float64, n)
	var sq float64
	for i := range x {
		x[i] = math.Pow(10, -150*float64(i)/n)
		sq += x[i] * x[i]
	}
	for i := range n {
		for j := range i + 1 {
			ones.SetSym(i, j, 1)
			outer.SetSym(i, j, x[i]*x[j])
		}
	}
	one := make([]float64, n)
	one[0] = n
	check(t, "ones", ones, one)
	one[0] = sq
	check(t, "rank one over 300 decades", outer, one)

	// The arrow: zeros but for the diagonal and the last row.
	arrow := mat.NewSymDense(n, nil)
	for i := range n {
		arrow.SetSym(i, i, float64(i))
		arrow.SetSym(n-1, i, 1)
	}
	var eig mat.EigenSym
	eig.Factorize(arrow, false)
	check(t, "arrow", arrow, eig.Values(nil))
}

// A matrix times a power of two has the eigenvalues times that, bit for bit unless it
// passes 2^±100, and within the tolerance always.
func TestScaling(t *testing.T) {
	for _, n := range []int{20, 200} {
		a := gaussian(rand.New(rand.NewPCG(13, 1)), n)
		want, err := Eigenvalues(lower(a), n, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, factor := range []float64{1e150, 1e-150, 0x1p990, 0x1p-990, 1e-300, 1e305} {
			b := mat.NewSymDense(n, nil)
			b.ScaleSym(factor, a)
			scaled := make([]float64, n)
			for i := range want {
				scaled[i] = want[i] * factor
			}
			check(t, fmt.Sprintf("n = %d times %g", n, factor), b, scaled)
		}
	}
}

// Subnormal entries have few digits, but nothing breaks: the tolerance is one unit of
// the smallest float64 per rounded entry of a row.
func TestSubnormal(t *testing.T) {
	const n = 150
	a := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			a.SetSym(i, j, math.SmallestNonzeroFloat64)
		}
	}
	got, err := Eigenvalues(lower(a), n, 1)
	if err != nil {
		t.Fatal(err)
	}
	numtest.Close(t, "largest", got[n-1], n*math.SmallestNonzeroFloat64, n*math.SmallestNonzeroFloat64)
	numtest.CloseSlice(t, "others", got[:n-1], make([]float64, n-1), n*math.SmallestNonzeroFloat64)
}

func TestSmallestOrders(t *testing.T) {
	got, err := Eigenvalues(nil, 0, 1)
	if err != nil || len(got) != 0 {
		t.Errorf("n = 0: got %v, %v, want no values", got, err)
	}
	got, err = Eigenvalues([]float64{-7}, 1, 1)
	if err != nil || len(got) != 1 || got[0] != -7 {
		t.Errorf("n = 1: got %v, %v, want [-7]", got, err)
	}
	// [[2, 1], [1, 2]] has 1 and 3; the upper triangle is not read.
	got, err = Eigenvalues([]float64{2, math.NaN(), 1, 2}, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	numtest.CloseSlice(t, "n = 2", got, []float64{1, 3}, tolerance(2, 3))
}

func TestBadEntries(t *testing.T) {
	for _, n := range []int{1, 5, 200} {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, at := range [][2]int{{0, 0}, {n - 1, 0}, {n - 1, n - 1}, {n / 2, n / 3}} {
				a := lower(mat.NewSymDense(n, nil))
				a[at[0]*n+at[1]] = bad
				a[n*n-1] += 1 // not the zero matrix
				got, err := Eigenvalues(a, n, 1)
				want := fmt.Sprintf("dense: entry (%d, %d) of the matrix is %g", at[0], at[1], bad)
				if err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("n = %d: got %v, %v, want an error %q", n, got, err, want)
				}
			}
		}
	}
}

func TestEigenvalueOutOfRange(t *testing.T) {
	for _, n := range []int{20, 200} {
		a := make([]float64, n*n)
		for i := range a {
			a[i] = math.MaxFloat64
		}
		got, err := Eigenvalues(a, n, 1)
		if err == nil || !strings.Contains(err.Error(), "beyond the range of float64") {
			t.Errorf("n = %d: got %v, %v, want an error that the largest eigenvalue is out of range", n, got, err)
		}
	}
}

func TestMisusePanics(t *testing.T) {
	for _, n := range []int{-1, 2, 4} {
		func() {
			defer func() {
				text, _ := recover().(string)
				if !strings.HasPrefix(text, "dense: dimension mismatch: a has 9 elements") {
					t.Errorf("n = %d: got panic %q, want a dimension mismatch", n, text)
				}
			}()
			Eigenvalues(make([]float64, 9), n, 1)
		}()
	}
}

func TestSameBitsForAnyWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4)) // no more workers than that
	sets := kernel.Available()
	for _, c := range []struct {
		set *kernel.Set
		n   int
	}{{sets[len(sets)-1], 100}, {sets[len(sets)-1], 150}, {sets[0], 450}, {sets[0], 700}} {
		set, n := c.set, c.n
		if n > 500 && testing.Short() {
			continue
		}
		a := lower(gaussian(rand.New(rand.NewPCG(14, 1)), n))
		want, err := eigenvalues(set, slices.Clone(a), n, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{0, 2, 3} { // 0: all four
			got, err := eigenvalues(set, slices.Clone(a), n, workers)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
					t.Fatalf("%s, n = %d, %d workers: eigenvalue %d: got %.17g, want %.17g, the same bits", set.Name, n, workers, i, got[i], want[i])
				}
			}
		}
	}
}

// All kernels lead to the same eigenvalues within the error of each.
func TestKernelsAgree(t *testing.T) {
	const n = 300
	a := lower(gaussian(rand.New(rand.NewPCG(15, 1)), n))
	sets := kernel.Available()
	want, err := eigenvalues(sets[len(sets)-1], slices.Clone(a), n, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range sets {
		got, err := eigenvalues(set, slices.Clone(a), n, 2)
		if err != nil {
			t.Fatal(err)
		}
		numtest.CloseSlice(t, set.Name, got, want, tolerance(n, norm(want)))
	}
}
