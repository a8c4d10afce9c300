// Package sde simulates stochastic differential equations with multiplicative noise,
//
//	dx = u(x) dt + √(2β⁻¹D(x)) dW   (Itô),
//
// [chaudhari2018] eq. (3) if u = −∇f: single paths, and ensembles over all cores whose
// averages need no more memory the longer they run.
//
//   - [Ito] is the equation: of a system of the plane by [Plane], of an Ornstein–Uhlenbeck
//     process by [Linear], or your own.
//   - [Simulate] follows an ensemble, with averages over time and walkers of any
//     [Observable] ([Moment], [AreaRate], [RayFlux]), a [Histogram] and the current on it.
//   - [Path] keeps one walker of it; [Drive] follows a given path of [Brownian] motion,
//     which can be refined without changing it, and [Converge] measures the strong and
//     weak orders of a scheme on such paths.
//
// # Conventions
//
// Everything is in the sense of Itô. For an equation in the sense of (18) of the paper
// ("A-type") the drift must hold the term β⁻¹∇·(D+Q); the systems of package problem do.
// Time is that of the equation: a step of stochastic gradient descent with learning rate η
// takes the time η. The area rate is positive if paths turn from the first component
// towards the second, and a ray counts counter-clockwise crossings as positive. Moments are
// not centred. Standard errors come from the spread of walkers.
//
// Walker w draws from rand.NewPCG(Seed, w). Results do not depend on the number of
// goroutines, bit for bit, nor on what is recorded.
//
// An ensemble of a system of the plane that has a Batch goes through Euler–Maruyama 16
// walkers at a time on AVX-512, where there is one and the build has GOEXPERIMENT=simd. It
// is then three times as fast (BenchmarkEnsembleEX19), and the results are the same, bit for
// bit (with GOAMD64=v3 or where Go fuses operations, up to rounding).
//
// # Errors of the step
//
// Euler–Maruyama samples a stationary law that is off by O(Δ): on the well ½x² the
// variance is 1/(1−Δ/2) times the true one. Superlinear drifts blow up where Δ·|∇u| ≳ 2;
// for Example 19 take Δ ≤ 0.02. [WeakTwo] is off by O(Δ²).
//
// # Not here
//
// Adaptive steps, jumps, coloured noise, and stochastic gradient descent itself (package
// sgd). The winding number is no observable on purpose: in the plane it has no finite
// variance, use the area rate or a ray (statistics of it mislead).
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
//	[kloeden1992]    Kloeden, Platen. Numerical Solution of Stochastic Differential Equations. Springer 1992.
//	[marsaglia2000]  Marsaglia, Tsang. The ziggurat method for generating random variables. J. Stat. Softw. 5(8), 2000.
package sde
