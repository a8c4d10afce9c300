// Package variational holds the functional that the Fokker–Planck equation decreases: the
// free energy F(ρ) = 𝔼_ρΦ − β⁻¹H(ρ) + β⁻¹ log Z = β⁻¹ KL(ρ‖ρˢˢ), on grids and for
// Gaussians, and its rate of change.
//
//   - [KL], [TotalVariation], [Entropy], [FreeEnergy] for masses of cells.
//   - [Gaussian], with the exact evolution under an Ornstein–Uhlenbeck process and the exact
//     dF/dt of Theorem 5.
//
// # Conventions
//
// Logarithms are natural: entropies and divergences are in nats. KL(p‖q) has its arguments
// in this order. Masses are probabilities of cells; entropies of densities are relative to
// area, H = −Σ p log(p/area). F is zero at the steady state.
//
// # Not here
//
// The evolution on a grid (package fokkerplanck).
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018. Theorem 5, eq. (10)–(11), App. F.1.
package variational
