package noise

import (
	"fmt"

	"gonum.org/v1/gonum/mat"
)

// DiffusionTo stores the diffusion matrix of [chaudhari2018] eq. (2),
//
//	D = (1/N) Σₖ gₖgₖᵀ − ggᵀ = (1/N) Σₖ (gₖ−g)(gₖ−g)ᵀ,   g = (1/N) Σₖ gₖ,
//
// in dst. The rows of g (N×d) are the per-sample gradients. D is centred and divided
// by N, not N−1; an empty dst is made d×d. The mean is subtracted before anything is
// multiplied, so a vector added to every row changes nothing but round-off.
//
// It panics if g has no rows or dst is not d×d. Cost O(N·d²).
//
//	var D mat.SymDense // 2×2
//	noise.DiffusionTo(&D, mat.NewDense(3, 2, []float64{1, 0, 0, 1, -1, -1}))
func DiffusionTo(dst *mat.SymDense, g mat.Matrix) {
	centred, _ := centre(g)
	n, d := centred.Dims()
	reuse(dst, d)
	dst.SymOuterK(1/float64(n), centred.T())
}

// SecondMomentTo stores the uncentred (1/N) Σₖ gₖgₖᵀ = D + ggᵀ in dst, often called
// the empirical Fisher matrix. The rows of g (N×d) are the per-sample gradients; an
// empty dst is made d×d. It panics if g has no rows or dst is not d×d.
func SecondMomentTo(dst *mat.SymDense, g mat.Matrix) {
	centred, mean := centre(g)
	n, d := centred.Dims()
	reuse(dst, d)
	dst.SymOuterK(1/float64(n), centred.T())
	dst.SymRankOne(dst, 1, mat.NewVecDense(d, mean))
}

// BatchCovarianceTo stores the exact covariance of the mini-batch gradient of b
// samples, var(∇f_b) = [Sampling.CovarianceFactor](b, N)·D, in dst. The rows of g
// (N×d) are the per-sample gradients; an empty dst is made d×d. Source:
// [chaudhari2018] App. A.1, and App. A.2 as corrected by erratum E17.
//
// It panics where DiffusionTo and CovarianceFactor do.
//
//	var v mat.SymDense // var(∇f_b) of batches of two: D/2
//	noise.BatchCovarianceTo(&v, mat.NewDense(3, 2, []float64{1, 0, 0, 1, -1, -1}), 2, noise.WithReplacement)
func BatchCovarianceTo(dst *mat.SymDense, g mat.Matrix, b int, s Sampling) {
	n, _ := g.Dims()
	factor := s.CovarianceFactor(b, n)
	DiffusionTo(dst, g)
	dst.ScaleSym(factor, dst)
}

// PrintedA2To stores what Appendix A.2 of the paper prints for the covariance of a
// batch drawn without replacement,
//
//	(1/b)(1 − b/N) [ (1/(N−1)) Σₖ gₖgₖᵀ − (1 − 1/(N−1)) ggᵀ ],
//
// in dst, so that it can be refuted. Use [BatchCovarianceTo] for the covariance.
//
//	var p mat.SymDense
//	noise.PrintedA2To(&p, mat.NewDense(3, 2, []float64{1, 0, 0, 1, -1, -1}), 2)
//
// NOTE: the printed formula is wrong. The sign in front of 1/(N−1) must be plus
// (erratum E17): if all gₖ are equal there is no noise, yet at b = 1 the bracket is
// 2/(N−1)·ggᵀ. The formula exceeds the covariance by (1/b)(1−b/N)·2/(N−1)·ggᵀ.
//
// It panics if g has fewer than two rows, b is outside 1..N, or dst is not d×d.
func PrintedA2To(dst *mat.SymDense, g mat.Matrix, b int) {
	n, d := g.Dims()
	if n < 2 {
		panic(fmt.Sprintf("noise: Appendix A.2 divides by N−1 and needs N ≥ 2 samples: got %d", n))
	}
	WithoutReplacement.check(b, n)
	_, mean := centre(g)
	SecondMomentTo(dst, g)
	scale := (1 - float64(b)/float64(n)) / float64(b)
	dst.ScaleSym(scale*float64(n)/float64(n-1), dst)
	dst.SymRankOne(dst, -scale*(1-1/float64(n-1)), mat.NewVecDense(d, mean))
}

// centre returns the rows of g minus their mean, and the mean.
func centre(g mat.Matrix) (centred *mat.Dense, mean []float64) {
	n, d := g.Dims()
	if n == 0 || d == 0 {
		panic("noise: no per-sample gradients: the covariance of zero samples does not exist")
	}
	centred = mat.DenseCopyOf(g)
	mean = make([]float64, d)
	for i := range n {
		for j, v := range centred.RawRowView(i) {
			mean[j] += v
		}
	}
	for j := range mean {
		mean[j] /= float64(n)
	}
	for i := range n {
		row := centred.RawRowView(i)
		for j := range row {
			row[j] -= mean[j]
		}
	}
	return centred, mean
}

// reuse makes an empty dst d×d and panics if a non-empty one has another size.
func reuse(dst *mat.SymDense, d int) {
	if dst.IsEmpty() {
		dst.ReuseAsSym(d)
	}
	if got := dst.SymmetricDim(); got != d {
		panic(fmt.Sprintf("noise: dimension mismatch: dst is %d×%d, want %d×%d", got, got, d, d))
	}
}
