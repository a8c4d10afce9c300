// Package problem holds losses f(x) = (1/N) Σₖ fₖ(x) small enough to know
// everything about: gradient noise, stationary law, rotation, entropy production,
// each in closed form. They are the systems on which every other package is tested.
//
//   - [T1], a [CommonHessian]: four samples in the plane, constant anisotropic D.
//   - [T2], a [FourSamples]: four samples on the line, D(x) = n² + s²x².
//   - [REF] and [ROT], each an [OrnsteinUhlenbeck]: linear drift, constant D, any dimension.
//   - [EX19] and [EX19R], the paper's [Example19] as printed and repaired.
//   - [CV], a curved valley, [XD], where D and Q depend on the state, and [TensorWell], at
//     equilibrium with a full D that depends on the state.
//   - The gallery of Lemma 6: [WaveBox], [WaveTorus], [Airy], [Separable]; [Bowl], [LineNoise]
//     and [TwoBlocks] are linear systems of other shapes, and [FromLoss] takes any loss.
//
// All but the first two are stochastic differential equations in the plane; each is a [System], a
// struct of functions that [Check] compares with each other. A system of your own is a
// literal. [Flow] follows a vector field without noise, [FirstReturn] round the origin.
//
// It also defines [FiniteSum], through which package noise sees the per-sample
// gradients of a toy and of a network alike, and [Block], in which they travel.
//
// # Conventions
//
// The loss is the mean over samples, never the sum; gradients are of the mean loss.
// Weights and gradients are []float64 of length d. A stochastic gradient step is
// x ← x − η∇f_b(x) with b samples drawn with replacement; it takes the time η. The
// temperature of [chaudhari2018] Lemma 2 is β⁻¹ = η/(2b), and stochastic
// differential equations are in the sense of Itô.
//
// Covariances are centred and divided by the number of samples. The area rate of
// coordinates i and j is the mean of ½(xᵢẋⱼ − xⱼẋᵢ), positive if the motion turns
// from i towards j.
//
// Symbols of the paper: eq. (1)–(3), (8), (19), (A4), Lemma 2, Example 19 and Lemma 20
// with F the Hessian, D the diffusion matrix, U the Hessian of the potential Φ, and Q the
// antisymmetric part of F = (D+Q)U. The force j, called conservative in the paper, is
// solenoidal where Assumption 4 holds; conservative means free of curl.
//
// # Not here
//
// Sampling schemes other than replacement (package noise has their factors),
// simulation (sgd and sde), and potentials without a closed form (potential).
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
package problem
