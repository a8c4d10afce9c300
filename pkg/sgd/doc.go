// Package sgd is stochastic gradient descent on a finite sum, the discrete chain that
// [chaudhari2018] models by a stochastic differential equation:
//
//	x ← x − η ∇f_b(x),   ∇f_b(x) = (1/b) Σ_{k∈b} ∇fₖ(x)          eq. (1)
//
// with a learning-rate [Schedule], [Momentum], weight decay and a choice of
// [noise.Sampling]. [Run] works on anything that is an [Objective]: the toys of package
// problem and the networks of package network alike; [Ensemble] repeats it with other seeds.
//
//	result, err := sgd.Run(ctx, problem.T1(), []float64{1, 1}, sgd.Settings{
//		LearningRate: sgd.Constant(0.1),
//		BatchSize:    1,
//		Epochs:       1000,
//		Seed:         1,
//	})
//
// # Conventions
//
// Losses are means over samples, never sums. Weights are []float64 of length d on the
// host; an objective that computes in float32 converts. One step takes the time η, an
// epoch is ⌊N/b⌋ steps under every sampling scheme. Momentum and weight decay are those
// of PyTorch, see [Momentum]; with [Nesterov] the weights are the look-ahead points.
//
// A run depends on the objective, the starting point and the settings alone: the same
// ones give the same bits, however often the run was interrupted, canceled or killed in
// between (see [Checkpoint]). Steps are counted from 1; the state after step k has seen k
// batches.
//
// # Not here
//
// Adaptive methods (Adam and others), gradient clipping, the continuous-time model
// (package sde), the file of a recorded trajectory (package snapshot), and what can be read
// from it (package trajectory).
// The training of the paper is [Nesterov] with μ = 0.9 in its Appendix E and heavy ball in
// the authors' code; its theory is μ = 0 (erratum E34).
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
package sgd
