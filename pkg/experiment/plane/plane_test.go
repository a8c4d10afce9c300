package plane_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"sgdlab/pkg/experiment/plane"
	"sgdlab/pkg/figure"
	"sgdlab/pkg/fokkerplanck"
	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
)

func solve(t *testing.T, s *problem.System, n int) *plane.Solution {
	t.Helper()
	v, err := plane.Solve(s, n)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Density, potential, force, current and modes of EX19R, all in closed form. Cells of 0.1 ×
// 0.17 are good to about 0.01.
func TestSolution(t *testing.T) {
	p := problem.EX19R(1)
	s := p.System()
	v := solve(t, s, 60)
	phi, err := v.Potential()
	if err != nil {
		t.Fatal(err)
	}
	exact, force, current, density := plane.Exact("closed form", s, s.Box, 240), v.Force(), v.Current(), v.Cells()
	var a, b, c [2]float64
	for _, x := range [][]float64{{1, .5}, {-.3, -1}, {0, .8}} {
		numtest.Close(t, "Φ", phi.At(x), s.Potential(x), .02)
		numtest.Close(t, "ρ", density.At(x), exact.Cells.At(x), .002)
		force(a[:], x)
		s.Force(b[:], x)
		numtest.CloseSlice(t, "j", a[:], b[:], .02)
		current(a[:], x)
		exact.Current(c[:], x)
		numtest.CloseSlice(t, "J", a[:], c[:], .003)
	}
	modes, err := v.Modes()
	if err != nil {
		t.Fatal(err)
	}
	numtest.CloseSlice(t, "modes", append(modes[0], modes[1]...), []float64{1, 0, -1, 0}, .02)
	// The root mean square of j is that of the closed form under the same masses.
	square := v.Mean(func(x, y float64) float64 { s.Force(b[:], []float64{x, y}); return b[0]*b[0] + b[1]*b[1] })
	numtest.Close(t, "size of j", v.ForceSize(), math.Sqrt(square), .02)
	if v.KLFrom(s.Potential, 1) > 2e-5 || v.KLFrom(s.Potential, 2) < .1 {
		t.Errorf("KL from e^(−Φ) %.3g, from e^(−Φ/2) %.3g", v.KLFrom(s.Potential, 1), v.KLFrom(s.Potential, 2))
	}
	if e, err := v.PotentialError(); err != nil || e > .01 {
		t.Errorf("mean error of Φ %.3g, %v", e, err)
	}
	numtest.Close(t, "anisotropy of D = I", v.Anisotropy(), 0, 0)
	numtest.Close(t, "anisotropy of CV", solve(t, problem.CV(), 24).Anisotropy(), .9, 1e-15)
	numtest.Close(t, "area rate", v.AreaRate(), p.AreaRate(), .01)
	if m := v.MapBeside("a", "b", s.Potential); m.Reference != "b" || m.KL != v.KLFrom(s.Potential, 1) || m.TV <= 0 || m.Current == nil {
		t.Errorf("MapBeside: %+v", m)
	}
	if m := solve(t, problem.EX19(0).System(), 24).Map("no force"); m.Current != nil {
		t.Error("a map of an equilibrium has a current")
	}
}

// Simulated and Exact of REF: density and current within five standard errors in a middle
// cell with some 4000 independent visits; the current of a visit has the spread of a step,
// √(D/Δ)/2 per unit of time and density (4 numbers: false alarm 2e-6).
func TestSimulated(t *testing.T) {
	s := problem.REF().System()
	box := problem.Box{XMin: -3, XMax: 3, YMin: -2, YMax: 2}
	r, err := sde.Simulate(context.Background(), sde.Plane(s), []float64{0, 0}, &sde.Settings{
		Step: .02, BurnIn: 250, Steps: 500, Walkers: 1000, Seed: 7, Grid: &sde.Grid{Box: box, NX: 12, NY: 8}})
	if err != nil {
		t.Fatal(err)
	}
	sim, exact := plane.Simulated("walkers", r.Histogram), plane.Exact("closed form", s, box, 96)
	var a, b [2]float64
	x := []float64{.75, .25} // the centre of cell (7, 4)
	sim.Current(a[:], x)
	exact.Current(b[:], x)
	rho := exact.Cells.At(x)
	visits := rho * r.Histogram.Grid.CellArea() * float64(r.Histogram.Total())
	numtest.CloseSlice(t, "J", a[:], b[:], 5*rho*math.Sqrt(1/(2*.02)/visits)+.01) // 0.01: curvature of J across the cell
	mean := 0.                                                                    // over the cell; 10,000 units of time make some 700 independent visits: 5 · 4 %
	for k := range 64 {
		mean += exact.Cells.At([]float64{.5 + .5*(float64(k%8)+.5)/8, .5 * (float64(k/8) + .5) / 8}) / 64
	}
	numtest.Close(t, "ρ", sim.Cells.At(x), mean, .2*mean)
}

// The steady state of a box that the solver leaves without mass has no potential; bad
// systems are refused with the errors of package fokkerplanck.
func TestSolveBadInput(t *testing.T) {
	bad := *problem.CV()
	bad.Beta = -1
	if _, err := plane.Solve(&bad, 8); err == nil || !strings.Contains(err.Error(), "β is -1") {
		t.Errorf("β = −1: %v", err)
	}
	if _, err := plane.Solve(problem.CV(), 1); err == nil || !strings.Contains(err.Error(), "too coarse") {
		t.Errorf("one cell: %v", err)
	}
	still := &problem.System{Name: "still", Beta: 1, Box: problem.Box{XMin: -1, XMax: 1, YMin: -1, YMax: 1},
		Drift: func(dst, _ []float64) { dst[0], dst[1] = 0, 0 }, Diffusion: func([]float64) problem.Tensor { return problem.Tensor{} }}
	if _, err := plane.Solve(still, 8); err == nil || !strings.Contains(err.Error(), "not unique") {
		t.Errorf("no motion: %v", err)
	}
	hole := solve(t, problem.CV(), 12)
	hole.P[0] = 0
	if _, err := hole.Potential(); err == nil || !strings.Contains(err.Error(), "no mass at (-2.93, -2.15)") {
		t.Errorf("a cell without mass: %v", err)
	}
}

func TestRelaxation(t *testing.T) {
	g := fokkerplanck.Grid{Box: problem.Box{XMin: -3, XMax: 3, YMin: -5, YMax: 5}, NX: 30, NY: 40}
	l, err := fokkerplanck.Known(problem.EX19(0).System(), g, fokkerplanck.Centred)
	if err != nil {
		t.Fatal(err)
	}
	p := make([]float64, g.Cells())
	p[g.Index(5, 30)] = 1
	r, err := plane.Relax(l, p, .05, 240)
	if err != nil {
		t.Fatal(err)
	}
	if rise := r.LargestRise(); rise > 0 || len(r.F) != 241 || p[g.Index(5, 30)] != 1 {
		t.Errorf("largest rise %.3g, %d values; the start has changed or F rises", rise, len(r.F))
	}
	// Without a current both slowest modes are real, and F = Σ a_k e^(−2g_k t) in the end: at
	// t = 11 the second has fallen to some percent of the first.
	if rate := r.Rate(11); rate < r.FinalRate() || rate > r.FinalRate()*1.02 || !math.IsInf(r.Turn(), 1) {
		t.Errorf("rate %.4f, want at most 2 %% above %.4f; period %v", rate, r.FinalRate(), r.Turn())
	}
	// With a current they are a complex pair: half a period later the rate is on the other
	// side of twice the gap. The pair is that of a damped rotation in any case.
	turning, err := fokkerplanck.Known(problem.EX19(1.5).System(), g, fokkerplanck.Centred)
	if err != nil {
		t.Fatal(err)
	}
	x, err := plane.Relax(turning, p, .05, 240)
	if err != nil {
		t.Fatal(err)
	}
	if T := x.Turn(); math.Abs(T-math.Pi/.67) > .2 || (x.Rate(6)-x.FinalRate())*(x.Rate(6+T/2)-x.FinalRate()) >= 0 {
		t.Errorf("period %.3f, rates %.4f and %.4f half of it later, about %.4f", T, x.Rate(6), x.Rate(6+T/2), x.FinalRate())
	}
	if c := r.Curve("λ = 0"); len(c.T) != 241 || c.T[240] != .05*240 || c.Gap != r.Gap() {
		t.Errorf("curve: %d points, gap %v", len(c.T), c.Gap)
	}
	maps, err := plane.Snapshots(l, p, .05, .1, 1)
	if err != nil || len(maps) != 2 || maps[1].Title != "t = 1.0" {
		t.Fatalf("snapshots: %d, %v", len(maps), err)
	}
	sum := 0.
	for _, v := range maps[1].Cells.Values {
		sum += v * g.CellArea()
	}
	numtest.Close(t, "mass", sum, 1, 1e-12)

	blob := g.MassesTo(nil, func(x []float64) float64 { return math.Exp(-(x[0]-1)*(x[0]-1)-(x[1]+1)*(x[1]+1)) + 1e-12 })
	e, err := plane.Production(l, blob, .3, 4)
	if err != nil || len(e.Times) != 5 || math.Abs(e.Times[4]-1.2) > 1e-12 {
		t.Fatalf("production: %+v, %v", e, err)
	}
	for k := range e.Times {
		numtest.Close(t, "adiabatic part without a current", e.Adiabatic[k], 0, 1e-10)
	}
	if e.NonAdiabatic[4] >= e.NonAdiabatic[0] || e.NonAdiabatic[4] <= 0 {
		t.Errorf("non-adiabatic parts %v: want them to fall", e.NonAdiabatic)
	}
}

// Agreement on a few bins: walkers within five spreads of what chance makes expect, and 0.005
// for the bias of a step of 0.02 (three systems of seven numbers: false alarm 1e-5); finite
// volumes within a factor of two of what cells twice as wide say.
func TestAgree(t *testing.T) {
	for _, s := range []*problem.System{problem.EX19(1.5).System(), problem.CV(), problem.XD()} {
		a, err := plane.Agree(context.Background(), s, plane.AgreementSettings{Bins: 12, Refine: 6, Walkers: 3000, Time: 8, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		numtest.Close(t, s.Name+", KL of the walkers", a.Walkers.KL, a.Walkers.KLExpected, 5*a.Walkers.KLSpread+1e-3)
		numtest.Close(t, s.Name+", TV of the walkers", a.Walkers.TV, a.Walkers.TVExpected, 5*a.Walkers.TVSpread+.005)
		if r := a.Volumes.KL / a.Volumes.KLExpected; r < .5 || r > 2 {
			t.Errorf("%s: KL of the finite volumes %.3g, expected %.3g", s.Name, a.Volumes.KL, a.Volumes.KLExpected)
		}
		if r := a.Volumes.TV / a.Volumes.TVExpected; r < .5 || r > 2 {
			t.Errorf("%s: TV of the finite volumes %.3g, expected %.3g", s.Name, a.Volumes.TV, a.Volumes.TVExpected)
		}
		for _, m := range a.Moments {
			numtest.Close(t, s.Name+", "+m.Name+" of the walkers", m.Walkers, 0, 5*m.WalkersExpected+.005)
			if math.Abs(m.Volumes) > 2*m.VolumesExpected+1e-6 {
				t.Errorf("%s: %s of the finite volumes is off by %.3g, expected %.3g", s.Name, m.Name, m.Volumes, m.VolumesExpected)
			}
		}
		if len(a.Distances()) != 2 || len(a.MomentRows()) != 5 {
			t.Errorf("%s: %d and %d rows", s.Name, len(a.Distances()), len(a.MomentRows()))
		}
		if _, err := figure.DensityMap(a.Figure()); err != nil {
			t.Error(err)
		}
		if want := s.Name == "CV"; (a.Reference != "closed form") != want {
			t.Errorf("%s: reference %q", s.Name, a.Reference)
		}
		if s.Name == "CV" { // exact at every β: 𝔼x₂ = ½𝔼x₁² = 0.4620 (statements.md §14)
			numtest.Close(t, "𝔼x₂", a.Moments[1].Reference, .4620, 2e-3)
			numtest.Close(t, "½𝔼x₁²", a.Moments[2].Reference/2, .4620, 4e-3)
		}
	}
	for want, set := range map[string]plane.AgreementSettings{"at least 2 bins": {Bins: 1}, "even Refine": {Refine: 3}, "walker": {Step: 3}} {
		if _, err := plane.Agree(context.Background(), problem.EX19(0).System(), set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q in it", set, err, want)
		}
	}
}

func TestSimulatorOrders(t *testing.T) {
	o, err := plane.SimulatorOrders(context.Background(), 100)
	if err != nil {
		t.Fatal(err)
	}
	// 100 paths know a strong slope to 0.05, 2000 a weak one to 0.07; the curvature of the
	// errors adds 0.13 and 0.18. The tests of package sde use more and hold them tighter.
	for _, c := range o.Strong {
		numtest.Close(t, c.Name, c.StrongOrder, c.Theory, .35)
	}
	for _, c := range o.Weak {
		numtest.Close(t, c.Name, c.WeakOrder, c.Theory, .5)
	}
	for _, f := range []figure.CurvesFigure{o.StrongFigure(), o.WeakFigure()} {
		if _, err := figure.Curves(f); err != nil {
			t.Error(err)
		}
	}
}

// Quick settings: the means lie within five standard errors and 2 % of the closed forms (the
// bias at Δ = 0.02 is 1.7 % of 𝔼x₂² and below 1 % of the rest), the limits within five
// standard errors (12 numbers: false alarm 7e-6). A line is fitted exactly.
func TestCirculation(t *testing.T) {
	n, err := plane.Circulation(context.Background(), plane.CirculationQuick())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range n.Quantities {
		for i := range n.Steps {
			numtest.Close(t, q.Name, q.Mean[i], q.Exact, 5*q.StdErr[i]+.02*q.Exact)
		}
		if !(math.Abs(q.Off()) < 5) {
			t.Errorf("%s: limit %.4f ± %.4f, closed form %.4f", q.Name, q.Limit, q.LimitErr, q.Exact)
		}
		// Two points: the line goes through both.
		for i, dt := range n.Steps {
			numtest.Close(t, q.Name+", line", q.Limit+q.Slope*dt, q.Mean[i], 1e-12)
		}
	}
	if _, err := figure.Curves(n.Figure()); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*plane.CirculationSettings){
		"two or more": func(s *plane.CirculationSettings) { s.Steps = s.Steps[:1] },
		"walker":      func(s *plane.CirculationSettings) { s.Steps = []float64{.02, 5} },
	} {
		s := plane.CirculationQuick()
		change(&s)
		if _, err := plane.Circulation(context.Background(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func Example() {
	v, err := plane.Solve(problem.XD(), 60)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("KL from the closed form: %.1e\n", v.KLFrom(problem.XD().Potential, 1))
	// Output:
	// KL from the closed form: 3.5e-06
}
