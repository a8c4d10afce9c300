package noise_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/noise"
)

// gradients returns six per-sample gradients in three dimensions whose mean is not
// zero: small enough to enumerate every batch.
func gradients() *mat.Dense {
	g := numtest.Gaussian(rand.New(rand.NewPCG(3, 1)), 6, 3)
	for k := range 6 {
		g.Set(k, 0, g.At(k, 0)+1)
	}
	return g
}

// ordered calls visit with every ordered batch of b out of n samples: n^b of them.
func ordered(n, b int, visit func(idx []int)) {
	idx := make([]int, b)
	var fill func(i int)
	fill = func(i int) {
		if i == b {
			visit(idx)
			return
		}
		for k := range n {
			idx[i] = k
			fill(i + 1)
		}
	}
	fill(0)
}

// subsets calls visit with every subset of b out of n samples.
func subsets(n, b int, visit func(idx []int)) {
	idx := make([]int, b)
	var fill func(i, from int)
	fill = func(i, from int) {
		if i == b {
			visit(idx)
			return
		}
		for k := from; k < n; k++ {
			idx[i] = k
			fill(i+1, k+1)
		}
	}
	fill(0, 0)
}

// permutations calls visit with every order of 0..n−1.
func permutations(n int, visit func(perm []int)) {
	perm := make([]int, n)
	for i := range perm {
		perm[i] = i
	}
	var fill func(i int)
	fill = func(i int) {
		if i == n {
			visit(perm)
			return
		}
		for j := i; j < n; j++ {
			perm[i], perm[j] = perm[j], perm[i]
			fill(i + 1)
			perm[i], perm[j] = perm[j], perm[i]
		}
	}
	fill(0)
}

// batchMean is ∇f_b, the mean of the rows idx of g.
func batchMean(g *mat.Dense, idx []int) []float64 {
	_, d := g.Dims()
	mean := make([]float64, d)
	for _, k := range idx {
		for j := range mean {
			mean[j] += g.At(k, j) / float64(len(idx))
		}
	}
	return mean
}

// moments accumulates the mean and the cross covariance of pairs of vectors, each pair
// equally likely.
type moments struct {
	n              float64
	left, right    []float64
	product, cross []float64
}

func (m *moments) add(left, right []float64) {
	if m.n == 0 {
		m.left, m.right = make([]float64, len(left)), make([]float64, len(right))
		m.product = make([]float64, len(left)*len(right))
	}
	m.n++
	for i, l := range left {
		m.left[i] += l
		for j, r := range right {
			m.product[i*len(right)+j] += l * r
		}
	}
	for j, r := range right {
		m.right[j] += r
	}
}

func (m *moments) covariance() []float64 {
	m.cross = make([]float64, len(m.product))
	for i, l := range m.left {
		for j, r := range m.right {
			m.cross[i*len(m.right)+j] = m.product[i*len(m.right)+j]/m.n - l*r/(m.n*m.n)
		}
	}
	return m.cross
}

func (m *moments) mean() []float64 {
	mean := make([]float64, len(m.left))
	for i, l := range m.left {
		mean[i] = l / m.n
	}
	return mean
}

func raw(m mat.Matrix) []float64 { return mat.DenseCopyOf(m).RawMatrix().Data }

func scaled(factor float64, m mat.Matrix) []float64 {
	values := raw(m)
	for i := range values {
		values[i] *= factor
	}
	return values
}

func panics(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}

// wantPanics checks that every function panics with a message of this package.
func wantPanics(t *testing.T, cases map[string]func()) {
	t.Helper()
	for name, fn := range cases {
		if msg := fmt.Sprint(panics(fn)); !strings.HasPrefix(msg, "noise: ") {
			t.Errorf("%s: got %q, want a panic of this package", name, msg)
		}
	}
}

// The enumerations sum at most 720 products of numbers below 4: round-off < 1e-13.
const enumTol = 1e-13

func TestAppendixA1ByEnumeration(t *testing.T) {
	g := gradients()
	var d, cov mat.SymDense
	noise.DiffusionTo(&d, g)
	for b := 1; b <= 3; b++ {
		var m moments
		ordered(6, b, func(idx []int) { v := batchMean(g, idx); m.add(v, v) })
		if m.n != math.Pow(6, float64(b)) {
			t.Fatalf("visited %v batches, want 6^%d", m.n, b)
		}
		full := batchMean(g, []int{0, 1, 2, 3, 4, 5})
		numtest.CloseSlice(t, fmt.Sprintf("𝔼∇f_b, b=%d", b), m.mean(), full, enumTol)
		numtest.CloseSlice(t, fmt.Sprintf("var ∇f_b, b=%d", b), m.covariance(), scaled(1/float64(b), &d), enumTol)
		noise.BatchCovarianceTo(&cov, g, b, noise.WithReplacement)
		numtest.CloseSlice(t, fmt.Sprintf("BatchCovarianceTo, b=%d", b), raw(&cov), m.covariance(), enumTol)
	}
}

func TestAppendixA2ByEnumeration(t *testing.T) {
	g := gradients()
	full := batchMean(g, []int{0, 1, 2, 3, 4, 5})
	var gg mat.SymDense
	gg.SymOuterK(1, mat.NewDense(3, 1, full))
	var cov, printed mat.SymDense
	for b := 1; b <= 6; b++ {
		var m moments
		subsets(6, b, func(idx []int) { v := batchMean(g, idx); m.add(v, v) })
		numtest.CloseSlice(t, fmt.Sprintf("𝔼∇f_b, b=%d", b), m.mean(), full, enumTol)
		noise.BatchCovarianceTo(&cov, g, b, noise.WithoutReplacement)
		numtest.CloseSlice(t, fmt.Sprintf("corrected A.2, b=%d", b), raw(&cov), m.covariance(), enumTol)

		// E17: the printed formula exceeds the truth by (1/b)(1−b/N)·2/(N−1)·ggᵀ.
		noise.PrintedA2To(&printed, g, b)
		var excess mat.Dense
		excess.Sub(&printed, &cov)
		factor := (1 - float64(b)/6) / float64(b) * 2 / 5
		numtest.CloseSlice(t, fmt.Sprintf("excess of the printed A.2, b=%d", b), raw(&excess), scaled(factor, &gg), enumTol)
		if worst := mat.Max(&excess); b < 6 && worst < 1e-3 {
			t.Errorf("printed A.2, b=%d: differs from the truth by only %.1e: these gradients do not refute it", b, worst)
		}
	}
}

func TestPrintedA2SeesNoiseInEqualGradients(t *testing.T) {
	g := mat.NewDense(6, 2, []float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
	var truth, printed mat.SymDense
	noise.BatchCovarianceTo(&truth, g, 1, noise.WithoutReplacement)
	noise.PrintedA2To(&printed, g, 1)
	numtest.CloseSlice(t, "truth", raw(&truth), make([]float64, 4), 0)
	// The bracket of A.2 is 2/(N−1)·ggᵀ = 0.4 (statements §1.3), times 1−1/N.
	want := .4 * 5 / 6
	numtest.CloseSlice(t, "printed", raw(&printed), []float64{want, want, want, want}, 1e-15)
}

func TestReshufflingByEnumeration(t *testing.T) {
	// E18, all 720 permutations of six samples in three batches of two: the batches have
	// the marginal of A.2, the cross covariance −D/(N−1), and a sum without variance.
	g := gradients()
	var d mat.SymDense
	noise.DiffusionTo(&d, g)
	var marginal, cross, epoch moments
	permutations(6, func(perm []int) {
		first, second, third := batchMean(g, perm[:2]), batchMean(g, perm[2:4]), batchMean(g, perm[4:])
		marginal.add(second, second)
		cross.add(first, third)
		sum := make([]float64, 3)
		for j := range sum {
			sum[j] = first[j] + second[j] + third[j]
		}
		epoch.add(sum, sum)
	})
	numtest.CloseSlice(t, "marginal", marginal.covariance(), scaled(noise.Reshuffled.CovarianceFactor(2, 6), &d), enumTol)
	numtest.CloseSlice(t, "cross covariance", cross.covariance(), scaled(noise.Reshuffled.CrossCovarianceFactor(6), &d), enumTol)
	numtest.CloseSlice(t, "cross covariance is −D/(N−1)", cross.covariance(), scaled(-1./5, &d), enumTol)
	numtest.CloseSlice(t, "variance of the sum over an epoch", epoch.covariance(), make([]float64, 9), 1e-12) // sums of size 10, squared
}

func TestReshuffledEpochOfAQuadratic(t *testing.T) {
	// E18: the end of an epoch of b = 1 steps on fₖ = ½l(x−cₖ)², from x = 0, has the
	// variance s²·N/(N−1)·Σ(wₖ−w̄)² with wₖ = ηl(1−ηl)^(N−1−k). For ηl = 0.02, N = 6
	// it is about (ηlN)²/12 = 1.2e-3 of the variance of independent batches.
	const l, eta, n = 1.0, .02, 6
	c := []float64{-1.1, .3, .4, -.7, 1.6, -.5} // mean 0
	var s2, end, end2, count float64
	for _, ck := range c {
		s2 += ck * ck / n
	}
	permutations(n, func(perm []int) {
		x := 0.
		for _, k := range perm {
			x -= eta * l * (x - c[k])
		}
		end += x
		end2 += x * x
		count++
	})
	variance := end2/count - end/count*end/count
	var w [n]float64
	var mean, spread, independent float64
	for k := range w {
		w[k] = eta * l * math.Pow(1-eta*l, float64(n-1-k))
		mean += w[k] / n
		independent += s2 * w[k] * w[k]
	}
	for _, wk := range w {
		spread += (wk - mean) * (wk - mean)
	}
	numtest.Close(t, "variance", variance, s2*n/(n-1)*spread, 1e-15)
	leading := s2 * math.Pow(eta*l, 4) * n * n * (n + 1) / 12
	numtest.Close(t, "leading order", variance/leading, 1, .1) // the next order is 1−4ηl or so
	numtest.Close(t, "suppression", variance/independent, eta*l*n*eta*l*n/12, 3e-4)
}

func TestDiffusionTo(t *testing.T) {
	g := gradients()
	var d mat.SymDense
	noise.DiffusionTo(&d, g)

	// Eq. (2) as it is printed: (1/N) Σ gₖgₖᵀ − ggᵀ.
	want := make([]float64, 9)
	mean := batchMean(g, []int{0, 1, 2, 3, 4, 5})
	for i := range 3 {
		for j := range 3 {
			for k := range 6 {
				want[3*i+j] += g.At(k, i) * g.At(k, j) / 6
			}
			want[3*i+j] -= mean[i] * mean[j]
		}
	}
	numtest.CloseSlice(t, "D", raw(&d), want, enumTol)

	var second mat.SymDense
	noise.SecondMomentTo(&second, g)
	for i := range 3 {
		for j := range 3 {
			want[3*i+j] += mean[i] * mean[j]
		}
	}
	numtest.CloseSlice(t, "second moment", raw(&second), want, enumTol)

	// The same vector added to every row changes nothing, even a large one: round-off is
	// that of the rows, 2⁻⁵³·1e8, once.
	shifted := mat.DenseCopyOf(g)
	for k := range 6 {
		for j := range 3 {
			shifted.Set(k, j, shifted.At(k, j)+1e8)
		}
	}
	var again mat.SymDense
	noise.DiffusionTo(&again, shifted)
	numtest.CloseSlice(t, "D of shifted gradients", raw(&again), raw(&d), 3e-7)

	// A different basis: D_z = RᵀDR for gradients in z, x = Rz.
	r := numtest.Gaussian(rand.New(rand.NewPCG(4, 1)), 3, 3)
	var gr, dr, rdr mat.Dense
	gr.Mul(g, r)
	noise.DiffusionTo(&again, &gr)
	dr.Mul(&d, r)
	rdr.Mul(r.T(), &dr)
	numtest.CloseSlice(t, "RᵀDR", raw(&again), raw(&rdr), 1e-12)
}

func TestDiffusionEdges(t *testing.T) {
	var d mat.SymDense
	noise.DiffusionTo(&d, mat.NewDense(1, 2, []float64{3, 4}))
	numtest.CloseSlice(t, "N=1", raw(&d), make([]float64, 4), 0)
	dst := mat.NewSymDense(1, []float64{99})
	noise.DiffusionTo(dst, mat.NewDense(2, 1, []float64{0, 2}))
	numtest.CloseSlice(t, "d=1", raw(dst), []float64{1}, 0)

	g := gradients()
	wantPanics(t, map[string]func(){
		"no samples":        func() { noise.DiffusionTo(new(mat.SymDense), new(mat.Dense)) },
		"wrong dst":         func() { noise.DiffusionTo(mat.NewSymDense(2, nil), g) },
		"second moment dst": func() { noise.SecondMomentTo(mat.NewSymDense(4, nil), g) },
		"batch > N":         func() { noise.BatchCovarianceTo(new(mat.SymDense), g, 7, noise.WithoutReplacement) },
		"printed, N=1":      func() { noise.PrintedA2To(new(mat.SymDense), mat.NewDense(1, 1, nil), 1) },
		"printed, b > N":    func() { noise.PrintedA2To(new(mat.SymDense), g, 7) },
	})
	kept := gradients()
	numtest.CloseSlice(t, "g after use", raw(g), raw(kept), 0)
}

func ExampleDiffusionTo() {
	// Four per-sample gradients in two dimensions, one per row.
	g := mat.NewDense(4, 2, []float64{
		1, 0,
		-1, 0,
		0, 2,
		0, -2,
	})
	var d mat.SymDense
	noise.DiffusionTo(&d, g)
	fmt.Println(mat.Formatted(&d))
	// Output:
	// ⎡0.5    0⎤
	// ⎣  0    2⎦
}

func ExamplePrintedA2To() {
	// Six equal gradients carry no noise; the printed formula sees some (erratum E17).
	g := mat.NewDense(6, 1, []float64{1, 1, 1, 1, 1, 1})
	var truth, printed mat.SymDense
	noise.BatchCovarianceTo(&truth, g, 1, noise.WithoutReplacement)
	noise.PrintedA2To(&printed, g, 1)
	fmt.Printf("truth %.3f, printed %.3f\n", truth.At(0, 0), printed.At(0, 0))
	// Output:
	// truth 0.000, printed 0.333
}
