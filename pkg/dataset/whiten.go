package dataset

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/syrk"
)

// References:
//
//	[hale2008]  Hale, Higham, Trefethen. Computing A^α, log(A), and related matrix functions
//	            by contour integrals. SIAM J. Numer. Anal. 46, 2008.

// Whitening is the ZCA filter of a set of images of p values each: with the mean μ
// and the covariance C = (1/N) Σ (x−μ)(x−μ)ᵀ of the set it is fitted to,
//
//	x ↦ W (x−μ),   W = V diag((λᵢ+ε)^(−1/2)) Vᵀ,   C = V diag(λ) Vᵀ.
//
// The whitened set has mean zero and, for ε = 0, covariance I; of all such filters
// the symmetric one changes the images least.
type Whitening struct {
	Mean   []float32 // μ (p)
	Filter []float32 // W, p×p row-major, symmetric
	Bias   float64   // ε
}

// WhiteningSettings are the choices for a whitening; nil or the zero value is the
// default.
type WhiteningSettings struct {
	// Bias is the ε added to the eigenvalues of the covariance; 0 means 0.1, the
	// custom for images of norm [ContrastNorm].
	Bias float64
}

const (
	defaultWhiteningBias = 0.1
	whitenRows           = 1024 // images at a time
)

// FitWhitening fits the filter to im, which should be the training set: for CIFAR
// the contrast-normalised one. Apply the same filter to the test set.
//
// Everything is computed in float64, W to a relative 10⁻⁹ before it is rounded to
// float32; the cost is O(N·p²) + O(p³·log(trace(C)/ε)), a minute or two on two cores
// for the 50,000 images of CIFAR with p = 3,072, so keep the result. It returns an
// error if a pixel is NaN or infinite, if ctx is cancelled, or if ε is too small for
// the covariance to be inverted. It panics if im is empty or the bias negative.
func FitWhitening(ctx context.Context, im *Images, s *WhiteningSettings) (*Whitening, error) {
	bias := defaultWhiteningBias
	if s != nil && s.Bias != 0 {
		bias = s.Bias
	}
	if !(bias > 0) || im.N == 0 {
		panic(fmt.Sprintf("dataset: whitening %d images with bias %g, want at least one and a positive bias", im.N, bias))
	}
	mean, err := im.mean()
	if err != nil {
		return nil, err
	}
	cov, err := im.covariance(ctx, mean)
	if err != nil {
		return nil, err
	}
	filter, err := inverseSqrt(ctx, cov, bias)
	if err != nil {
		return nil, err
	}
	p := im.ImageSize()
	w := &Whitening{Bias: bias, Mean: make([]float32, p), Filter: make([]float32, p*p)}
	for i := range p {
		w.Mean[i] = float32(mean[i])
		for j := range p {
			w.Filter[i*p+j] = float32(filter.At(i, j))
		}
	}
	return w, nil
}

// mean returns the mean image. It is where NaN and infinities are found.
func (im *Images) mean() ([]float64, error) {
	mean := make([]float64, im.ImageSize())
	for i := range im.N {
		for k, v := range im.Image(i) {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return nil, fmt.Errorf("dataset: image %d of %s has the pixel %g: mend or leave out the image", i, im.Name, v)
			}
			mean[k] += float64(v)
		}
	}
	for k := range mean {
		mean[k] /= float64(im.N)
	}
	return mean, nil
}

// covariance returns (1/N) Σ (x−μ)(x−μ)ᵀ.
func (im *Images) covariance(ctx context.Context, mean []float64) (*mat.SymDense, error) {
	p := len(mean)
	sum := make([]float64, p*p) // its lower triangle
	block := make([]float64, whitenRows*p)
	for start := 0; start < im.N; start += whitenRows {
		if err := context.Cause(ctx); err != nil {
			return nil, fmt.Errorf("dataset: fitting a whitening: %w", err)
		}
		rows := min(whitenRows, im.N-start)
		for i := range rows {
			for k, v := range im.Image(start + i) {
				block[i*p+k] = float64(v) - mean[k]
			}
		}
		syrk.Lower64(sum, block[:rows*p], rows, p, 0)
	}
	cov := mat.NewSymDense(p, nil)
	for i := range p {
		for j := range i + 1 {
			cov.SetSym(i, j, sum[i*p+j]/float64(im.N))
		}
	}
	return cov, nil
}

// inverseSqrt returns A^(−½) for A = C + εI, C positive semidefinite. Eigenvectors
// would take several times as long. With the bounds m = ε, M = ε + trace C of the
// eigenvalues, the substitution t = √m·sc(u) in
//
//	A^(−½) = (2/π) ∫₀^∞ (t²+A)⁻¹ dt = (2√m/π) ∫₀ᴷ dn(u) (m·sn²(u) + cn²(u)·A)⁻¹ du
//
// (Jacobi's functions and quarter period K of modulus √(1−m/M)) makes the integrand
// smooth and periodic, so that the midpoint rule with n points errs by the factor
// exp(−2πnK*/K), K* the period of modulus √(m/M). [hale2008] §4.
func inverseSqrt(ctx context.Context, c *mat.SymDense, bias float64) (*mat.SymDense, error) {
	const accuracy = 1e-9
	p := c.SymmetricDim()
	ratio := bias / (bias + mat.Trace(c)) // m/M
	period, dual := quarterPeriod(ratio), quarterPeriod(1-ratio)
	n := int(math.Ceil(math.Log(1/accuracy) * period / (2 * math.Pi * dual)))
	root := mat.NewSymDense(p, nil)
	shifted := mat.NewSymDense(p, nil)
	var inverse mat.SymDense
	var chol mat.Cholesky
	for j := range n {
		if err := context.Cause(ctx); err != nil {
			return nil, fmt.Errorf("dataset: fitting a whitening: %w", err)
		}
		phi := amplitude((float64(j)+0.5)*period/float64(n), ratio)
		sn, cn := math.Sincos(phi)
		dn := math.Sqrt(1 - (1-ratio)*sn*sn)
		shifted.ScaleSym(cn*cn, c) // cn²(C+ε) + ε·sn² = cn²C + ε
		for i := range p {
			shifted.SetSym(i, i, shifted.At(i, i)+bias)
		}
		if !chol.Factorize(shifted) {
			return nil, fmt.Errorf("dataset: fitting a whitening: a bias of %g is lost in rounding beside the variance %g: choose a larger one", bias, mat.Trace(c))
		}
		if err := chol.InverseTo(&inverse); err != nil {
			return nil, fmt.Errorf("dataset: fitting a whitening: %w: choose a larger bias than %g", err, bias)
		}
		inverse.ScaleSym(2*math.Sqrt(bias)*period/(math.Pi*float64(n))*dn, &inverse)
		root.AddSym(root, &inverse)
	}
	return root, nil
}

// quarterPeriod returns Jacobi's K of the modulus √(1−q), by the arithmetic-geometric
// mean.
func quarterPeriod(q float64) float64 {
	a, b := 1.0, math.Sqrt(q)
	for range 8 { // the number of right digits doubles each time, after a few for small q
		a, b = (a+b)/2, math.Sqrt(a*b)
	}
	return math.Pi / 2 / a
}

// amplitude returns Jacobi's am(u) of the modulus √(1−q), by descending Landen
// transformations.
func amplitude(u, q float64) float64 {
	a, b := 1.0, math.Sqrt(q)
	var ratios [8]float64
	for i := range ratios {
		c := (a - b) / 2
		a, b = (a+b)/2, math.Sqrt(a*b)
		ratios[i] = c / a
	}
	phi := math.Ldexp(a*u, len(ratios))
	for i := len(ratios) - 1; i >= 0; i-- {
		phi = (phi + math.Asin(ratios[i]*math.Sin(phi))) / 2
	}
	return phi
}

// Apply returns the whitened images W (x−μ), computed in float32, in O(N·p²). It
// returns an error only if ctx is cancelled, and panics if the images have another
// size than those that w was fitted to.
//
//	w, err := dataset.FitWhitening(ctx, train, nil)
//	white, err := w.Apply(ctx, test)
func (w *Whitening) Apply(ctx context.Context, im *Images) (*Images, error) {
	p := im.ImageSize()
	if p != len(w.Mean) || p*p != len(w.Filter) {
		panic(fmt.Sprintf("dataset: dimension mismatch: images of %d values, the whitening was fitted to %d", p, len(w.Mean)))
	}
	out := *im
	out.Name = im.Name + ", whitened"
	out.Pixels = make([]float32, len(im.Pixels))
	out.Labels = slices.Clone(im.Labels)
	filter := blas32.General{Rows: p, Cols: p, Stride: p, Data: w.Filter}
	block := make([]float32, whitenRows*p)
	for start := 0; start < im.N; start += whitenRows {
		if err := context.Cause(ctx); err != nil {
			return nil, fmt.Errorf("dataset: whitening: %w", err)
		}
		rows := min(whitenRows, im.N-start)
		for i := range rows {
			for k, v := range im.Image(start + i) {
				block[i*p+k] = v - w.Mean[k]
			}
		}
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, // W is symmetric
			blas32.General{Rows: rows, Cols: p, Stride: p, Data: block}, filter,
			0, blas32.General{Rows: rows, Cols: p, Stride: p, Data: out.Pixels[start*p:]})
	}
	return &out, nil
}
