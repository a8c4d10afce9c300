// Package spectrum finds the eigenvalues of symmetric matrices, above all of the
// diffusion matrix D(x) of package noise, and says how many of them count.
//
//		cov, err := noise.NewCovariance(ctx, network, x, nil)
//		s, err := spectrum.Of(ctx, cov, nil)
//		fmt.Println(s) // moments, ranks, and how well they are known
//
//	  - [Of] takes a covariance, through the Gram matrix if there are fewer gradients than
//	    weights; [Symmetric] takes a matrix. Both give all eigenvalues.
//	  - [Rank] is the rule of the paper's footnote 1, λ > λmax·d·ε, as a [Count] with a
//	    lower and an upper bound: eigenvalues closer to the threshold than they are known
//	    stay undecided.
//	  - [StableRank], [ParticipationRatio] and [EntropyRank] need no threshold.
//	  - [Moments] needs no eigenvalues.
//
// # Conventions
//
// Eigenvalues ascend. Mean and standard deviation run over all d of them, zeros included,
// and the standard deviation divides by d. Zeros that follow from N ≤ d are counted, not
// listed. Every eigenvalue comes with a bound of its error, and results are structs with
// JSON names, to be stored and drawn later.
//
// Covered: [chaudhari2018] Sec. 4.1 and footnote 1, the numbers of Figs. 1 and 2, and
// erratum E19, which says why none of the paper's numbers is reported alone.
//
// # Not here
//
// Gradients and D itself (packages network and noise), eigenvectors, and figures.
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
package spectrum
