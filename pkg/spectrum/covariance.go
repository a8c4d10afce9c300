package spectrum

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sort"
	"time"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/noise"
)

// Method is a way to find eigenvalues.
type Method string

const (
	// Automatic is [Gram] if there are fewer gradients than weights and [Dense] otherwise;
	// but [Lanczos] if Settings.Top asks for k eigenvalues and min(N, d) > 5000 + 25k,
	// where it is the fastest by far.
	Automatic Method = ""
	// Dense forms the d×d matrix and finds all its eigenvalues.
	Dense Method = "dense"
	// Gram forms the N×N matrix with the same eigenvalues but for zeros.
	Gram Method = "Gram"
	// Lanczos forms no matrix and finds the largest eigenvalues: [Top].
	Lanczos Method = "Lanczos"
)

// Settings are the choices of [Of] and [Top]. The zero value, and nil, is the default.
type Settings struct {
	// Workers is the number of goroutines; 0 means GOMAXPROCS. Results do not depend
	// on it.
	Workers int
	// Seed is that of the random vectors with which the error of a matrix is measured,
	// and with which Lanczos starts.
	Seed uint64
	// Top is the number of largest eigenvalues wanted; 0 means all. Dense and Gram find
	// all anyway.
	Top int
	// Method is the way to go.
	Method Method
	// Rank tells Lanczos to go on until the float32 rank can be decided, or until
	// MaxVectors. Dense and Gram decide it anyway, as far as the precision allows.
	Rank bool
	// Tolerance is the error, relative to each of the Top eigenvalues, at which Lanczos
	// stops; 0 means 10⁻⁶. The errors of the result are bounded in any case.
	Tolerance float64
	// Failure is the probability with which the bounds that Lanczos gives may fail; 0
	// means 10⁻¹².
	Failure float64
	// MaxVectors limits the basis of Lanczos; 0 means 1024 + 8·Top. At the limit it
	// returns what it has, with errors above Tolerance.
	MaxVectors int
	// Progress, if not nil, is called as the basis of Lanczos grows, with the number of
	// its vectors and of the eigenvalues that have converged.
	Progress func(vectors, found int)
}

// orDefault returns a copy of s with the defaults filled in.
func (s *Settings) orDefault() *Settings {
	var filled Settings
	if s != nil {
		filled = *s
	}
	if filled.Workers == 0 {
		filled.Workers = runtime.GOMAXPROCS(0)
	}
	if filled.Tolerance == 0 {
		filled.Tolerance = defaultTolerance
	}
	if filled.Failure == 0 {
		filled.Failure = defaultFailure
	}
	if !(filled.Tolerance > 0) || !(0 < filled.Failure && filled.Failure < 1) {
		panic(fmt.Sprintf("spectrum: tolerance %v and probability of failure %v must be positive, and the latter below 1", filled.Tolerance, filled.Failure))
	}
	return &filled
}

// probes is the number of random vectors in measure, missed the probability that the
// bound is too small.
const (
	probes = 16
	missed = 1e-6
)

// Of returns the spectrum of the diffusion matrix D of cov by the method of s: all d
// eigenvalues, or the largest with bounds for the others.
//
//	D, err := noise.NewCovariance(ctx, problem.T1(), []float64{1, 1}, nil)
//	s, err := spectrum.Of(ctx, D, nil)
//	fmt.Println(s.Values) // ascending
//
// # All eigenvalues
//
// With N ≤ d gradients, d−N+1 eigenvalues are structurally zero; they are counted in
// Zeros.
//
// The error that the formation of the matrix adds to an eigenvalue is at most its
// spectral norm, and that is measured: 16 Gaussian vectors z are multiplied with the
// matrix and, matrix free in float64, with D; the bound √(Σ‖error·z‖²/q), with q the
// 10⁻⁶ quantile of χ² with 16 degrees of freedom, is too small with a probability below
// 10⁻⁶. It is part of Residual and decides how many eigenvalues RankF32 and RankF64
// leave open.
//
// Cost O(N·d·min(N, d)) for the matrix, O(min(N, d)³) for the eigenvalues, and
// 8·min(N, d)² bytes.
//
// # The largest eigenvalues
//
// Block Lanczos [golub1977] with blocks of 32 and full reorthogonalisation, in the
// precision of [noise.Covariance.Products], then one Rayleigh–Ritz step in float64, then
// certificates for all that was not computed:
//
//   - The mean is exact, from the trace.
//   - RestMax bounds every other eigenvalue, from a second block Lanczos run with a
//     fresh Gaussian block on the complement of the vectors found. It fails with the
//     probability Failure, by the bound of Kuczyński and Woźniakowski [kuczynski1992]
//     for exact arithmetic. The error of float32 products is measured as above.
//   - Errors bounds the error of each value: residuals enter by their squares over the
//     distance to RestMax [li2005].
//   - RankF32 and RankF64 follow from these, and StdLower and StdUpper from
//     Σθ² + rest²/(d−q) ≤ tr D² ≤ Σθ² + 2‖R‖² + rest·RestMax with q values θ, residuals
//     R and rest = tr D − Σθ. Std itself estimates the part of the rest from ‖Dz‖² of 32
//     Gaussian vectors z.
//
// Cost: see [Top].
//
// It returns an error if there is only one sample or all gradients are equal, so that D
// is zero; if Settings.Top exceeds d; and where the methods of cov do.
func Of(ctx context.Context, cov *noise.Covariance, s *Settings) (*Spectrum, error) {
	start := time.Now()
	s = s.orDefault()
	if err := checkCovariance(cov); err != nil {
		return nil, err
	}
	if s.Top != 0 {
		if err := checkTop(s.Top, cov.Dim()); err != nil {
			return nil, err
		}
	}
	d, n := cov.Dim(), cov.Samples()
	method := s.Method
	if method == Automatic {
		method = automatic(n, d, s.Top)
	}
	form, times := cov.DenseTo, cov.MulTo
	switch method {
	case Dense:
	case Gram:
		form, times = cov.GramTo, cov.GramMulTo
	case Lanczos:
		if s.Top == 0 {
			return nil, fmt.Errorf("spectrum: Lanczos does not find all %d eigenvalues: set Top to the number wanted, or choose another method", d)
		}
		return Top(ctx, cov, s.Top, s)
	default:
		return nil, fmt.Errorf("spectrum: unknown method %q: choose one of %q, %q and %q", method, Dense, Gram, Lanczos)
	}
	result := &Spectrum{Method: method, DType: cov.Products().String(), Dim: d, Samples: n}
	var a mat.SymDense
	if err := form(ctx, &a); err != nil {
		return nil, err
	}
	if err := checkFinite(&a); err != nil {
		return nil, err
	}
	matrixError, err := measure(ctx, &a, times, s.Seed)
	if err != nil {
		return nil, err
	}
	frobenius := mat.Norm(&a, 2)
	if result.Values, result.Residual, err = eigenvalues(&a, s.Workers, true); err != nil {
		return nil, err
	}
	result.Residual += matrixError
	result.Zeros = max(0, d-n+1)
	result.Values = dropSmallest(result.Values, len(result.Values)-(d-result.Zeros))
	result.complete(cov.Trace(), frobenius, start)
	return result, nil
}

// automatic returns the method for the top eigenvalues, 0 for all.
func automatic(n, d, top int) Method {
	if top > 0 && min(n, d) > 5000+25*top {
		return Lanczos
	}
	if n < d {
		return Gram
	}
	return Dense
}

// checkCovariance refuses a D that is zero.
func checkCovariance(cov *noise.Covariance) error {
	if cov.Samples() == 1 {
		return errors.New("spectrum: the covariance of one gradient is zero: take at least two samples")
	}
	if cov.Trace() == 0 {
		return fmt.Errorf("spectrum: all %d gradients are equal, so that their covariance is zero and has no spectrum: check the weights and the data", cov.Samples())
	}
	return nil
}

// measure returns an upper bound of ‖A−B‖₂ for the matrix A and the operator B.
func measure(ctx context.Context, a *mat.SymDense, b times, seed uint64) (float64, error) {
	m := a.SymmetricDim()
	z := mat.NewDense(m, probes, nil)
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range m {
		row := z.RawRowView(i)
		for j := range row {
			row[j] = rng.NormFloat64()
		}
	}
	var az, bz mat.Dense
	if err := b(ctx, &bz, z); err != nil {
		return 0, err
	}
	az.Mul(a, z)
	az.Sub(&az, &bz)
	return normBound(az.RawMatrix().Data, probes, missed), nil
}

// dropSmallest returns the ascending values without the count smallest in absolute
// value: structural zeros, as computed.
func dropSmallest(values []float64, count int) []float64 {
	for range count {
		i := sort.Search(len(values), func(i int) bool { return values[i] >= 0 })
		if i == len(values) || i > 0 && -values[i-1] < values[i] {
			i--
		}
		values = append(values[:i], values[i+1:]...)
	}
	return values
}
