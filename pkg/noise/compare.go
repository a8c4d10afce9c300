package noise

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/tall"
)

// Cosine returns the cosine of the angle between the matrices of two points,
//
//	tr(D₁D₂)/(‖D₁‖_F ‖D₂‖_F),
//
// between 0 and 1, and 1 only if one is a multiple of the other. It sees what equal
// spectra hide: whether the eigenvectors are the same. If they have nothing to do with
// each other it is about tr D₁·tr D₂/(d·‖D₁‖_F‖D₂‖_F), which for equal spectra is the
// participation ratio over d (erratum E20 of [chaudhari2018], Remark 13).
//
// It is exact, from whichever is least work and memory: the cross Gram matrix of the
// gradients, ‖A₁A₂ᵀ‖²_F block by block, if 2N < d; the two matrices themselves if they
// fit 4 GiB; otherwise their columns, a strip at a time.
//
// NOTE: With fewer samples than directions the cosine of two independent samples at the
// same point is below 1, and that of the same samples at two points is biased upwards.
//
// It panics if the two have different dimensions. It returns an error if one of the
// matrices is zero, and where the methods of a and b do. Cost O(N²·d), O(N·d²) or four
// times that.
func Cosine(ctx context.Context, a, b *Covariance) (float64, error) {
	checkLen("a gradient of b", b.dim, a.dim)
	if a.trace == 0 || b.trace == 0 {
		return math.NaN(), fmt.Errorf("noise: a covariance with the trace %v has no direction: its gradients are all equal, check the weights and the data", min(a.trace, b.trace))
	}
	inner, normA, normB, err := innerProducts(a, b)(ctx, a, b)
	if err != nil {
		return math.NaN(), err
	}
	return inner / (normA * normB), nil
}

// comparison returns tr(D₁D₂), ‖D₁‖_F and ‖D₂‖_F.
type comparison func(ctx context.Context, a, b *Covariance) (inner, normA, normB float64, err error)

// innerProducts chooses the least work.
func innerProducts(a, b *Covariance) comparison {
	const most = 4 << 30
	switch d := int64(a.dim); {
	case a.dim > 2*max(a.Samples(), b.Samples()):
		return crossGram
	case 16*d*d <= most:
		return denseInner
	}
	return stripInner
}

func crossGram(ctx context.Context, a, b *Covariance) (inner, normA, normB float64, err error) {
	if normA, err = a.FrobeniusNorm(ctx); err != nil {
		return 0, 0, 0, err
	}
	if normB, err = b.FrobeniusNorm(ctx); err != nil {
		return 0, 0, 0, err
	}
	const many = 512 // rows of a at a time
	err = a.chunks(ctx, func(part chunk) error {
		for start := 0; start < part.n; start += many {
			rows := mat.NewDense(min(many, part.n-start), a.dim, nil)
			for i := range rows.RawMatrix().Rows {
				a.centreTo(rows.RawRowView(i), part, start+i, 0, a.dim)
			}
			v := mat.DenseCopyOf(rows.T())
			p := newProduct(b, v.RawMatrix().Cols, tall.Cols64, tall.Inner64, tall.Outer64)
			vec := p.pad(v)
			err := b.blocks(ctx, func(part chunk, start, rows int) {
				p.timesVec(part, start, rows, vec)
				w := p.w[:rows*p.lm]
				inner += floats.Dot(w, w)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return inner / (float64(a.Samples()) * float64(b.Samples())), normA, normB, err
}

func denseInner(ctx context.Context, a, b *Covariance) (inner, normA, normB float64, err error) {
	var first, second mat.SymDense
	if err := a.DenseTo(ctx, &first); err != nil {
		return 0, 0, 0, err
	}
	if err := b.DenseTo(ctx, &second); err != nil {
		return 0, 0, 0, err
	}
	for i := range a.dim {
		x, y := first.RawSymmetric().Data[i*a.dim:(i+1)*a.dim], second.RawSymmetric().Data[i*a.dim:(i+1)*a.dim]
		inner += x[i]*y[i] + 2*floats.Dot(x[i+1:], y[i+1:])
	}
	return inner, mat.Norm(&first, 2), mat.Norm(&second, 2), nil
}

func stripInner(ctx context.Context, a, b *Covariance) (inner, normA, normB float64, err error) {
	width := int(max(1, min(int64(a.dim), chunkBytes/(8*int64(a.dim)))))
	for lo := 0; lo < a.dim; lo += width {
		columns := mat.NewDense(a.dim, min(width, a.dim-lo), nil) // of the unit matrix
		for j := range columns.RawMatrix().Cols {
			columns.Set(lo+j, j, 1)
		}
		var first, second mat.Dense
		if err := a.QuickMulTo(ctx, &first, columns); err != nil {
			return 0, 0, 0, err
		}
		if err := b.QuickMulTo(ctx, &second, columns); err != nil {
			return 0, 0, 0, err
		}
		x, y := first.RawMatrix().Data, second.RawMatrix().Data
		inner += floats.Dot(x, y)
		normA += floats.Dot(x, x)
		normB += floats.Dot(y, y)
	}
	return inner, math.Sqrt(normA), math.Sqrt(normB), nil
}

// SecondMomentTo stores the uncentred (1/N) Σₖ gₖgₖᵀ = D + ggᵀ (d×d) in dst, often
// called the empirical Fisher matrix; an empty dst is made d×d. See
// [Covariance.DenseTo], which it is otherwise like.
func (c *Covariance) SecondMomentTo(ctx context.Context, dst *mat.SymDense) error {
	if err := c.DenseTo(ctx, dst); err != nil {
		return err
	}
	dst.SymRankOne(dst, 1, mat.NewVecDense(c.dim, c.mean))
	return nil
}

// UnbiasedMoments are moments of the spectrum of the population's D, estimated without
// bias from N independent samples by way of differences of pairs.
type UnbiasedMoments struct {
	Pairs        int     `json:"pairs"`         // M = ⌊N/2⌋
	Trace        float64 `json:"trace"`         // of D
	TraceSquared float64 `json:"trace_squared"` // (tr D)²
	SquaredNorm  float64 `json:"squared_norm"`  // tr D² = ‖D‖²_F

	// Mean and Std are those of the d eigenvalues, tr D/d and √(tr D²/d − (tr D/d)²), and
	// ParticipationRatio is (tr D)²/tr D². Functions of unbiased numbers are not quite
	// unbiased, but without the bias 1/PR(N) ≈ 1/PR + 1/N of the sample's D.
	Mean               float64 `json:"mean"`
	Std                float64 `json:"std"`
	ParticipationRatio float64 `json:"participation_ratio"`
}

// UnbiasedMoments estimates moments of the spectrum of the D of the population that the
// samples were drawn from. With y = (g₂ₘ₋₁−g₂ₘ)/√2 of disjoint pairs, which all have the
// mean 0 and the covariance D,
//
//	tr D² ≈ mean of (yₘ·yₘ′)²,   (tr D)² ≈ mean of ‖yₘ‖²‖yₘ′‖²     over m ≠ m′.
//
// The samples must be independent in their order: neighbours are made pairs, and an odd
// last one is left out. It returns an error if there are fewer than four, or if all
// differences vanish, and where [Covariance.FrobeniusNorm] does, of which it costs about
// a quarter or a half.
func (c *Covariance) UnbiasedMoments(ctx context.Context) (UnbiasedMoments, error) {
	m := c.Samples() / 2
	if m < 2 {
		return UnbiasedMoments{}, fmt.Errorf("noise: unbiased moments need two pairs of samples: got %d samples, take at least 4", c.Samples())
	}
	pairs := &Covariance{
		sum: differences{c}, dim: c.dim, dtype: c.dtype, store: Recompute, maxBytes: c.maxBytes, precise: c.precise, workers: c.workers, closed: c.closed,
		index: make([]int, m), mean: make([]float64, c.dim), x: c.x,
	}
	for k := range pairs.index {
		pairs.index[k] = k
	}
	var sum, squares float64 // of ‖y‖² and of ‖y‖⁴
	row := make([]float64, c.dim)
	err := pairs.chunks(ctx, func(part chunk) error {
		for i := range part.n {
			pairs.centreTo(row, part, i, 0, c.dim)
			square := floats.Dot(row, row)
			sum += square
			squares += square * square
		}
		return nil
	})
	if err != nil {
		return UnbiasedMoments{}, err
	}
	if sum == 0 {
		return UnbiasedMoments{}, fmt.Errorf("noise: all %d differences of gradients are zero: check the weights and the data", m)
	}
	norm, err := pairs.FrobeniusNorm(ctx) // of YᵀY/M
	if err != nil {
		return UnbiasedMoments{}, err
	}
	d, n := float64(c.dim), float64(m)
	u := UnbiasedMoments{Pairs: m, Trace: sum / n}
	u.SquaredNorm = (n*norm*n*norm - squares) / (n * (n - 1))
	u.TraceSquared = (sum*sum - squares) / (n * (n - 1))
	u.Mean = u.Trace / d
	u.Std = math.Sqrt(max(0, u.SquaredNorm/d-u.Mean*u.Mean))
	u.ParticipationRatio = u.TraceSquared / u.SquaredNorm
	return u, nil
}
