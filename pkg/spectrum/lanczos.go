// References:
//   [golub1977]      Golub, Underwood. The block Lanczos method for computing eigenvalues. Mathematical Software III (1977).
//   [kuczynski1992]  Kuczyński, Woźniakowski. Estimating the largest eigenvalue by the power and Lanczos algorithms with a random start. SIAM J. Matrix Anal. Appl. 13 (1992).
//   [li2005]         Li, Li. A note on eigenvalues of perturbed Hermitian matrices. Linear Algebra Appl. 395 (2005).

package spectrum

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"sgdlab/pkg/internal/tall"
	"sgdlab/pkg/noise"
)

// Operator is a symmetric positive semidefinite d×d matrix that is known by its
// products, above all a [noise.Covariance].
type Operator interface {
	// Dim returns d.
	Dim() int
	// Trace returns the sum of the eigenvalues.
	Trace() float64
	// MulTo stores A·V in dst for a d×m matrix V.
	MulTo(ctx context.Context, dst, v *mat.Dense) error
}

// Defaults of Settings.
const (
	defaultTolerance = 1e-6
	defaultFailure   = 1e-12
)

// Top returns the k largest eigenvalues of a without forming it, by block Lanczos, and
// bounds for all the others: see [Of], which does the same for a covariance and chooses
// the method. Values holds k or more: those that were found on the way and help to bound
// the others come too. Settings.Top and Settings.Method are ignored.
//
// Cost: one product with 32 vectors for every 32 vectors of the basis, of which k
// eigenvalues need about 4k, and 8d bytes for each vector. It returns an error if k is
// not one of 1..d, if a product is not finite, if a turns out not to be positive
// semidefinite or its trace not to be one, and where a.MulTo does.
func Top(ctx context.Context, a Operator, k int, s *Settings) (*Spectrum, error) {
	found, _, err := TopVectors(ctx, a, k, s)
	return found, err
}

// TopVectors is [Top] with the eigenvectors of the k largest eigenvalues in the columns
// of a d×k matrix, orthonormal, that of the largest first.
func TopVectors(ctx context.Context, a Operator, k int, s *Settings) (*Spectrum, *mat.Dense, error) {
	start := time.Now()
	s = s.orDefault()
	if err := checkTop(k, a.Dim()); err != nil {
		return nil, nil, err
	}
	l := &lanczos{Settings: *s, d: a.Dim(), rank: a.Dim(), trace: a.Trace(), quick: a.MulTo, exact: a.MulTo}
	dtype, zeros, samples := "float64", 0, 0
	if cov, ok := a.(*noise.Covariance); ok {
		if err := checkCovariance(cov); err != nil {
			return nil, nil, err
		}
		l.quick, l.twoPrecisions = cov.QuickMulTo, cov.Products() == noise.Float32
		dtype, samples = cov.Products().String(), cov.Samples()
		zeros = max(0, l.d-samples+1)
		l.rank = l.d - zeros
	}
	if err := l.run(ctx, k); err != nil {
		return nil, nil, err
	}
	found := l.spectrum(zeros, start)
	found.DType, found.Samples = dtype, samples
	return found, l.x.toDense().Slice(0, l.d, 0, k).(*mat.Dense), nil
}

func checkTop(k, d int) error {
	if k < 1 || k > d {
		return fmt.Errorf("spectrum: %d eigenvalues of a %d×%d matrix do not exist: ask for 1 to %d", k, d, d, d)
	}
	return nil
}

// lanczos finds the largest eigenvalues of a matrix A in three stages: a Krylov basis, a
// Rayleigh–Ritz step in float64, and a certificate for what is left.
type lanczos struct {
	Settings
	d, rank       int // order, and an upper bound of the rank
	trace         float64
	quick, exact  times // products in the precision of the data, and in float64
	twoPrecisions bool  // they differ

	x          *vectors  // orthonormal, the leading q
	theta, res []float64 // xᵀAx, descending, and ‖Ax−θx‖
	errors     []float64 // bounds of λ−θ for the q largest eigenvalues
	beta       float64   // upper bound of all others
	squares    float64   // estimate of ‖PAP‖²_F, P the projector on the complement of x
	roundOff   float64
	products   int // vectors multiplied so far
}

func (l *lanczos) run(ctx context.Context, k int) error {
	rng := rand.New(rand.NewPCG(l.Seed, 1))
	if err := l.expand(ctx, k, rng); err != nil {
		return err
	}
	if err := l.refine(ctx); err != nil {
		return err
	}
	return l.certify(ctx, k, rng)
}

// expand builds the basis until the k largest Ritz values, and with Settings.Rank all
// that matter for the rank, have converged, and sets x to the vectors of those that have.
func (l *lanczos) expand(ctx context.Context, k int, rng *rand.Rand) error {
	cols := min(width, l.d)
	basis := newKrylov(l.count(l.quick), &vectors{d: l.d, workers: l.Workers}, l.random(cols, rng), cols, rng)
	limit := l.MaxVectors
	if limit == 0 {
		limit = 1024 + 8*k
	}
	limit = max(limit, k+width)
	for due := min(l.d, k+width); ; {
		more, err := basis.step(ctx)
		if err != nil {
			return err
		}
		complete := !more || len(basis.h)+width > limit
		if len(basis.h) < due && !complete {
			continue
		}
		due = len(basis.h) + max(width, len(basis.h)/8)
		theta, res, u, err := basis.ritz()
		if err != nil {
			return err
		}
		// Some more than k, so that a bound for the others is clearly below λₖ; with Rank,
		// all that are not clearly below the threshold.
		wanted := min(k+k/2+width, above(theta, .85*theta[min(k, len(theta))-1]))
		if l.Rank {
			wanted = max(wanted, above(theta, .75*float64(l.d)*EpsilonF32*theta[0]))
		}
		found := 0
		errors := ritzErrors(theta, res)
		for found < len(theta) && (errors[found] <= l.Tolerance*max(theta[found], 1e-9*theta[0]) || found >= k && res[found] <= 2e-3*theta[found]) {
			found++
		}
		if l.Progress != nil {
			l.Progress(len(basis.h), min(found, k))
		}
		if found >= wanted && wanted < len(theta) || complete {
			q := min(max(k, min(found, wanted)), len(theta))
			l.x = basis.basis().combine(u.Slice(0, len(theta), 0, q))
			return nil
		}
	}
}

// refine makes x, theta and res those of A itself, in float64.
func (l *lanczos) refine(ctx context.Context) error {
	q := l.x.n
	var product mat.Dense
	if err := l.count(l.exact)(ctx, &product, l.x.toDense()); err != nil {
		return err
	}
	y := fromDense(&product, l.Workers)
	h := mat.NewSymDense(q, nil)
	for b, block := range y.blocks {
		for p, piece := range l.x.transposeMul(block) {
			for i := p * width; i < min(q, (p+1)*width); i++ {
				for j := max(i, b*width); j < min(q, (b+1)*width); j++ {
					h.SetSym(i, j, piece[i%width*width+j%width])
				}
			}
		}
	}
	var u *mat.Dense
	var err error
	if l.theta, u, err = descending(h); err != nil {
		return err
	}
	l.x, y = l.x.combine(u), y.combine(u)
	l.roundOff = 16 * math.Sqrt(float64(l.d)) * EpsilonF64 * math.Abs(l.theta[0])
	for b, block := range y.blocks {
		first := b * width
		cols := min(width, q-first)
		for i := 0; i < len(block); i += width {
			for j := range cols {
				block[i+j] -= l.theta[first+j] * l.x.blocks[b][i+j]
			}
		}
		l.res = append(l.res, columnNorms(block, cols)...)
	}
	floats.AddConst(l.roundOff, l.res)
	if rest := l.rest(); l.theta[q-1] < -1e-9*l.theta[0] || !(rest >= -1e-9*math.Abs(l.trace)) {
		return fmt.Errorf("spectrum: the %d×%d matrix has the trace %g, but eigenvalues down to %g and the sum %g of the largest %d: it must be positive semidefinite and its trace the sum of its eigenvalues", l.d, l.d, l.trace, l.theta[q-1], l.trace-rest, q)
	}
	return nil
}

// rest returns the sum of the eigenvalues of PAP.
func (l *lanczos) rest() float64 { return l.trace - floats.Sum(l.theta) }

// certify bounds the largest eigenvalue β of PAP, P the projector on the complement of
// x: no eigenvalue of A but the q largest exceeds it. Block Lanczos from b Gaussian
// vectors, after m steps, has a Ritz value θ ≥ (1−ε)β except with probability
//
//	(1.648 √n exp(−√ε(2m−1)))ᵇ,
//
// where n is the dimension of the space [kuczynski1992, theorem 4.2]: each vector alone
// has a chance, and the vectors are independent. Some steps with ε ≤ .13 come first, and
// more with ε ≤ .073 where the k largest are not known to the tolerance after these.
func (l *lanczos) certify(ctx context.Context, k int, rng *rand.Rand) error {
	n := l.d - l.x.n
	rest := max(0, l.rest())
	if n == 0 {
		l.finish(0)
		return nil
	}
	cols := min(width, n)
	z := l.random(cols, rng)
	// One exact product with the Gaussian block serves twice: for ‖PAP‖²_F, the mean of
	// ‖PAPz‖² (Az differs from APz by AXXᵀz, of which the residuals alone are left), and
	// for the error e of the quick product.
	exact := newBlock(l.d)
	if err := l.count(l.exact)(ctx, exact.dense(l.d, cols), z.dense(l.d, cols)); err != nil {
		return err
	}
	e := l.roundOff
	if l.twoPrecisions {
		quick := newBlock(l.d)
		if err := l.count(l.quick)(ctx, quick.dense(l.d, cols), z.dense(l.d, cols)); err != nil {
			return err
		}
		floats.Sub(quick, exact)
		e += normBound(quick, cols, l.Failure/2)
	}
	l.x.project(exact)
	l.squares = floats.Dot(exact, exact) / float64(cols)

	exponent := math.Log(1.648*math.Sqrt(float64(n))) - math.Log(l.Failure/4)/float64(cols)
	space := newKrylov(l.count(l.quick), l.x, z, cols, rng)
	steps, complete := 0, false
	for _, root := range []float64{.36, .27} { // √ε
		for due := int(math.Ceil((exponent/root + 1) / 2)); steps < due && !complete; steps++ {
			more, err := space.step(ctx)
			if err != nil {
				return err
			}
			complete = !more
		}
		theta, residual, err := eigenvalues(space.compressed(), l.Workers, true)
		if err != nil {
			return err
		}
		beta := max(0, theta[len(theta)-1]) + residual + e
		if !complete {
			root := exponent / float64(2*steps-1)
			beta /= 1 - root*root
		}
		l.finish(min(beta+e, rest+l.roundOff))
		if complete || l.known(k) {
			break
		}
	}
	return nil
}

// finish sets the bounds that follow from beta.
func (l *lanczos) finish(beta float64) {
	l.beta = beta
	l.errors = upperBounds(l.theta, l.res, beta)
	floats.Sub(l.errors, l.theta)
	floats.AddConst(l.roundOff, l.errors)
}

// known reports whether the k largest are known to the tolerance.
func (l *lanczos) known(k int) bool {
	for i, t := range l.theta[:k] {
		if l.errors[i] > l.Tolerance*t {
			return false
		}
	}
	return true
}

// spectrum returns what is known.
func (l *lanczos) spectrum(zeros int, start time.Time) *Spectrum {
	q := l.x.n
	s := &Spectrum{Method: Lanczos, Dim: l.d, Values: slices.Clone(l.theta), Residuals: slices.Clone(l.res), Errors: slices.Clone(l.errors), RestMax: l.beta, Failure: l.Failure, Products: l.products}
	s.Zeros = min(zeros, l.d-q)
	s.Rest = l.d - q - s.Zeros
	if s.Rest == 0 {
		s.RestMax = 0
	}
	s.Residual = floats.Max(s.Errors)
	slices.Reverse(s.Values)
	slices.Reverse(s.Residuals)
	slices.Reverse(s.Errors)

	// With A in the basis (X, complement): ‖A‖²_F = Σθ² + 2‖R‖²_F + ‖PAP‖²_F.
	rest := max(0, l.rest())
	squares := floats.Dot(l.theta, l.theta)
	low, high := squares, squares+2*floats.Dot(l.res, l.res)+rest*min(rest, l.beta)
	if n := min(l.d-q, l.rank); n > 0 {
		low += rest * rest / float64(n)
	}
	s.complete(l.trace, math.Sqrt(min(max(squares+l.squares, low), high)), start)
	_, s.StdLower = Moments(l.trace, math.Sqrt(low), l.d)
	_, s.StdUpper = Moments(l.trace, math.Sqrt(high), l.d)
	return s
}

// upperBounds returns an upper bound for each of the q largest eigenvalues of A, from
// the Rayleigh quotients θ (descending) of orthonormal vectors X, the norms of their
// residuals, and an upper bound β for A on the complement of X. By Cauchy, λᵢ ≥ θᵢ.
//
// With R = AX−Xθ, the number of eigenvalues above any t > β is at most the number of
// θᵢ + ‖R‖²/(t−β) above t (inertia of the Schur complement of A−t): hence a bound like
// that of [li2005] for λᵢ, quadratic in the residuals. The leading j vectors alone, with
// the bound for the rest that follows in the same way, may do better than all.
func upperBounds(theta, res []float64, beta float64) []float64 {
	q := len(theta)
	squares := make([]float64, q+1)
	for i, r := range res {
		squares[i+1] = squares[i] + r*r
	}
	upper := make([]float64, q)
	for i := range upper {
		upper[i] = math.Inf(1)
	}
	for j := 1; j <= q; j++ {
		b := beta
		if j < q {
			b = coupled(theta[j], beta, squares[q]-squares[j])
		}
		for i := range j {
			upper[i] = min(upper[i], coupled(theta[i], b, squares[j]))
		}
	}
	return upper
}

// coupled returns the larger eigenvalue of (a c; c b) for c² = square.
func coupled(a, b, square float64) float64 {
	if square <= 0 {
		return max(a, b)
	}
	half := math.Abs(a-b) / 2
	return max(a, b) + square/(half+math.Sqrt(half*half+square))
}

// ritzErrors estimates the errors of Ritz values (descending) from their residuals, as
// upperBounds does but taking each value, plus its residual, for the bound of those
// behind it.
func ritzErrors(theta, res []float64) []float64 {
	errors := slices.Clone(res)
	var squares float64
	for j := 1; j < len(theta); j++ {
		squares += res[j-1] * res[j-1]
		for i := range j {
			if b := theta[j] + res[j]; b < theta[i] {
				errors[i] = min(errors[i], coupled(theta[i], b, squares)-theta[i])
			}
		}
	}
	return errors
}

// normBound returns an upper bound of ‖E‖₂ from the products of E with cols Gaussian
// vectors; it is too small with a probability below failure. Each ‖Ez‖² is at least
// ‖E‖² times the square of a standard normal number.
func normBound(products []float64, cols int, failure float64) float64 {
	return floats.Norm(products, 2) / math.Sqrt(distuv.ChiSquared{K: float64(cols)}.Quantile(failure))
}

// count returns a with the vectors counted.
func (l *lanczos) count(a times) times {
	return func(ctx context.Context, dst, v *mat.Dense) error {
		_, m := v.Dims()
		l.products += m
		return a(ctx, dst, v)
	}
}

// random returns a block with Gaussian columns.
func (l *lanczos) random(cols int, rng *rand.Rand) block {
	b := make(block, tall.RoundUp(l.d, tall.Rows)*width)
	for i := range l.d {
		for j := range cols {
			b[i*width+j] = rng.NormFloat64()
		}
	}
	return b
}

// above returns the number of values above the limit.
func above(values []float64, limit float64) int {
	n := 0
	for _, v := range values {
		if v > limit {
			n++
		}
	}
	return n
}
