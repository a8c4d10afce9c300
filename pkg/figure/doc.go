// Package figure draws the pictures of this project: pure functions from a plain
// result to a [Picture], which knows its size, its caption and its alternative text.
//
//   - [GradientNoiseSpectra]: the eigenvalues of D(x), Figs. 1 and 2 of [chaudhari2018].
//   - [T1Panel]: loss, gradient noise, stationary law and rotation of T1 in one picture.
//   - [BatchScatter]: mini-batch gradients around the full gradient, App. A.
//   - [BatchVariance]: the variance of a mini-batch gradient against its size, App. A.2.
//   - [Landscape]: potential, streamlines or arrows of a field, modes, zeros, paths, Fig. 4.
//   - [DensityMap]: densities side by side in one scale, with their distances and currents.
//   - [Ellipses]: loss, noise, stationary law and orbits of a linear system, Lemma 20.
//   - [Decay]: free energies against time with the slopes 2·gap, Theorem 5.
//   - [ProductionBars]: adiabatic and non-adiabatic entropy production.
//   - [Curves]: any small line chart, with error bars, marks, and slopes on log-log axes.
//   - [IncrementSpectrum], [WeightCorrelation], [GradientNorm]: Fig. 3, with null models.
//   - [AreaRates]: the rotation of a trajectory beside linear theory; [Survey]: what is seen in
//     which setting.
//   - [Panels]: several of these on one page, in line.
//   - [PaperMap]: which items of the paper are decided, and how.
//
// Every function takes a struct named after it (SpectrumFigure, T1Figure, …) and checks
// it first: empty data, lengths that do not match, NaN and infinities are errors that
// name the field. Nothing is computed that a caller could want to know: what a caption
// says follows from the fields of the struct.
//
// A [Style] holds fonts, colours and line widths. It is passed explicitly; no default
// of gonum/plot is changed. Curves are labelled where they are, in the colour they
// have; axes carry symbol and unit. The palette is that of Okabe and Ito, readable with
// the common colour vision deficiencies; the scale of densities runs from white to dark
// blue in equal steps of CIELAB. Grids of numbers are [Cells], in the order of package
// fokkerplanck.
//
// [Save] and [Picture.Encode] write SVG, PDF and PNG. Text is set by the package itself:
// superscripts, subscripts and signs such as ∇ and ‖ are composed from the glyphs of one
// font, so that the three formats agree.
//
// Example:
//
//	p, err := figure.GradientNoiseSpectra(figure.SpectrumFigure{
//		Network: "small-fc", DataSet: "MNIST 7×7", Dim: 3978, Samples: 60000,
//		Checkpoints: checkpoints,
//	})
//	if err != nil {
//		return err
//	}
//	return figure.Save(p, 0, 0, "small-fc_spectrum.svg") // 0, 0: the size it was made for
//
// # Not here
//
// Anything interactive, and display in a notebook (package show).
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
//	[jobard1997]     Jobard, Lefer. Creating evenly-spaced streamlines of arbitrary density. 1997.
//	[okabe2008]      Okabe, Ito. Color universal design. 2008.
package figure
