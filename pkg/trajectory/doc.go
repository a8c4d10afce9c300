// Package trajectory says what a recorded trajectory of stochastic gradient descent shows,
// and what it would show without any rotation: spectra, correlations, areas, tests, and the
// null models that Fig. 3 of the paper lacks.
//
//		t, err := trajectory.Read(ctx, snapshots)            // one row of weights per epoch
//		s, err := trajectory.IncrementSpectrum(ctx, t, nil)  // Fig. 3a, with its white band
//		modes, err := trajectory.PrincipalModes(ctx, t, 6)   // the directions of largest variance
//		series := modes.Project(t)
//		r, err := trajectory.Rotation(series, block, 999, rand.NewPCG(1, 0))
//
//	  - [Periodogram], [IncrementSpectrum]: Fourier spectrum of the increments (Fig. 3a).
//	  - [Autocorrelation], [Correlations]: Fig. 3b, with the bands of white noise.
//	  - [MeanOf], [SplitHalves]: means of correlated series with their errors, and the checks
//	    that a run must pass before its averages mean anything.
//	  - [AreaRate], [AreaAlong], [SignFlip], [Rotation], [LagCovariance]: is the run the same backwards?
//	  - [LinearChain]: SGD on a quadratic loss with its exact laws, with momentum and any
//	    sampling, recorded once per epoch; [Compare] tests a run against it.
//	  - [AR1], [White], [RandomWalk]: null models of a single series.
//	  - [Bonferroni], [BenjaminiHochberg]: many tests at once.
//
// # Conventions
//
// Time counts snapshots, once per epoch unless the caller has it otherwise; frequencies are
// in cycles per snapshot. Spectra are normalised so that white noise has the mean 1.
// C(τ)ᵢⱼ = ⟨xᵢ(k+τ) xⱼ(k)⟩, centred, divided by the number of terms. Areas are ½(uₖvₖ₊₁ − vₖuₖ₊₁)
// per snapshot: positive if the path turns from u towards v. The p-value of a random test
// with R draws is (1+#{draws as extreme})/(1+R), never 0.
//
// Results do not depend on the number of goroutines, bit for bit. Random numbers come from
// the source that the caller passes.
//
// A trajectory is kept once, in float32 and column by column (4 bytes per number); no
// function copies it. Coordinates that never move are counted and left out.
//
// # Not here
//
// Making trajectories (package sgd), drawing (figure), whole experiments with the Hessian and
// the noise of a network (experiment). Absence of evidence: no test of this package shows
// that a run is stationary or reversible; it can only fail to find that it is not.
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018. Sec. 4.2, Fig. 3.
//	[benjamini1995]  Benjamini, Hochberg. Controlling the false discovery rate. J. R. Stat. Soc. B 57, 1995.
package trajectory
