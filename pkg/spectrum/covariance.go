package spectrum

import (
	"context"
	"math"
	"math/rand/v2"
	"sort"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"

	"sgdlab/pkg/noise"
)

// Settings are the choices of [Of]. The zero value, and nil, is the default.
type Settings struct {
	// Workers is the number of goroutines; 0 means GOMAXPROCS.
	Workers int
	// Seed is that of the random vectors with which the error of the matrix is measured;
	// the eigenvalues do not depend on it.
	Seed uint64
}

// probes is the number of random vectors in measure, missed the probability that the
// bound is too small.
const (
	probes = 16
	missed = 1e-6
)

// Of returns the spectrum of the diffusion matrix D of cov: all d eigenvalues, from the
// Gram matrix if N < d and from D itself otherwise. With N ≤ d gradients, d−N+1
// eigenvalues are structurally zero; they are counted in Zeros.
//
// The error that the formation of the matrix adds to an eigenvalue is at most its
// spectral norm, and that is measured: 16 Gaussian vectors z are multiplied with the
// matrix and, matrix free in float64, with D; the bound √(Σ‖error·z‖²/q), with q the
// 10⁻⁶ quantile of χ² with 16 degrees of freedom, is too small with a probability below
// 10⁻⁶. It is part of Residual and decides how many eigenvalues RankF32 and RankF64
// leave open.
//
// Cost O(N·d·min(N, d)) for the matrix, O(min(N, d)³) for the eigenvalues, and
// 8·min(N, d)² bytes. It returns an error where the methods of cov do.
func Of(ctx context.Context, cov *noise.Covariance, s *Settings) (*Spectrum, error) {
	start := time.Now()
	if s == nil {
		s = new(Settings)
	}
	d, n := cov.Dim(), cov.Samples()
	result := &Spectrum{Method: "dense", DType: cov.Products().String(), Dim: d, Samples: n}
	form, times := cov.DenseTo, cov.MulTo
	if n < d {
		result.Method = "Gram"
		form, times = cov.GramTo, cov.GramMulTo
	}
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

// measure returns an upper bound of ‖A−B‖₂ for the matrix A and the operator B.
func measure(ctx context.Context, a *mat.SymDense, times func(ctx context.Context, dst, v *mat.Dense) error, seed uint64) (float64, error) {
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
	if err := times(ctx, &bz, z); err != nil {
		return 0, err
	}
	az.Mul(a, z)
	az.Sub(&az, &bz)
	q := distuv.ChiSquared{K: probes}.Quantile(missed)
	return mat.Norm(&az, 2) / math.Sqrt(q), nil
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
