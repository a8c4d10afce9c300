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

// Whitening is the ZCA filter of a set of images of p values each: with the mean μ
// and the covariance C = (1/N) Σ (x−μ)(x−μ)ᵀ of the set it is fitted to,
//
//	x ↦ W (x−μ),   W = V diag((λᵢ+ε)^(−1/2)) Vᵀ,   C = V diag(λ) Vᵀ.
//
// The whitened set has mean zero and, for ε = 0, covariance I; of all such filters
// the symmetric one changes the images least.
type Whitening struct {
	Mean   []float32 // μ, p
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
// The covariance and its eigenvectors are computed in float64; the cost is O(N·p²)
// and O(p³), a few minutes for the 50,000 images of CIFAR with p = 3,072, so keep
// the result. It returns an error if a pixel is NaN or infinite, if ctx is
// cancelled, or if the eigenvalues cannot be found. It panics if im is empty or the
// bias negative.
func FitWhitening(ctx context.Context, im *Images, s *WhiteningSettings) (*Whitening, error) {
	bias := defaultWhiteningBias
	if s != nil && s.Bias != 0 {
		bias = s.Bias
	}
	if bias < 0 || im.N == 0 {
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
	var eig mat.EigenSym
	if !eig.Factorize(cov, true) {
		return nil, fmt.Errorf("dataset: the eigenvalues of the covariance of %s did not converge: look for images out of range", im.Name)
	}
	p := im.ImageSize()
	// W = BᵀB with B = diag((λ+ε)^(−1/4)) Vᵀ. A λ below zero is rounding.
	var v mat.Dense
	eig.VectorsTo(&v)
	b := make([]float64, p*p)
	for i, lambda := range eig.Values(nil) {
		scale := math.Pow(max(lambda, 0)+bias, -0.25)
		for k := range p {
			b[i*p+k] = scale * v.At(k, i)
		}
	}
	filter := make([]float64, p*p)
	syrk.Lower64(filter, b, p, p, 0)
	w := &Whitening{Bias: bias, Mean: make([]float32, p), Filter: make([]float32, p*p)}
	for i := range p {
		w.Mean[i] = float32(mean[i])
		for j := range i + 1 {
			w.Filter[i*p+j] = float32(filter[i*p+j])
			w.Filter[j*p+i] = w.Filter[i*p+j]
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

// Apply returns the whitened images W (x−μ), computed in float32, in O(N·p²). It
// returns an error only if ctx is cancelled, and panics if the images have another
// size than those that w was fitted to.
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
