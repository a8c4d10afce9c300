// Package spectrum finds the eigenvalues of symmetric matrices, above all of the
// diffusion matrix D(x) of package noise, and says how many of them count.
//
//		cov, err := noise.NewCovariance(ctx, network, x, nil)
//		s, err := spectrum.Of(ctx, cov, nil)
//		fmt.Println(s) // moments, ranks, and how well they are known
//
//	  - [Of] takes a covariance: all eigenvalues from D itself or, if there are fewer
//	    gradients than weights, from the Gram matrix; or the largest by block Lanczos.
//	  - [Symmetric] takes a matrix and gives all eigenvalues, [Top] and [TopVectors] take
//	    anything that can be multiplied with vectors and give the largest.
//	  - [PrincipalAngles] compares the leading eigenvectors of two matrices.
//	  - [Rank] is the rule of the paper's footnote 1, λ > λmax·d·ε, as a [Count] with a
//	    lower and an upper bound: eigenvalues closer to the threshold than they are known
//	    stay undecided.
//	  - [StableRank], [ParticipationRatio] and [EntropyRank] need no threshold.
//	  - [Moments] needs no eigenvalues.
//
// # Which method
//
//	             forms       finds             cost
//	Dense        D, d×d      all eigenvalues   N·d² + 4d³/3 operations, 8d² bytes
//	Gram         K, N×N      all eigenvalues   the same with N and d exchanged
//	Lanczos      nothing     the k largest,    4N·d for each of ~4k vectors, and some 400
//	                         bounds for all    for the bounds; 8d bytes for each
//
// Dense and Gram know every eigenvalue to about 10⁻¹⁵·λmax, or 10⁻⁷·λmax if products are
// float32. Lanczos knows the k largest to 10⁻⁶ of each or better, if the k/2 + 32
// after them fall by 7 % or so (else the bounds are wider), the mean exactly, and for the
// others an upper bound that fails with a stated probability, 10⁻¹² by default.
// That is enough for the standard deviation to a few digits and, with Settings.Rank, for
// the float32 rank; not for the float64 rank, nor for the entropy rank.
//
// # Conventions
//
// Eigenvalues ascend. Mean and standard deviation run over all d of them, zeros included,
// and the standard deviation divides by d. Zeros that follow from N ≤ d are counted, not
// listed. Every eigenvalue comes with a bound of its error, and results are structs with
// JSON names, to be stored and drawn later.
//
// Covered: [chaudhari2018] Sec. 4.1 and footnote 1, the numbers of Figs. 1 and 2, and
// erratum E19, which says why none of the paper's numbers is reported alone; Remark 13
// with erratum E20: equal spectra are not equal matrices.
//
// # Not here
//
// Gradients and D itself (packages network and noise), and figures.
//
// References:
//
//	[bjorck1973]     Björck, Golub. Numerical methods for computing angles between linear
//	                 subspaces. Math. Comp. 27 (1973).
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
//	[golub1977]      Golub, Underwood. The block Lanczos method for computing eigenvalues.
//	                 Mathematical Software III (1977).
//	[kuczynski1992]  Kuczyński, Woźniakowski. Estimating the largest eigenvalue by the power and
//	                 Lanczos algorithms with a random start. SIAM J. Matrix Anal. Appl. 13 (1992).
//	[li2005]         Li, Li. A note on eigenvalues of perturbed Hermitian matrices. Linear Algebra
//	                 Appl. 395 (2005).
package spectrum
