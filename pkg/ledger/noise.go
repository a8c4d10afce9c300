package ledger

import (
	"context"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/noise"
	"sgdlab/pkg/problem"
)

// The system of the enumerations: six random gradients of three components.
const (
	enumSamples = 6
	enumDim     = 3
	enumSeed    = 1
)

// roundOff is the tolerance of quantities that agree exactly in exact arithmetic.
const roundOff = 1e-13

const roundOffReason = "round-off: sums of at most 720 products of size about 1, each with a relative error of 2⁻⁵³"

func randomGradients() *mat.Dense {
	rng := rand.New(rand.NewPCG(enumSeed, 0))
	g := mat.NewDense(enumSamples, enumDim, nil)
	for k := range enumSamples {
		for i := range enumDim {
			g.Set(k, i, rng.NormFloat64())
		}
	}
	return g
}

// perSample returns the per-sample gradients of f at x in rows.
func perSample(ctx context.Context, f problem.FiniteSum, x []float64) (*mat.Dense, error) {
	g := mat.NewDense(f.Samples(), f.Dim(), nil)
	err := f.PerSampleGradients(ctx, x, nil, func(b problem.Block) error {
		for i, k := range b.Index {
			b.RowTo(g.RawRowView(k), i)
		}
		return nil
	})
	return g, err
}

func batchGradient() Entry {
	return Entry{
		ID:      "eq. (1)",
		Item:    "Section 2, equation (1)",
		Claim:   "The mini-batch gradient is the average of the per-sample gradients of the batch; its mean over batches is the full gradient.",
		Chapter: "01_minibatch_noise",
		Decides: []string{"eq. (1)"},
		Check: func(ctx context.Context) (Finding, error) {
			t1, t2 := problem.T1(), problem.T2()
			x1, x2 := []float64{0.7, -1.3}, []float64{0.9}
			g1, err := perSample(ctx, t1, x1)
			if err != nil {
				return Finding{}, err
			}
			g2, err := perSample(ctx, t2, x2)
			if err != nil {
				return Finding{}, err
			}
			plain := []Number{
				measured("T1: |mean of ∇f_b over all batches − ∇f|", meanError(g1, t1.GradTo(nil, x1)), 0, roundOff),
				measured("T2: |mean of ∇f_b over all batches − ∇f|", meanError(g2, t2.GradTo(nil, x2)), 0, roundOff),
				measured("batch norm, frozen statistics: |mean − ∇f|", normUnit{frozen: true}.meanError(), 0, roundOff),
			}
			training := measured("batch norm, training mode: |mean − ∇f|", normUnit{}.meanError(), 0, roundOff)
			f := Finding{Numbers: append(plain, training)}
			switch {
			case !allOK(plain...):
				f.Verdict, f.Text = Fails, "The mean of the mini-batch gradients is not the full gradient."
			case !training.OK():
				f.Verdict = NeedsAssumption
				f.Text = "Exact for losses that are a mean of per-sample losses. With batch normalisation in training mode a sample's loss depends on its batch, and the mean over all " +
					"batches is not the full gradient (E21): the statistics must be frozen, as in evaluation mode."
			default:
				f.Verdict, f.Text = Holds, "The mean of the mini-batch gradients is the full gradient."
			}
			return f, nil
		},
		Tolerance: roundOff,
		Reason:    roundOffReason,
	}
}

// meanError returns the largest difference between full and the mean of the mini-batch
// gradients over all batches of up to three samples, with and without replacement.
func meanError(g *mat.Dense, full []float64) float64 {
	n, d := g.Dims()
	worst := 0.0
	v := make([]float64, d)
	for b := 1; b <= 3; b++ {
		var with, without moments
		ordered(n, b, func(batch []int) { batchMean(v, g, batch); with.add(v) })
		subsets(n, b, func(batch []int) { batchMean(v, g, batch); without.add(v) })
		worst = max(worst, maxDiff(vector(with.mean()), vector(full)), maxDiff(vector(without.mean()), vector(full)))
	}
	return worst
}

func diffusionMatrix() Entry {
	return Entry{
		ID:      "Definition 1",
		Item:    "Definition 1, equation (2), Appendix A.1",
		Claim:   "With replacement the variance of the mini-batch gradient is D(x)/b, with D of eq. (2), which is positive semi-definite.",
		Chapter: "01_minibatch_noise",
		Decides: []string{"Definition 1", "A.1"},
		Check: func(ctx context.Context) (Finding, error) {
			g := randomGradients()
			var d, shifted mat.SymDense
			noise.DiffusionTo(&d, g)
			worst := 0.0
			v := make([]float64, enumDim)
			for b := 1; b <= 3; b++ {
				var all moments
				ordered(enumSamples, b, func(batch []int) { batchMean(v, g, batch); all.add(v) })
				var want mat.SymDense
				want.ScaleSym(1/float64(b), &d)
				worst = max(worst, maxDiff(all.covariance(), &want))
			}

			var eig mat.EigenSym
			if !eig.Factorize(&d, false) {
				return Finding{}, fmt.Errorf("ledger: no eigenvalues of a %d×%d matrix", enumDim, enumDim)
			}
			negative := max(0, -eig.Values(nil)[0])

			moved := mat.DenseCopyOf(g)
			moved.Apply(func(_, j int, v float64) float64 { return v + float64(10*(j+1)) }, moved)
			noise.DiffusionTo(&shifted, moved)

			rank := 0
			var few mat.SymDense
			noise.DiffusionTo(&few, g.Slice(0, 3, 0, enumDim))
			eig.Factorize(&few, false)
			for _, l := range eig.Values(nil) {
				if l > eig.Values(nil)[enumDim-1]*enumDim*0x1p-52 {
					rank++
				}
			}

			t1 := problem.T1()
			at, err := perSample(ctx, t1, []float64{0.7, -1.3})
			if err != nil {
				return Finding{}, err
			}
			var dT1 mat.SymDense
			noise.DiffusionTo(&dT1, at)

			f := Finding{Numbers: []Number{
				measured("|var(∇f_b) − D/b| over all 6ᵇ batches, b = 1, 2, 3", worst, 0, roundOff),
				measured("negative part of the smallest eigenvalue of D", negative, 0, roundOff),
				measured("change of D if one vector is added to all gradients", maxDiff(&d, &shifted), 0, 10*roundOff),
				measured("rank of D from N = 3 samples", float64(rank), 2, 0),
				measured("T1: |D − [1 1.8; 1.8 9]|", maxDiff(&dT1, mat.NewSymDense(2, []float64{1, 1.8, 1.8, 9})), 0, roundOff),
			}}
			f.Verdict, f.Text = Fails, "The enumerated variance differs from D/b."
			if allOK(f.Numbers...) {
				f.Verdict, f.Text = Holds, "Exact, by enumeration of every batch. D is centred and divided by N; its rank is at most N − 1."
			}
			return f, nil
		},
		Tolerance: roundOff,
		Reason:    roundOffReason + "; ten times that where numbers of size 30 cancel",
	}
}

func withoutReplacement() Entry {
	return Entry{
		ID:      "A.2",
		Item:    "Appendix A.2, equation (A2)",
		Claim:   "Without replacement the variance of the mini-batch gradient is (1/b)(1 − b/N) times (1/(N−1)) Σ gₖgₖᵀ − (1 − 1/(N−1)) ggᵀ.",
		Chapter: "01_minibatch_noise",
		Decides: []string{"A.2", "E17"},
		Check: func(context.Context) (Finding, error) {
			g := randomGradients()
			equal := mat.NewDense(enumSamples, enumDim, nil)
			equal.Apply(func(int, int, float64) float64 { return 1 }, equal)

			printed, corrected := 0.0, 0.0
			v := make([]float64, enumDim)
			for b := 1; b <= enumSamples; b++ {
				var all moments
				subsets(enumSamples, b, func(batch []int) { batchMean(v, g, batch); all.add(v) })
				truth := all.covariance()
				var p, c mat.SymDense
				noise.PrintedA2To(&p, g, b)
				noise.BatchCovarianceTo(&c, g, b, noise.WithoutReplacement)
				printed, corrected = max(printed, maxDiff(&p, truth)), max(corrected, maxDiff(&c, truth))
			}
			// At b = 1 the factor in front is 1 − 1/N; without it the bracket is 2/(N−1).
			var same mat.SymDense
			noise.PrintedA2To(&same, equal, 1)
			bracket := same.At(0, 0) / (1 - 1.0/enumSamples)

			claim := []Number{
				measured("printed: |formula − enumeration|, N = 6, b = 1…6", printed, 0, roundOff),
				measured("printed: bracket for six gradients equal to (1, 1, 1)", bracket, 0, roundOff),
			}
			repair := measured("with 1 + 1/(N−1): |formula − enumeration|", corrected, 0, roundOff)
			f := Finding{Numbers: append(claim, repair)}
			switch {
			case allOK(claim...):
				f.Verdict, f.Text = Holds, "The printed formula agrees with the enumeration."
			case repair.OK():
				f.Verdict = Fails
				f.Text = "Equal gradients have no noise, yet the printed bracket is 2/(N−1)·ggᵀ. With 1 + 1/(N−1) the formula is exact: var(∇f_b) = (N−b)/(b(N−1))·D."
			default:
				f.Verdict, f.Text = Fails, "Neither the printed formula nor its correction agrees with the enumeration."
			}
			return f, nil
		},
		Tolerance: roundOff,
		Reason:    roundOffReason,
	}
}

func reshuffling() Entry {
	return Entry{
		ID:      "E18",
		Item:    "Appendix A.2 and Remark 12, applied to training",
		Claim:   "The batches of a training loop, which reshuffles the samples once per epoch, are independent draws without replacement.",
		Chapter: "01_minibatch_noise",
		Decides: []string{"E18"},
		Check: func(context.Context) (Finding, error) {
			const b = 2
			batches := enumSamples / b
			g := randomGradients()
			var d mat.SymDense
			noise.DiffusionTo(&d, g)
			full := make([]float64, enumDim)
			batchMean(full, g, []int{0, 1, 2, 3, 4, 5})

			var single, sum moments
			cross := mat.NewDense(enumDim, enumDim, nil)
			u, v, total := make([]float64, enumDim), make([]float64, enumDim), make([]float64, enumDim)
			n := 0.0
			permutations(enumSamples, func(perm []int) {
				n++
				batchMean(u, g, perm[:b])
				batchMean(v, g, perm[b:2*b])
				single.add(u)
				clear(total)
				for k := range batches {
					w := make([]float64, enumDim)
					batchMean(w, g, perm[k*b:(k+1)*b])
					for i := range total {
						total[i] += w[i]
					}
				}
				sum.add(total)
				for i := range enumDim {
					for j := range enumDim {
						cross.Set(i, j, cross.At(i, j)+(u[i]-full[i])*(v[j]-full[j]))
					}
				}
			})
			cross.Scale(1/n, cross)

			var marginal, want mat.SymDense
			noise.BatchCovarianceTo(&marginal, g, b, noise.WithoutReplacement)
			want.ScaleSym(noise.Reshuffled.CrossCovarianceFactor(enumSamples), &d)
			independent := float64(batches) * mat.Trace(&marginal)

			marginalError := measured("one batch: |variance − A.2 corrected|", maxDiff(single.covariance(), &marginal), 0, roundOff)
			crossError := measured("two batches of an epoch: |covariance + D/(N−1)|", maxDiff(cross, &want), 0, roundOff)
			claim := []Number{
				measured("two batches of an epoch: trace of their covariance", mat.Trace(cross), 0, roundOff),
				measured("sum over an epoch: trace of its variance", mat.Trace(sum.covariance()), independent, roundOff),
			}
			f := Finding{Numbers: append(claim, marginalError, crossError)}
			switch {
			case allOK(claim...):
				f.Verdict, f.Text = Holds, "The batches of an epoch are uncorrelated."
			case marginalError.OK() && crossError.OK():
				f.Verdict = Fails
				f.Text = "A single batch has the variance of A.2 (corrected), but two batches of an epoch have the covariance −D/(N−1), so that the sum over an epoch has none at fixed weights. " +
					"Experiments on the noise must draw independent batches, or say that they do not."
			default:
				f.Verdict, f.Text = Fails, "The batches of an epoch are correlated, but not as −D/(N−1)."
			}
			return f, nil
		},
		Tolerance: roundOff,
		Reason:    roundOffReason,
	}
}
