// Package potential finds the implicit potential Φ = −β⁻¹ log ρˢˢ, the stationary current and
// the antisymmetric Q of a system in the plane from its steady state on a grid, and measures
// what the theory says about them.
//
//   - [FromGrid] gives Φ, the stream function ψ of the current, and q, Q = q·[0 1; −1 0], so
//     that [chaudhari2018] eq. (19), ∇f = (D+Q)∇Φ − β⁻¹∇·(D+Q), can be checked:
//     [Decomposition.Residual].
//   - [EntropyProduction] splits the production of a Markov chain into its adiabatic
//     (housekeeping) and non-adiabatic parts (erratum E25).
//   - [LoopIntegral] tells whether a vector field is a gradient (erratum E11), and
//     [Assumption4] how far j is from divergence-free.
//
// # Conventions
//
// Φ has its minimum at 0. Masses, cells, currents and signs are those of package
// fokkerplanck. ψ is that of the normalised current, J = (∂₂ψ, −∂₁ψ), with ψ = 0 at the
// lower left corner of the box, hence on all sides without flux; this fixes the gauge of
// q = βψ/ρˢˢ, which is free up to a constant times e^(βΦ) (erratum E13). The divergence of
// a matrix is that of its rows (erratum E14). Entropy is in nats, its production in nats
// per unit of time.
//
// # Not here
//
// Linear theory around a critical point (Lemma 20), and more than two dimensions.
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018. Eq. (5)–(8), (19), App. B, Theorem 22.
package potential
