package ledger

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/fokkerplanck"
	"sgdlab/pkg/potential"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/variational"
)

// The claims that two dimensions decide.

// ex19Grid is the grid of the Example 19 checks; a mass of 6e-7 lies outside of it.
var ex19Grid = fokkerplanck.Grid{Box: problem.Box{XMin: -3, XMax: 3, YMin: -5, YMax: 5}, NX: 60, NY: 80}

const gridReason = "cells of 0.1×0.125: the scheme is of second order, so that KL is off by a few 1e-6; round-off elsewhere"

// steadyOf returns the steady state of s on g by the scheme that knows only drift and noise.
func steadyOf(s *problem.System, g fokkerplanck.Grid) (*fokkerplanck.Generator, *fokkerplanck.Steady, error) {
	l, err := fokkerplanck.Blind(s, g)
	if err != nil {
		return nil, nil, err
	}
	st, err := l.Steady()
	return l, st, err
}

func gibbs(s *problem.System, beta float64, g fokkerplanck.Grid) []float64 {
	return g.MassesTo(nil, func(x []float64) float64 { return math.Exp(-beta * s.Potential(x)) })
}

func continuousTime() Entry {
	return Entry{
		ID: "Lemma 2", Item: "Lemma 2, equation (3)", Chapter: "02_continuous_time",
		Claim:   "The continuous-time limit of SGD is dx = −∇f dt + √(2β⁻¹D) dW with β⁻¹ = η/(2b).",
		Decides: []string{"Lemma 2", "eq. (3)", "E33"},
		Check: func(context.Context) (Finding, error) {
			t1, t2 := problem.T1(), problem.T2()
			// Second moment of T2 at time 1 from x₀² = 4, b = 1: chain, equation (3), plain gradient flow.
			errors := func(eta float64) (sde, flow float64) {
				chain := t2.SecondMomentAfter(int(math.Round(1/eta)), 4, eta, 1)
				return t2.ContinuousSecondMomentAt(1, 4, eta, 1) - chain, 4*math.Exp(-2) - chain
			}
			sde1, flow1 := errors(0.002)
			sde2, flow2 := errors(0.001)
			sdeCoarse, flowCoarse := errors(0.1)
			orders := []Number{
				measured("T2 at time 1: order of equation (3) in η", math.Log2(sde1/sde2), 1, 0.05),
				measured("T2 at time 1: order of plain gradient flow in η", math.Log2(flow1/flow2), 1, 0.05),
			}
			stationary := measured("T1, η = 0.1: Σ₂₂ of equation (3) / Σ₂₂ of SGD",
				t1.ContinuousCovariance(.1, 1).At(1, 1)/t1.StationaryCovariance(.1, 1).At(1, 1), 1, 1e-3)
			closer := measured("T2 at time 1, η = 0.1: |error of gradient flow| / |error of equation (3)|", math.Abs(flowCoarse/sdeCoarse), 1, 0)
			f := Finding{Numbers: append(orders, stationary, closer), Verdict: Fails, Text: "Equation (3) does not follow SGD even to first order."}
			if allOK(orders...) {
				f.Verdict = NeedsAssumption
				f.Text = "At fixed b the temperature η/(2b) vanishes with η, and the limit is the noiseless gradient flow, which on a finite horizon is as good: both are of weak order one. Equation (3) " +
					"is a model at finite η that adds the fluctuations; its stationary law is off by the order of η times the curvature."
			}
			return f, nil
		},
		Tolerance: 0.05, Reason: "a slope between η = 0.002 and 0.001 differs from the limit by the next order, some 10 η",
	}
}

func densityEquation() Entry {
	return Entry{
		ID: "(FP)", Item: "The Fokker–Planck equation, equation (4)", Chapter: "02_continuous_time",
		Claim:   "The density obeys ρ_t = ∇·(∇f ρ + β⁻¹∇·(Dρ)), and the steady state makes the right-hand side zero.",
		Decides: []string{"(FP)", "eq. (4)"},
		Check: func(context.Context) (Finding, error) {
			s := problem.XD() // D and the drift depend on the place
			g := fokkerplanck.Grid{Box: s.Box, NX: 240, NY: 240}
			l, err := fokkerplanck.Blind(s, g)
			if err != nil {
				return Finding{}, err
			}
			// How the mean of x₁² + x₁x₂ changes, for a blob: from the density, and from the paths
			// by Itô's formula, 𝔼[u·∇φ + β⁻¹D:∇∇φ].
			p := g.MassesTo(nil, func(x []float64) float64 { return math.Exp(-(x[0]-1)*(x[0]-1) - 2*x[1]*x[1]) })
			rate := make([]float64, len(p))
			l.MulTo(rate, p)
			var density, paths float64
			u := make([]float64, 2)
			for k := range p {
				x, y := g.Centre(k%g.NX, k/g.NX)
				s.Drift(u, []float64{x, y})
				d := s.Diffusion([]float64{x, y})
				density += rate[k] * (x*x + x*y)
				paths += p[k] * (u[0]*(2*x+y) + u[1]*x + (2*d.XX+2*d.XY)/s.Beta)
			}
			// The bracket of (4) at e^(−βΦ)/Z, by central differences.
			flux := func(dst, x []float64) {
				const h = 1e-3
				w := func(a, b float64) (problem.Tensor, float64) {
					q := []float64{a, b}
					return s.Diffusion(q), math.Exp(-s.Beta * s.Potential(q))
				}
				s.Drift(u, x)
				_, rho := w(x[0], x[1])
				dst[0], dst[1] = -u[0]*rho, -u[1]*rho
				for i, e := range [][2]float64{{h, 0}, {0, h}} {
					up, a := w(x[0]+e[0], x[1]+e[1])
					down, b := w(x[0]-e[0], x[1]-e[1])
					if i == 0 {
						dst[0] += (up.XX*a - down.XX*b) / (2 * h * s.Beta)
						dst[1] += (up.XY*a - down.XY*b) / (2 * h * s.Beta)
					} else {
						dst[0] += (up.XY*a - down.XY*b) / (2 * h * s.Beta)
						dst[1] += (up.YY*a - down.YY*b) / (2 * h * s.Beta)
					}
				}
			}
			right := 0.0
			for k := range 25 {
				right = max(right, math.Abs(potential.Divergence(flux, []float64{-1.2 + .6*float64(k%5), -1.1 + .6*float64(k/5)})))
			}
			return holdsIf([]Number{
				measured("XD, a blob: d𝔼[x₁² + x₁x₂]/dt by the Fokker–Planck equation, over the same by Itô's formula", density/paths, 1, 2e-3),
				measured("XD: largest right-hand side of (4) at e^(−Φ)", right, 0, 1e-5),
			}, "The density of the paths obeys the equation, and e^(−βΦ) makes its right-hand side zero, for a D and a force that depend on the place.",
				"The density of the paths obeys another equation."), nil
		},
		Tolerance: 2e-3, Reason: "second order on cells of 0.04, measured 9e-4; difference quotients with h = 1e-3",
	}
}

func uniqueSteadyState() Entry {
	return Entry{
		ID: "Assumption 3", Item: "Assumption 3, equation (4)", Chapter: "02_continuous_time",
		Claim:   "The steady state of the Fokker–Planck equation exists and is unique.",
		Decides: []string{"Assumption 3", "E31"},
		Check: func(context.Context) (Finding, error) {
			ones := mat.NewSymDense(4, nil)
			for i := range 4 {
				for j := i; j < 4; j++ {
					ones.SetSym(i, j, 1)
				}
			}
			det := func(l ...float64) (float64, bool) {
				d := ones.SliceSym(0, len(l)).(*mat.SymDense)
				p := problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(len(l), l), d, 1)
				return mat.Det(p.UnitCovariance()), p.HasDensity()
			}
			distinct, has := det(1, 2, 4, 8)
			repeated, none := det(1, 1)
			well := measured("rank-one D, curvatures 1, 2, 4, 8: det of the stationary covariance", distinct, 1.680384e-6, 1e-11)
			singular := measured("rank-one D, curvatures 1, 1: det of the stationary covariance", repeated, 0, roundOff)
			f := Finding{Numbers: []Number{well, singular}, Verdict: Fails, Text: "The examples do not behave as linear theory says."}
			if allOK(well, singular) && has && !none {
				f.Verdict = NeedsAssumption
				f.Text = "With a D of low rank, which is what the paper measures, a density exists if and only if the noise reaches every direction through the drift (controllability). Rank one can be " +
					"enough; with a repeated curvature it is not."
			}
			return f, nil
		},
		Tolerance: 1e-11, Reason: "the determinant is given to seven digits; zero to round-off",
	}
}

func reversiblePart() Entry {
	return Entry{
		ID: "eq. (7)", Item: "Equations (5)–(7)", Chapter: "03_potential_and_force",
		Claim:   "The reversible equation with drift β⁻¹∇·D − D∇Φ has the steady state e^(−βΦ)/Z, and no current.",
		Decides: []string{"eq. (5)", "eq. (6)", "eq. (7)"},
		Check: func(context.Context) (Finding, error) {
			xd := *problem.XD() // state-dependent D
			xd.StreamFunction, xd.Skew, xd.Force, xd.Coefficients, xd.Batch = nil, nil, nil, nil, nil
			drift := func(dst, x []float64) {
				g, div := make([]float64, 2), make([]float64, 2)
				xd.GradientTo(g, x)
				xd.DivDiffusionTo(div, x)
				a, b := xd.Diffusion(x).MulVec(g[0], g[1])
				dst[0], dst[1] = div[0]/xd.Beta-a, div[1]/xd.Beta-b
			}
			xd.Drift = drift
			g := fokkerplanck.Grid{Box: problem.Box{XMin: -5, XMax: 5, YMin: -5, YMax: 5}, NX: 60, NY: 60}
			l, err := fokkerplanck.Known(&xd, g, fokkerplanck.Centred)
			if err != nil {
				return Finding{}, err
			}
			pi := gibbs(&xd, xd.Beta, g)
			c, current := l.Current(pi), 0.0
			for k := range pi {
				current = max(current, math.Abs(c.X[k]), math.Abs(c.Y[k]))
			}
			_, st, err := steadyOf(&xd, g)
			if err != nil {
				return Finding{}, err
			}
			numbers := []Number{
				measured("XD without its current: largest current at e^(−βΦ)", current, 0, 1e-15),
				measured("XD without its current, blind scheme: KL(steady state‖e^(−βΦ))", variational.KL(st.P, pi), 0, 1e-5),
			}
			return holdsIf(numbers, "Detailed balance holds face by face for a state-dependent D; the potential is recovered from drift and noise alone.",
				"The steady state of the reversible equation is not e^(−βΦ)."), nil
		},
		Tolerance: 1e-5, Reason: "second order on cells of 1/6: KL about 3e-6; the current is a difference of equal numbers, zero to round-off",
	}
}

// holdsIf returns a finding that holds if all numbers do, and fails otherwise.
func holdsIf(numbers []Number, holds, fails string) Finding {
	if allOK(numbers...) {
		return Finding{Verdict: Holds, Numbers: numbers, Text: holds}
	}
	return Finding{Verdict: Fails, Numbers: numbers, Text: fails}
}

func forceIdentities() Entry {
	return Entry{
		ID: "App. C", Item: "Equation (8), Appendix C, equations (A3)–(A5)", Chapter: "03_potential_and_force",
		Claim:   "j = −∇f + D∇Φ − β⁻¹∇·D satisfies ∇·(jρˢˢ) = 0; the line before (A4) says ∇·j − j·∇Φ = 0.",
		Decides: []string{"App. C", "eq. (8)", "E5", "E26"},
		Check: func(context.Context) (Finding, error) {
			const beta, h = 2.0, 1e-4
			xd := problem.XD()
			// j = −Q∇Φ + β⁻¹∇·Q at β = 2, with Φ and Q of XD: stationary by eq. (19) for every D.
			force := func(x, y float64) (float64, float64) {
				q := func(a, b float64) float64 { return xd.Skew([]float64{a, b}) }
				g := make([]float64, 2)
				xd.GradientTo(g, []float64{x, y})
				qx, qy := (q(x+h, y)-q(x-h, y))/(2*h), (q(x, y+h)-q(x, y-h))/(2*h)
				return -q(x, y)*g[1] + qy/beta, q(x, y)*g[0] - qx/beta
			}
			weighted := func(x, y float64) (float64, float64) {
				u, v := force(x, y)
				w := math.Exp(-beta * xd.Potential([]float64{x, y}))
				return u * w, v * w
			}
			divergence := func(f func(x, y float64) (float64, float64), x, y float64) float64 {
				a, _ := f(x+h, y)
				b, _ := f(x-h, y)
				_, c := f(x, y+h)
				_, d := f(x, y-h)
				return (a - b + c - d) / (2 * h)
			}
			var flow, with, without float64
			for k := range 25 {
				x, y := -1.2+0.6*float64(k%5), -1.2+0.6*float64(k/5)+0.1
				g := make([]float64, 2)
				xd.GradientTo(g, []float64{x, y})
				u, v := force(x, y)
				div, along := divergence(force, x, y), u*g[0]+v*g[1]
				flow = max(flow, math.Abs(divergence(weighted, x, y)))
				with = max(with, math.Abs(div-beta*along))
				without = max(without, math.Abs(div-along))
			}
			const tol = 1e-6
			stationary := measured("β = 2: largest |∇·(jρ)|", flow, 0, tol)
			right := measured("β = 2: largest |∇·j − β j·∇Φ|", with, 0, tol)
			printed := measured("β = 2: largest |∇·j − j·∇Φ|, as printed", without, 0, tol)
			f := Finding{Numbers: []Number{stationary, right, printed}, Verdict: Fails, Text: "jρ is not free of divergence."}
			switch {
			case allOK(stationary, right, printed):
				f.Verdict, f.Text = Holds, "The identities hold as printed."
			case allOK(stationary, right):
				f.Verdict = NeedsAssumption
				f.Text = "jρˢˢ is free of divergence without any assumption, and ∇·j = β j·∇Φ with the factor β that the paper omits (E5): it is right as printed for β = 1 only. The current J of (A3) is " +
					"jρˢˢ in the physical sign; with the paper's bracket it is −jρˢˢ (E26)."
			}
			return f, nil
		},
		Tolerance: 1e-6, Reason: "difference quotients of difference quotients with h = 1e-4: truncation about 1e-8 times third derivatives",
	}
}

func noDivergence() Entry {
	return Entry{
		ID: "Assumption 4", Item: "Assumption 4, equation (9)", Chapter: "03_potential_and_force",
		Claim:   "The force has no divergence, ∇·j = 0.",
		Decides: []string{"Assumption 4"},
		Check: func(context.Context) (Finding, error) {
			s, r := problem.EX19(1).System(), problem.EX19R(1).System()
			_, st, err := steadyOf(s, ex19Grid)
			if err != nil {
				return Finding{}, err
			}
			ex, repaired := potential.CheckAssumption4(s, st), potential.CheckAssumption4(r, st)
			return Finding{
				Verdict: verdict(!(ex.RMS < 1e-6), repaired.Largest < 1e-6),
				Numbers: []Number{
					measured("Example 19, λ = 1: largest |∇·j|", ex.Largest, 0, 1e-6),
					measured("Example 19, λ = 1: root mean square of ∇·j", ex.RMS, 0, 1e-6),
					measured("Example 19 repaired: largest |∇·j|", repaired.Largest, 0, 1e-6),
				},
				Text: "It is a property that some systems have, such as every linear one, and most have not. The paper's own Example 19 violates it (E6); with j perpendicular to ∇Φ by construction it is repaired.",
			}, nil
		},
		Tolerance: 1e-6, Reason: "difference quotients with h = 1e-4",
	}
}

// verdict says NeedsAssumption if a claim fails for one system and holds for another.
func verdict(failsSomewhere, holdsSomewhere bool) Verdict {
	switch {
	case failsSomewhere && holdsSomewhere:
		return NeedsAssumption
	case failsSomewhere:
		return Fails
	}
	return Holds
}

func entropyProduction() Entry {
	return Entry{
		ID: "App. B", Item: "Appendix B", Chapter: "03_potential_and_force",
		Claim:   "The entropy production is what F loses; it vanishes at the steady state.",
		Decides: []string{"App. B", "E25"},
		Check: func(context.Context) (Finding, error) {
			l, err := fokkerplanck.Known(problem.EX19(1).System(), ex19Grid, fokkerplanck.Centred)
			if err != nil {
				return Finding{}, err
			}
			st, err := l.Steady()
			if err != nil {
				return Finding{}, err
			}
			p := ex19Grid.MassesTo(nil, func(x []float64) float64 { return math.Exp(-(x[0]-1)*(x[0]-1)-(x[1]+1)*(x[1]+1)) + 1e-12 })
			at, err := potential.EntropyProduction(l, st.P, st.P)
			if err != nil {
				return Finding{}, err
			}
			away, err := potential.EntropyProduction(l, p, st.P)
			if err != nil {
				return Finding{}, err
			}
			f := Finding{
				Numbers: []Number{
					measured("Example 19, λ = 1, at the steady state: what F loses", at.NonAdiabatic, 0, 1e-10),
					measured("Example 19, λ = 1, at the steady state: entropy production", at.Total, 0, 1e-10),
					measured("away from it: sum of both parts / total", (away.Adiabatic+away.NonAdiabatic)/away.Total, 1, 1e-10),
				},
				Verdict: Fails,
				Text: "What F loses is only the non-adiabatic part. To keep a current going costs the adiabatic part, 0.681 λ² for Example 19 (0.68138161 exactly): it is left out, and at the steady state it is all " +
					"there is.",
			}
			if at.Total < 1e-10 {
				f.Verdict, f.Text = Holds, "No entropy is produced at the steady state."
			}
			return f, nil
		},
		Tolerance: 1e-10, Reason: "sums over 9,500 faces of terms of order 1e-4",
	}
}

func freeEnergyDecreases() Entry {
	return Entry{
		ID: "Theorem 5", Item: "Theorem 5, equations (10) and (11), Appendix F.1", Chapter: "04_free_energy",
		Claim:   "Under Assumption 4, F(ρ) = β⁻¹ KL(ρ‖ρˢˢ) decreases along the Fokker–Planck equation, with equality only at the steady state.",
		Decides: []string{"Theorem 5", "eq. (11)", "F.1", "E4"},
		Check: func(context.Context) (Finding, error) {
			s := problem.EX19(1.5).System() // violates Assumption 4
			l, err := fokkerplanck.Known(s, ex19Grid, fokkerplanck.Upwind)
			if err != nil {
				return Finding{}, err
			}
			pi := gibbs(s, 1, ex19Grid)
			step, err := l.Step(0.1)
			if err != nil {
				return Finding{}, err
			}
			p := make([]float64, ex19Grid.Cells())
			p[ex19Grid.Index(10, 60)] = 1
			rise, last, split := 0.0, math.Inf(1), 0.0
			phi := make([]float64, len(pi))
			for k, v := range pi {
				phi[k] = -math.Log(v)
			}
			for range 60 {
				step.Advance(p)
				f := variational.KL(p, pi)
				rise = max(rise, f-last)
				split = max(split, math.Abs(f-variational.FreeEnergy(p, phi, ex19Grid.CellArea(), 1)))
				last = f
			}
			// D of rank one, REF's Hessian: a Gaussian at rest away from the steady state.
			sigma := mat.NewSymDense(2, []float64{1, .5, .5, 1. / 3})
			var m mat.VecDense
			m.MulVec(sigma, mat.NewVecDense(2, []float64{1, -1}))
			g := variational.Gaussian{Mean: &m, Covariance: sigma}
			law := variational.Gaussian{Mean: mat.NewVecDense(2, nil), Covariance: sigma}
			rate := g.FreeEnergyRate(mat.NewSymDense(2, []float64{1, 1, 1, 1}), sigma, 1)

			monotone := []Number{
				measured("Example 19, λ = 1.5, which violates Assumption 4: largest rise of F in a step", rise, 0, 1e-12),
				measured("the same: largest |F − (𝔼Φ − H + log Z)|, eq. (11)", split, 0, 1e-12),
			}
			stall := []Number{
				measured("D of rank one: dF/dt of a Gaussian", rate, 0, 1e-12),
				measured("D of rank one: F of the same Gaussian", g.KLTo(law), 0, 1e-12),
			}
			f := Finding{Numbers: append(monotone, stall...), Verdict: Fails, Text: "F rises."}
			if allOK(monotone...) {
				f.Verdict = NeedsAssumption
				f.Text = "F never rises, and Assumption 4 is not needed: stationarity suffices. But strict decrease needs D ≻ 0: with a D of rank one F stands still at 1/6, away from the steady state. That F is a " +
					"relative entropy makes it non-increasing for every Markov process; the content is in Φ."
				if allOK(stall...) {
					f.Verdict = Holds
				}
			}
			return f, nil
		},
		Tolerance: 1e-12, Reason: "round-off of sums over 4,800 cells",
	}
}

func isotropicNoise() Entry {
	return Entry{
		ID: "Lemma 6", Item: "Lemma 6, Appendix F.2", Chapter: "05_isotropic_noise",
		Claim:   "Φ = f if and only if D is isotropic; otherwise j ≠ 0.",
		Decides: []string{"Lemma 6", "F.2", "E1", "E2", "E3"},
		Check: func(context.Context) (Finding, error) {
			scaled := problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(2, []float64{1, 1}), mat.NewSymDense(2, []float64{2, 0, 0, 2}), 1)
			commuting := problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(2, []float64{1, 3}), mat.NewSymDense(2, []float64{1, 0, 0, 5}), 1)
			// The box [0, π]²: e^(−f) = 1 + ε cos x cos y and D = diag(1+m, 1−m).
			const eps, m = 0.5, 0.5
			rho := func(x []float64) float64 { return 1 + eps*math.Cos(x[0])*math.Cos(x[1]) }
			box := &problem.System{
				Name: "box", Beta: 1, Box: problem.Box{XMax: math.Pi, YMax: math.Pi},
				Drift: func(dst, x []float64) {
					dst[0] = -eps * math.Sin(x[0]) * math.Cos(x[1]) / rho(x)
					dst[1] = -eps * math.Cos(x[0]) * math.Sin(x[1]) / rho(x)
				},
				Diffusion:    func([]float64) problem.Tensor { return problem.Tensor{XX: 1 + m, YY: 1 - m} },
				DivDiffusion: func(dst, _ []float64) { dst[0], dst[1] = 0, 0 },
			}
			g := fokkerplanck.Grid{Box: box.Box, NX: 40, NY: 40}
			l, st, err := steadyOf(box, g)
			if err != nil {
				return Finding{}, err
			}
			d, err := potential.FromGrid(l, st)
			if err != nil {
				return Finding{}, err
			}
			numbers := []Number{
				measured("D = 2I, f = ½|x|², β = 1: variance, 1 if Φ = f", scaled.Covariance().At(0, 0), 1, 1e-12),
				measured("box with Φ = f: anisotropy D₁₁ − D₂₂", 2*m, 0, 0),
				measured("the same: KL(steady state‖e^(−f))", variational.KL(st.P, g.MassesTo(nil, rho)), 0, 1e-6),
				measured("the same: stream function in the middle, εm/π²", d.Stream[20*41+20], eps*m/(math.Pi*math.Pi), 1e-4),
				measured("F = diag(1, 3), D = diag(1, 5): Q₁₂, not 0 if anisotropic noise turns", commuting.Skew().At(0, 1), 0, roundOff),
			}
			f := Finding{Numbers: numbers, Verdict: Fails, Text: "D = cI gives Φ = f/c (E1), so that Φ = f needs c = 1. The converse is false: in a box with anisotropic D the steady state is e^(−f), with a current (E2). And anisotropic " +
				"noise need not turn: j = 0 whenever D commutes with every Hessian (E3)."}
			if numbers[0].OK() && !numbers[2].OK() {
				f.Verdict, f.Text = Holds, "No counterexample was found."
			}
			return f, nil
		},
		Tolerance: 1e-4, Reason: "second order on cells of π/40; closed forms to round-off",
	}
}

func closedTrajectories() Entry {
	return Entry{
		ID: "Lemma 7", Item: "Lemma 7, Appendix F.3", Chapter: "06_most_likely_trajectories",
		Claim:   "The force leaves F alone, and the most likely trajectories of SGD are closed.",
		Decides: []string{"Lemma 7", "F.3", "E24"},
		Check: func(context.Context) (Finding, error) {
			block := func(d12 float64) float64 {
				p := problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(2, []float64{1, 3}), mat.NewSymDense(2, []float64{1, d12, d12, 1}), 1)
				return p.Frequencies()[0]
			}
			w1, w2 := block(.9), block(.5)
			// Two such blocks in four dimensions: the orbit closes only if w₁/w₂ is rational.
			nearest := math.Inf(1)
			for q := 1; q <= 50; q++ {
				r := float64(q) * w1 / w2
				nearest = min(nearest, math.Abs(r-math.Round(r)))
			}
			repaired := problem.EX19R(1).System()
			x, drift := []float64{1.4, 0.3}, 0.0
			start := repaired.Potential(x)
			problem.Flow(repaired.ForceTo, x, 20, 1e-3, func(x []float64) { drift = max(drift, math.Abs(repaired.Potential(x)-start)) })
			numbers := []Number{
				measured("orbits of ẋ = j, Example 19 repaired: largest change of Φ in 20 units of time", drift, 0, 1e-10),
				measured("four dimensions: distance of q·ω₁/ω₂ from a whole number, best of q ≤ 50", nearest, 0, 1e-6),
				measured("REF: ω / √(l₁l₂), at most 1 for a loss in the plane", w1/math.Sqrt(3), 1, 0),
			}
			f := Finding{Numbers: numbers, Verdict: Fails, Text: "Under Assumption 4 orbits of ẋ = j stay on level sets of Φ. In the plane these are closed; in four dimensions the orbit of two blocks with ω₁/ω₂ = 9√(13/157) never closes. " +
				"They are no limit cycles, since a flow without divergence attracts nothing, and not the most likely paths, which for a loss follow −∇f as the noise vanishes. For a quadratic loss in the plane rotation is never faster than decay."}
			if numbers[1].OK() {
				f.Verdict, f.Text = Holds, "The orbits close."
			}
			return f, nil
		},
		Tolerance: 1e-10, Reason: "fourth-order integration with steps of 1e-3; a rational ratio would give round-off",
	}
}

func doubleWell() Entry {
	return Entry{
		ID: "Example 19", Item: "Example 19", Chapter: "10_limit_cycle",
		Claim:   "A double well with a rotational force has the steady state e^(−βΦ) for every strength λ; it stands for an SGD on some loss f.",
		Decides: []string{"Example 19", "E6", "E7"},
		Check: func(context.Context) (Finding, error) {
			var numbers []Number
			for _, c := range []struct {
				lambda, beta float64
				name         string
			}{
				{.5, 1, "λ = 0.5, β = 1: KL(steady state‖e^(−Φ))"}, {1.5, 1, "λ = 1.5, β = 1: KL(steady state‖e^(−Φ))"},
				{1.5, 4, "λ = 1.5, β = 4: KL(steady state‖e^(−4Φ))"},
			} {
				s := problem.EX19(c.lambda).System()
				phi := *s
				_, st, err := steadyOf(s.AtBeta(c.beta), ex19Grid)
				if err != nil {
					return Finding{}, err
				}
				numbers = append(numbers, measured(c.name, variational.KL(st.P, gibbs(&phi, c.beta, ex19Grid)), 0, 1e-5))
			}
			s := problem.EX19(.5).System()
			_, st, err := steadyOf(s, ex19Grid)
			if err != nil {
				return Finding{}, err
			}
			numbers = append(numbers, measured("λ = 0.5: root mean square of ∇·j, 0 under Assumption 4", potential.CheckAssumption4(s, st).RMS, 0, 1e-6))
			loop := potential.LoopIntegral(func(dst, x []float64) { s.Drift(dst, x) }, 0, 0, .1, 64)
			numbers = append(numbers, measured("λ = 0.5: circulation of the drift round a circle of radius 0.1, 0 for a gradient", loop, 0, 1e-12))
			f := Finding{Numbers: numbers, Verdict: Fails, Text: "The steady state is not e^(−Φ) at β = 1."}
			if allOK(numbers[:2]...) {
				f.Verdict = NeedsAssumption
				f.Text = "e^(−Φ) is stationary for every λ, at β = 1 only: at β = 4 the steady state is another (E10), as must be for a force with divergence, which violates Assumption 4 (E6). And no loss has this drift: it is not a gradient, so that with D = I it is no SGD at all (E7)."
			}
			return f, nil
		},
		Tolerance: 1e-5, Reason: gridReason,
	}
}

func figure4() Entry {
	return Entry{
		ID: "Fig. 4", Item: "Figure 4", Chapter: "10_limit_cycle",
		Claim:   "As λ grows SGD moves from the minima to a limit cycle around the saddle point.",
		Decides: []string{"Fig. 4", "E8"},
		Check: func(context.Context) (Finding, error) {
			var numbers []Number
			same := true
			for _, lambda := range []float64{0, .5, 1.5} {
				l, st, err := steadyOf(problem.EX19(lambda).System(), ex19Grid)
				if err != nil {
					return Finding{}, err
				}
				d, err := potential.FromGrid(l, st)
				if err != nil {
					return Finding{}, err
				}
				x, _ := d.Mode(func(x, _ float64) bool { return x > 0 })
				n := measured(fmt.Sprintf("λ = %g: most likely place on the right, x₁", lambda), x, 1, 0.02)
				same = same && n.OK()
				numbers = append(numbers, n)
			}
			// Return map of the drift at λ = 1.5 on the positive x₁-axis: a limit cycle is a fixed point.
			cycle := problem.EX19(1.5).System()
			shrinks := true
			for _, r := range []float64{.2, 1, 2} {
				back := problem.FirstReturn(cycle.Drift, r)
				shrinks = shrinks && back < r
				numbers = append(numbers, measured(fmt.Sprintf("λ = 1.5: return of the drift from x₁ = %g, the same on a limit cycle", r), back, r, 1e-3))
			}
			f := Finding{Numbers: numbers, Verdict: Undecided, Text: "The density moves with λ."}
			if same && shrinks {
				f.Verdict = Fails
				f.Text = "The density is the same in all three panels, with its modes at (±1, 0). What moves are the zeros of the drift, which merge at λ = e^(−1/4). At λ = 1.5 every return is closer to the origin: the drift has no " +
					"limit cycle at the radii tried. The closed orbits are those of ẋ = j, circles for every λ > 0."
			}
			return f, nil
		},
		Tolerance: 0.02, Reason: "a parabola through cells of width 0.1 finds the mode to a fifth of a cell",
	}
}

// The next four belong to Theorem 22; two dimensions decide them.

func criticalPoints() Entry {
	return Entry{
		ID: "E9", Item: "Theorem 22 and Remark 25 against Assumption 4", Chapter: "12_general_case",
		Claim:   "Under Assumption 4 the critical points of Φ are other than those of f, even for constant D.",
		Decides: []string{"E9"},
		Check: func(context.Context) (Finding, error) {
			// EX19R has constant D and Assumption 4: its drift at the critical points of Φ.
			repaired, u, moved := problem.EX19R(1.5).System(), make([]float64, 2), 0.0
			for _, x := range [][]float64{{0, 0}, {1, 0}, {-1, 0}} {
				repaired.Drift(u, x)
				moved = max(moved, math.Hypot(u[0], u[1]))
			}
			// CV has constant D; its minimum of f is at (1, ½).
			cv := problem.CV()
			l, st, err := steadyOf(cv, fokkerplanck.Grid{Box: cv.Box, NX: 100, NY: 100})
			if err != nil {
				return Finding{}, err
			}
			d, err := potential.FromGrid(l, st)
			if err != nil {
				return Finding{}, err
			}
			x, y := d.Mode(func(x, _ float64) bool { return x > 0 })
			// j is not perpendicular to ∇Φ at the minimum of f: there j = D∇Φ, so that j·∇Φ > 0
			// unless ∇Φ = 0.
			together := measured("EX19R, λ = 1.5, which satisfies Assumption 4: largest |drift| at the critical points of Φ", moved, 0, roundOff)
			apart := measured("CV: distance of the mode from the minimum of f", math.Hypot(x-1, y-.5), 0, .02)
			f := Finding{Numbers: []Number{together, apart}, Verdict: Undecided, Text: "The examples contradict the proof."}
			if together.OK() && !apart.OK() {
				f.Verdict = Fails
				f.Text = "With constant D ≻ 0, where ∇f = 0 it is j = D∇Φ, so that Assumption 4, j·∇Φ = 0, makes ∇Φ = 0: the critical points coincide. Where they move, as in the curved valley, Assumption 4 fails."
			}
			return f, nil
		},
		Tolerance: 0.02, Reason: "a parabola through cells of 0.064×0.085 finds the mode to a fifth of a cell; closed forms to round-off",
	}
}

func temperature() Entry {
	return Entry{
		ID: "E10", Item: "Theorem 22, Section 3", Chapter: "12_general_case",
		Claim:   "The potential Φ does not depend on β.",
		Decides: []string{"E10"},
		Check: func(context.Context) (Finding, error) {
			shape := func(s *problem.System, beta float64) (float64, error) {
				_, st, err := steadyOf(s.AtBeta(beta), ex19Grid)
				if err != nil {
					return 0, err
				}
				return variational.KL(st.P, gibbs(s, beta, ex19Grid)), nil
			}
			var kl [3]float64
			for i, c := range []struct {
				s    *problem.System
				beta float64
			}{{problem.EX19(1.5).System(), 2}, {problem.EX19(1.5).System(), 4}, {problem.EX19R(1.5).System(), 4}} {
				v, err := shape(c.s, c.beta)
				if err != nil {
					return Finding{}, err
				}
				kl[i] = v
			}
			repaired := measured("Example 19 repaired, λ = 1.5, β = 4: KL(steady state‖e^(−4Φ))", kl[2], 0, 2e-3)
			f := Finding{Numbers: []Number{
				measured("Example 19, λ = 1.5, β = 2: KL(steady state‖e^(−2Φ))", kl[0], 0, 2e-3),
				measured("Example 19, λ = 1.5, β = 4: KL(steady state‖e^(−4Φ))", kl[1], 0, 2e-3), repaired,
			}, Verdict: Holds, Text: "No dependence was found."}
			if !allOK(f.Numbers[:2]...) && repaired.OK() {
				f.Verdict = Fails
				f.Text = "The Φ of β = 1 is not that of the same drift and noise at β = 4. For constant D it is the same at every β exactly if Assumption 4 holds, as in the repaired example and in every linear system."
			}
			return f, nil
		},
		Tolerance: 2e-3, Reason: "second order; at β = 4 the wells are two cells wide, which leaves a KL of about 1e-3 where there should be none",
	}
}

func pathIndependence() Entry {
	return Entry{
		ID: "E11", Item: "Appendix F.4, equation (A13)", Chapter: "12_general_case",
		Claim:   "Φ is the path-independent integral of G⁻¹∇f, G = D + Q.",
		Decides: []string{"E11"},
		Check: func(context.Context) (Finding, error) {
			xd := problem.XD()
			field := func(c float64) func(dst, x []float64) { // G⁻¹(∇f + c·β⁻¹∇·G)
				return func(dst, x []float64) {
					const h = 1e-4
					q, d := xd.Skew(x), xd.Diffusion(x)
					var u, div [2]float64
					xd.Drift(u[:], x)
					xd.DivDiffusionTo(div[:], x)
					div[0] += (xd.Skew([]float64{x[0], x[1] + h}) - xd.Skew([]float64{x[0], x[1] - h})) / (2 * h)
					div[1] -= (xd.Skew([]float64{x[0] + h, x[1]}) - xd.Skew([]float64{x[0] - h, x[1]})) / (2 * h)
					a, b := -u[0]+c*div[0]/xd.Beta, -u[1]+c*div[1]/xd.Beta
					det := d.XX*d.YY - (d.XY+q)*(d.XY-q)
					dst[0], dst[1] = (d.YY*a-(d.XY+q)*b)/det, (-(d.XY-q)*a+d.XX*b)/det
				}
			}
			printed := measured("XD: integral of (A13) as printed round a circle of radius 1.5", potential.LoopIntegral(field(0), 0, 0, 1.5, 256), 0, 1e-7)
			right := measured("the same with ∇f + β⁻¹∇·G in the place of ∇f", potential.LoopIntegral(field(1), 0, 0, 1.5, 256), 0, 1e-7)
			f := Finding{Numbers: []Number{printed, right}, Verdict: Holds, Text: "The integral does not depend on the path."}
			if !printed.OK() && right.OK() {
				f.Verdict = Fails
				f.Text = "The term β⁻¹∇·G is missing. With it the integral depends on no path, for the right Q only: that is the equation which defines Q, and no formula for Φ."
			}
			return f, nil
		},
		Tolerance: 1e-7, Reason: "∇·Q by difference quotients with h = 1e-4",
	}
}

func manyEquations() Entry {
	return Entry{
		ID: "E13", Item: "Section 5.2, Appendix F.4", Chapter: "12_general_case",
		Claim:   "The steady state determines the Fokker–Planck equation, and with it Q.",
		Decides: []string{"E13"},
		Check: func(context.Context) (Finding, error) {
			// One density, two forces: Example 19 and its repaired version.
			a, b := problem.EX19(1).System(), problem.EX19R(1).System()
			l, err := fokkerplanck.Known(a, ex19Grid, fokkerplanck.Upwind)
			if err != nil {
				return Finding{}, err
			}
			m, err := fokkerplanck.Known(b, ex19Grid, fokkerplanck.Upwind)
			if err != nil {
				return Finding{}, err
			}
			first, err := l.Steady()
			if err != nil {
				return Finding{}, err
			}
			second, err := m.Steady()
			if err != nil {
				return Finding{}, err
			}
			// One drift, two Q: adding K·e^(βΦ) to q changes nothing in j = −Q∇Φ + β⁻¹∇·Q.
			shifted := problem.FromPotential("shifted", a.Box, 1, a.Potential, a.Diffusion, func(x []float64) float64 { return a.Skew(x) + .3*math.Exp(a.Potential(x)) })
			var u, v [2]float64
			change := 0.0
			for k := range 25 {
				x := []float64{-1.2 + .6*float64(k%5), -1.1 + .6*float64(k/5)}
				a.Force(u[:], x)
				shifted.Force(v[:], x)
				change = max(change, math.Hypot(u[0]-v[0], u[1]-v[1]))
			}
			same := measured("Example 19 and its repaired version, λ = 1: KL between their steady states", variational.KL(first.P, second.P), 0, 1e-12)
			differ := measured("the difference of their area rates", l.Current(first.P).AreaRate()-m.Current(second.P).AreaRate(), 0, 1e-3)
			gauge := measured("Example 19: largest change of j when 0.3 e^Φ is added to q", change, 0, 1e-6)
			f := Finding{Numbers: []Number{same, differ, gauge}, Verdict: Holds, Text: "Equal densities have equal currents."}
			if allOK(same, gauge) && !differ.OK() {
				f.Verdict = Fails
				f.Text = "Two equations with different currents have the same steady state. And one equation has many Q: q is free up to a constant times e^(βΦ)."
			}
			return f, nil
		},
		Tolerance: 1e-6, Reason: "differences of five points; steady states to round-off",
	}
}
