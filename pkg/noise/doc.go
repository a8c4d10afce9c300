// Package noise is about the noise of stochastic gradient descent: its covariance D(x),
// as a matrix and as an operator that never forms one, the ways to draw mini-batches and
// what each makes of D, and the temperature.
//
// The diffusion matrix of [chaudhari2018] eq. (2) at one x is
//
//		D(x) = (1/N) Σₖ gₖgₖᵀ − ggᵀ,   gₖ = ∇fₖ(x),   g = (1/N) Σₖ gₖ = ∇f(x).
//
//	  - [NewCovariance] makes D(x) of a network or a toy from its per-sample gradients:
//	    products with vectors, trace, Frobenius norm, Gram matrix, and D itself.
//	  - [Settings].Store keeps the gradients in memory, in a mapped file, or nowhere.
//	  - [Cosine] compares the D of two points, [Covariance.UnbiasedMoments] estimates moments
//	    of its spectrum without the bias of few samples.
//	  - [DiffusionTo] is the definition, for a matrix of gradients that fits a page.
//	  - [Sampling] and [Sampler] draw batches; [Sampling.CovarianceFactor] says what
//	    var(∇f_b)/D is, exactly, for each scheme. [BatchCovarianceTo] combines both.
//	  - [Temperature] is β⁻¹ of Lemma 2 and Remark 12.
//	  - [PrintedA2To] is the formula that Appendix A.2 prints, to be refuted.
//
// # Conventions
//
// Per-sample gradients are rows (N×d) of the mean loss: row k is ∇fₖ, not ∇fₖ/N. D is
// centred and divided by N, not N−1; its uncentred relative is called the second moment
// ([SecondMomentTo]) and D/b the batch covariance, never D. Rows are centred before they
// are multiplied; [Covariance.QuickMulTo] alone says when not. Time runs by η per step, and the stochastic differential equation that
// the temperature belongs to is in the sense of Itô.
//
// Results do not depend on the number of goroutines, bit for bit. They do depend, in the
// last bits, on whether the machine has fused multiply-add.
//
// Covered: [chaudhari2018] eq. (1)–(2), Definition 1, Appendix A.1 and A.2, Lemma 2 and
// Remark 12 as far as they speak of the noise, with errata E17, E18 and E34; Remark 13
// with erratum E20.
//
// # Not here
//
// Eigenvalues of D (package spectrum), the gradients themselves (network, problem), and
// training (sgd).
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
package noise
