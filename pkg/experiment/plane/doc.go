// Package plane runs the experiments in two dimensions from a system to what a figure or a
// table shows.
//
//	v, err := plane.Solve(problem.CV(), 120)    // generator and steady state
//	m := v.Map("curved valley")                 // density and current, for figure.DensityMap
//	a, err := plane.Agree(ctx, problem.XD(), plane.AgreementSettings{})
//	p, err := figure.DensityMap(a.Figure())     // simulation, grid and closed form side by side
//
// [Solve] finds the steady state of a system from drift and noise alone, [Decay] follows
// the free energy on the way there, [Agree] compares simulation, finite volumes and closed
// form with the sizes that chance and the cells make one expect, and [Orders] measures the
// orders of the schemes of package sde.
//
// # Conventions
//
// Those of packages fokkerplanck and sde. Nothing is drawn or printed. The same settings
// give the same numbers for any number of workers.
//
// # Not here
//
// Anything with a network: package experiment, which links an engine that cells about the
// plane need not wait for.
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
package plane
