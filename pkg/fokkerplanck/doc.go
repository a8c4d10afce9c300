// Package fokkerplanck solves the Fokker–Planck equation of a system in the plane,
//
//	∂ρ/∂t = −∇·J,   J = uρ − β⁻¹∇·(Dρ),
//
// by finite volumes that keep its structure: mass is conserved to round-off whatever the
// grid, currents are fluxes through faces, and where the generator is that of a Markov
// chain the free energy falls at every step, for any step size.
//
//   - [Blind] knows only drift and diffusion: Scharfetter–Gummel fluxes along the axes, and
//     for a full tensor D(x) exchange along diagonals where the cells allow it, central cross
//     terms elsewhere. Its steady state is the discrete ρˢˢ.
//   - [Known] is given the potential Φ and the stream function ψ and has exactly
//     π ∝ e^(−βΦ) as its steady state, for tests of statements about e^(−βΦ).
//   - [Generator] is the sparse matrix L of dp/dt = Lp: [Generator.Steady],
//     [Generator.Step], [Generator.Current], [Generator.SlowModes].
//
// # Conventions
//
// The unknowns are masses p of cells (probabilities, sum 1), not densities; divide by
// [Grid.CellArea]. Cell (i, j) has the index j·NX+i, i counting x from the left and j
// counting y from below. Columns of L sum to zero: L[a][b] is the rate from cell b to
// cell a. A current through a face is probability per unit of time, positive to the
// right and upwards. Stochastic differential equations are in the sense of Itô, and the
// divergence of a matrix is that of its rows (erratum E14).
//
// # Monotone or not
//
// With D diagonal every rate is non-negative and L generates a Markov chain. With a full D
// this holds if |D₁₂| ≤ min(D₁₁ hy/hx, D₂₂ hx/hy) all over the grid, which [Blind] then
// makes use of. Otherwise its cross terms to the corner neighbours are of both signs: L is
// still conservative and of second order, but its steady state may have small negative
// masses. [Generator.NegativeRates] and [Steady.NegativeMass] say whether and how much.
//
// # Not here
//
// Φ, ψ and Q from a steady state (package potential), free energies (package variational),
// paths (package sde).
//
// References:
//
//	[chaudhari2018]   Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                  converges to limit cycles for deep networks. ICLR 2018. Eq. (FP), Theorem 5.
//	[scharfetter1969] Scharfetter, Gummel. Large-signal analysis of a silicon Read diode oscillator. 1969.
//	[george1973]      George. Nested dissection of a regular finite element mesh. 1973.
package fokkerplanck
