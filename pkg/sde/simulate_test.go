package sde_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
)

func simulate(t testing.TB, eq *sde.Ito, x0 []float64, s sde.Settings) *sde.Result {
	t.Helper()
	res, err := sde.Simulate(context.Background(), eq, x0, &s)
	if err != nil {
		t.Fatal(err)
	}
	if res.Status != sde.Completed {
		t.Fatalf("%v: %v", res.Status, res.BlowUp)
	}
	return res
}

// within reports an error unless e is within sigmas standard errors and the allowance of
// want.
func within(t *testing.T, e sde.Estimate, want, sigmas, allowance float64) {
	t.Helper()
	numtest.Close(t, e.Name, e.Mean, want, sigmas*e.StdErr+allowance)
}

var everything = []sde.Observable{
	sde.Moment(2, 0), sde.Moment(0, 2), sde.Moment(1, 1), sde.AreaRate(0, 1), sde.RayFlux(0), sde.RayFlux(.5),
}

// TestEX19 is the run of statements §11.2 [m08]: 400 walkers, T = 40 after a burn-in of
// 10, Δ = 0.01, within 4 standard errors and an allowance for the step of 0.01, or 0.02 for
// the area rate. 𝔼x₂² is compared with 1/(1−Δ/2), that of Euler–Maruyama at λ = 0; the
// other biases are below 0.005 (𝔼x₁², fluxes). With the standard errors below that leaves
// 4.9 of them for the moments and more for the rates: 18 comparisons, false alarm 6e-6.
func TestEX19(t *testing.T) {
	for _, lambda := range []float64{0, .5, 1.5} {
		p := problem.EX19(lambda)
		res := simulate(t, sde.Plane(p.System()), []float64{1, 0}, sde.Settings{
			Step: .01, Steps: 4000, BurnIn: 1000, Walkers: 400, Seed: 19, Observables: everything,
			Grid: &sde.Grid{Box: p.System().Box, NX: 24, NY: 32},
		})
		e := res.Estimates
		xx, yy := p.SecondMoments()
		within(t, e[0], xx, 4, .01)
		within(t, e[1], yy/(1-.01/2), 4, .01)
		within(t, e[2], 0, 4, .01)
		within(t, e[3], p.AreaRate(), 4, .02)
		within(t, e[4], p.RayFlux(0), 4, .01)
		within(t, e[5], p.RayFlux(.5), 4, .01)
		// Standard errors from §11.2, measured with 10 % from 400 walkers: within half.
		for k, want := range map[int]float64{0: .0056, 1: .011, 3: .008, 5: .003} {
			if got := e[k].StdErr; !(got > want/2 && got < 2*want) {
				t.Errorf("λ = %v: standard error of %v: want about %v", lambda, e[k], want)
			}
		}

		// The density is the same for every λ: KL below 1e-2, where the sampling floor of
		// independent points is 767/(2·80,000) = 4.8e-3 and all points do better.
		g := res.Histogram
		if kl := klToGibbs(g, p.System()); kl > 1e-2 {
			t.Errorf("λ = %v: KL of the histogram to e^(−Φ): got %v, want below 0.01", lambda, kl)
		}
		jx, jy := g.Current()
		var area float64
		for j := range g.Grid.NY {
			for i := range g.Grid.NX {
				x, y := centre(g.Grid, i, j)
				area += (x*jy[j*g.Grid.NX+i] - y*jx[j*g.Grid.NX+i]) / 2 * g.Grid.CellArea()
			}
		}
		// The same area rate from the current: cells of 0.25×0.31 move x by less than
		// their size, which averages out; the central difference over 2Δ is off by O(Δ).
		numtest.Close(t, "area rate of the current", area, p.AreaRate(), 4*e[3].StdErr+.02)
	}
}

func centre(g sde.Grid, i, j int) (x, y float64) {
	return g.Box.XMin + (float64(i)+.5)*(g.Box.XMax-g.Box.XMin)/float64(g.NX), g.Box.YMin + (float64(j)+.5)*(g.Box.YMax-g.Box.YMin)/float64(g.NY)
}

// klToGibbs is KL(histogram ‖ e^(−βΦ)) with the density integrated over the cells.
func klToGibbs(h *sde.Histogram, s *problem.System) float64 {
	g, sub := h.Grid, 8
	want := make([]float64, g.NX*g.NY)
	var total float64
	fine := sde.Grid{Box: g.Box, NX: sub * g.NX, NY: sub * g.NY}
	for j := range fine.NY {
		for i := range fine.NX {
			x, y := centre(fine, i, j)
			w := math.Exp(-s.Beta * s.Potential([]float64{x, y}))
			want[j/sub*g.NX+i/sub] += w
			total += w
		}
	}
	var kl float64
	for k, p := range h.Mass() {
		if p > 0 {
			kl += p * math.Log(p*total/want[k])
		}
	}
	return kl
}

// TestCurrentIsThatOfTheForce compares the current on a grid, cell by cell, with jρ: for
// XD, where D depends on the state, the Itô velocity would differ by the drift of D.
func TestCurrentIsThatOfTheForce(t *testing.T) {
	s := problem.XD()
	res := simulate(t, sde.Plane(s), []float64{0, 0}, sde.Settings{
		Step: .01, Steps: 20000, BurnIn: 500, Walkers: 100, Seed: 3,
		Grid: &sde.Grid{Box: problem.Box{XMin: -1.6, XMax: 1.6, YMin: -1.6, YMax: 1.6}, NX: 8, NY: 8},
	})
	jx, jy := res.Histogram.Current()
	var z float64
	const h = .05
	for x := -6.; x < 6; x += h {
		for y := -6.; y < 6; y += h {
			z += math.Exp(-s.Potential([]float64{x, y})) * h * h
		}
	}
	var square, size float64
	j := make([]float64, 2)
	for c := range jx {
		x, y := centre(res.Histogram.Grid, c%8, c/8)
		s.Force(j, []float64{x, y})
		rho := math.Exp(-s.Potential([]float64{x, y})) / z
		square += math.Pow(jx[c]-j[0]*rho, 2) + math.Pow(jy[c]-j[1]*rho, 2)
		size += math.Pow(j[0]*rho, 2) + math.Pow(j[1]*rho, 2)
	}
	// T = 20,000 in all; a cell has the size .4 and is left after about .1, so that about
	// 1e4·ρ·area independent visits pass with a displacement of .4 each: an error of 2 to
	// 3 % of ρ. The cells average j over .4 and Δ adds 1 %. Measured over all: 8 %.
	// The velocity of Itô is wrong by |∇·(Dρ)| ≈ ρ|x|, as large as the current itself.
	if rel := math.Sqrt(square / size); !(rel < .2) {
		t.Errorf("current on the grid: relative error %v, want below 0.2", rel)
	}
}

// TestEulerMaruyamaIsExactForLinear compares with the stationary covariance of the chain
// itself, so that no allowance for the step is needed: 5 standard errors, 7 numbers, false
// alarm 4e-6.
func TestEulerMaruyamaIsExactForLinear(t *testing.T) {
	p := problem.REF().AtBeta(2)
	const dt = .1
	// x ← (1−FΔ)x + noise: Σᵢⱼ = 2β⁻¹ΔDᵢⱼ/(1 − (1−lᵢΔ)(1−lⱼΔ)), F = diag(1, 3).
	l := []float64{1, 3}
	sigma := func(i, j int) float64 {
		return dt * p.Diffusion().At(i, j) / (1 - (1-l[i]*dt)*(1-l[j]*dt))
	}
	// ½⟨x₁x₂′ − x₂x₁′⟩/Δ = ½(l₁ − l₂)Σ₁₂.
	area := (l[0] - l[1]) * sigma(0, 1) / 2
	for _, eq := range []*sde.Ito{sde.Plane(p.System()), sde.Linear(p)} {
		res := simulate(t, eq, []float64{0, 0}, sde.Settings{
			Step: dt, Steps: 1000, BurnIn: 200, Walkers: 300, Seed: 5,
			Observables: everything[:4],
		})
		within(t, res.Estimates[0], sigma(0, 0), 5, 0)
		within(t, res.Estimates[1], sigma(1, 1), 5, 0)
		within(t, res.Estimates[2], sigma(0, 1), 5, 0)
		within(t, res.Estimates[3], area, 5, 0)
	}
}

// TestWeakTwoBeatsEuler: Heun on ROT has the stationary covariance c·I with a bias of
// order Δ², Euler–Maruyama of order Δ; both in closed form, from M = 1 − A and 1 − A + A²/2
// with A = FΔ and noise √(2Δ)(1 or 1 − A/2): c = 2Δ|noise factor|²/(1 − |M|²).
func TestWeakTwoBeatsEuler(t *testing.T) {
	p := problem.ROT(.5)
	const dt = .2
	a := complex(dt, -.5*dt) // the plane as complex numbers
	norm := func(z complex128) float64 { return real(z)*real(z) + imag(z)*imag(z) }
	for scheme, want := range map[sde.Scheme]float64{
		sde.EulerMaruyama: 2 * dt / (1 - norm(1-a)),
		sde.WeakTwo:       2 * dt * norm(1-a/2) / (1 - norm(1-a+a*a/2)),
	} {
		for _, eq := range []*sde.Ito{sde.Plane(p.System()), sde.Linear(p)} {
			res := simulate(t, eq, []float64{0, 0}, sde.Settings{
				Scheme: scheme, Step: dt, Steps: 500, BurnIn: 100, Walkers: 400, Seed: 6, Observables: everything[:2],
			})
			// 5 standard errors, 8 numbers: false alarm 5e-6. The truth is 1: Euler is off
			// by 14 %, Heun by less than 1 %.
			within(t, res.Estimates[0], want, 5, 0)
			within(t, res.Estimates[1], want, 5, 0)
		}
		if bias := math.Abs(want - 1); scheme == sde.WeakTwo && bias > .02 || scheme == sde.EulerMaruyama && bias < .1 {
			t.Errorf("%v: bias %v in closed form", scheme, bias)
		}
	}
}

// TestRankOneNoise: four dimensions, one direction of noise, and still all directions
// move (E31).
func TestRankOneNoise(t *testing.T) {
	l := []float64{1, 2, 4, 8}
	d := mat.NewSymDense(4, slices.Repeat([]float64{1}, 16))
	p := problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(4, l), d, 1)
	const dt = .02
	var obs []sde.Observable
	var want []float64
	for i := range 4 {
		for j := range i + 1 {
			powers := make([]int, 4)
			powers[i]++
			powers[j]++
			obs = append(obs, sde.Moment(powers...))
			want = append(want, 2*dt/(1-(1-l[i]*dt)*(1-l[j]*dt)))
		}
	}
	res := simulate(t, sde.Linear(p), make([]float64, 4), sde.Settings{Step: dt, Steps: 4000, BurnIn: 400, Walkers: 100, Seed: 7, Observables: obs})
	for k, e := range res.Estimates {
		within(t, e, want[k], 5, 0) // 10 numbers, exact for the chain: false alarm 6e-6
	}
}

func TestTransient(t *testing.T) {
	// 20,000 walkers of REF from (1, −2) at t = 0.5, by weak order 2 with Δ = 0.05.
	p := problem.REF()
	res := simulate(t, sde.Plane(p.System()), []float64{1, -2}, sde.Settings{Scheme: sde.WeakTwo, Step: .05, Steps: 10, Walkers: 20000, Seed: 8})
	mean, cov := p.MeanAt(.5, []float64{1, -2}), p.CovarianceAt(.5, nil)
	var m [2]float64
	n := float64(len(res.Final) / 2)
	for k, v := range res.Final {
		m[k%2] += v / n
	}
	var c [3]float64
	for k := 0; k < len(res.Final); k += 2 {
		x, y := res.Final[k]-m[0], res.Final[k+1]-m[1]
		c[0], c[1], c[2] = c[0]+x*x/n, c[1]+x*y/n, c[2]+y*y/n
	}
	// Heun is off by (lΔ)²/6·l·t ≤ 0.006 relative. 5 standard errors √(v/n) and √2·v/√n:
	// false alarm 3e-6.
	for i := range 2 {
		numtest.Close(t, "mean", m[i], mean[i], 5*math.Sqrt(cov.At(i, i)/n)+.006*math.Abs(mean[i]))
	}
	for k, want := range []float64{cov.At(0, 0), cov.At(0, 1), cov.At(1, 1)} {
		numtest.Close(t, "covariance", c[k], want, 5*math.Sqrt(2/n)*.7+.006*want)
	}
}

func TestResultsDoNotDependOnWorkersOrRecording(t *testing.T) {
	grid := &sde.Grid{Box: problem.XD().Box, NX: 9, NY: 7}
	linear := sde.Linear(problem.REF())
	for _, eq := range []*sde.Ito{sde.Plane(problem.XD()), sde.Plane(problem.EX19(1.5).System()), linear} {
		for _, scheme := range []sde.Scheme{sde.EulerMaruyama, sde.WeakTwo} {
			s := sde.Settings{Scheme: scheme, Step: .01, Steps: 60, BurnIn: 20, Walkers: 23, Seed: 9, Workers: 1, Observables: everything, Grid: grid}
			one := simulate(t, eq, []float64{.3, -.2}, s)
			for _, workers := range []int{2, 5, 50} {
				s.Workers = workers
				many := simulate(t, eq, []float64{.3, -.2}, s)
				if !slices.Equal(one.Final, many.Final) || !slices.Equal(one.Estimates, many.Estimates) || !slices.Equal(one.Histogram.Visits, many.Histogram.Visits) {
					t.Errorf("%v, %v: %d workers give other results than one", eq, scheme, workers)
				}
				ax, ay := one.Histogram.Current()
				bx, by := many.Histogram.Current()
				if !slices.Equal(ax, bx) || !slices.Equal(ay, by) {
					t.Errorf("%v, %v: %d workers give another current than one", eq, scheme, workers)
				}
			}
			s.Observables, s.Grid = nil, nil
			if bare := simulate(t, eq, []float64{.3, -.2}, s); !slices.Equal(one.Final, bare.Final) {
				t.Errorf("%v, %v: recording changes the paths", eq, scheme)
			}
			path, err := sde.Path(context.Background(), eq, []float64{.3, -.2}, 17, 20, &s)
			if err != nil {
				t.Fatal(err)
			}
			if got := path.State(path.Len() - 1); path.Len() != 4 || !slices.Equal(got, one.Final[2*17:2*18]) {
				t.Errorf("%v, %v: Path of walker 17 ends at %v after %d states, want %v after 4", eq, scheme, got, path.Len(), one.Final[2*17:2*18])
			}
		}
	}
}

func TestPlaneAgreesWithLiteral(t *testing.T) {
	for _, s := range []*problem.System{problem.XD(), problem.EX19(.5).System(), problem.TensorWell()} {
		if err := problem.Check(s); err != nil {
			t.Error(err)
		}
		plane := sde.Plane(s)
		literal := &sde.Ito{Name: s.Name, Dim: 2, Beta: s.Beta, Drift: s.Drift, Diffusion: plane.Diffusion}
		for _, scheme := range []sde.Scheme{sde.EulerMaruyama, sde.WeakTwo} {
			set := sde.Settings{Scheme: scheme, Step: .01, Steps: 100, Walkers: 5, Seed: 2}
			a, b := simulate(t, plane, []float64{.5, .5}, set), simulate(t, literal, []float64{.5, .5}, set)
			// The roots of D agree to rounding, which the flow does not amplify here.
			numtest.CloseSlice(t, fmt.Sprint(s.Name, scheme), a.Final, b.Final, 1e-12)
		}
	}
}

func TestStart(t *testing.T) {
	s := sde.Settings{Step: .01, Steps: 1, Walkers: 3, Seed: 1, Start: func(dst []float64, walker int) { dst[0] += float64(10 * walker) }}
	res := simulate(t, sde.Plane(problem.REF().System()), []float64{1, 2}, s)
	for w := range 3 {
		if got := res.Final[2*w]; math.Abs(got-1-10*float64(w)) > 1.5 { // a step of 0.01: −0.2, ±0.14
			t.Errorf("walker %d: got %v, want near %v", w, got, 1+10*w)
		}
	}
}

func TestBlowUp(t *testing.T) {
	s := sde.Settings{Step: .5, Steps: 2000, Walkers: 40, Seed: 4, Observables: everything[:1]}
	eq := sde.Plane(problem.EX19(.5).System())
	var first *sde.Result
	for _, workers := range []int{1, 3} {
		s.Workers = workers
		res, err := sde.Simulate(context.Background(), eq, []float64{0, 0}, &s)
		if err != nil {
			t.Fatal(err)
		}
		b := res.BlowUp
		if res.Status != sde.BlewUp || b == nil || res.Blown < 1 {
			t.Fatalf("Δ = 0.5: status %v, %v, want a blow-up", res.Status, b)
		}
		if first == nil {
			first = res
		} else if fmt.Sprint(*b) != fmt.Sprint(*first.BlowUp) || res.Blown != first.Blown || fmt.Sprint(res.Final) != fmt.Sprint(first.Final) {
			t.Errorf("3 workers blow up differently from 1: %v, %v", b, first.BlowUp)
		}
		if out := max(math.Abs(b.State[0]), math.Abs(b.State[1])); out <= 1e6 || !(math.Abs(b.From[0]) <= 1e6) || b.Step < 1 || b.Step > 2000 {
			t.Errorf("blow-up %v: want from inside ±1e6 to outside", b)
		}
		if !math.IsNaN(res.Final[2*b.Walker]) {
			t.Errorf("final state of walker %d is %v, want NaN", b.Walker, res.Final[2*b.Walker])
		}
		path, err := sde.Path(context.Background(), eq, []float64{0, 0}, b.Walker, 1, &s)
		if err != nil || path.Status != sde.BlewUp || fmt.Sprint(*path.BlowUp) != fmt.Sprint(*b) || path.Len() != b.Step {
			t.Errorf("Path of it: %v, %v, %d states; want the same blow-up after %d", path.BlowUp, err, path.Len(), b.Step)
		}
	}
	if text := fmt.Sprint(sde.BlewUp, sde.Completed, sde.Status(9), sde.Scheme(9), sde.WeakTwo, first.BlowUp); !strings.Contains(text, "lower the step") || !strings.Contains(text, "Status(9)") {
		t.Errorf("texts: %q", text)
	}
	s.Bound = 2
	if res, _ := sde.Simulate(context.Background(), eq, []float64{0, 0}, &s); res.BlowUp.From[0] > 2 {
		t.Errorf("with a bound of 2: %v", res.BlowUp)
	}
}

func TestBadInput(t *testing.T) {
	nan := math.NaN()
	half := func(good, bad float64) func(x []float64) float64 {
		return func(x []float64) float64 {
			if x[0] > 1 {
				return bad
			}
			return good
		}
	}
	plane := func(drift, xy func(x []float64) float64) *sde.Ito {
		return sde.Plane(&problem.System{
			Name: "bad", Beta: 1,
			Drift:     func(dst, x []float64) { dst[0], dst[1] = 3, drift(x) },
			Diffusion: func(x []float64) problem.Tensor { return problem.Tensor{XX: 1, XY: xy(x), YY: 1} },
		})
	}
	literal := func(eq *sde.Ito) *sde.Ito {
		return &sde.Ito{Name: "bad", Dim: 2, Beta: 1, Drift: eq.Drift, Diffusion: eq.Diffusion}
	}
	zero := half(0, 0)
	good, indefinite, notANumber, drift := plane(zero, zero), plane(zero, half(0, 2)), plane(zero, half(0, nan)), plane(half(0, nan), zero)
	set := func(change func(s *sde.Settings)) sde.Settings {
		s := sde.Settings{Step: .01, Steps: 1000, Walkers: 4, Seed: 1}
		change(&s)
		return s
	}
	fine := set(func(*sde.Settings) {})
	origin := []float64{0, 0}
	for name, tt := range map[string]struct {
		eq   *sde.Ito
		x0   []float64
		s    sde.Settings
		want string
	}{
		"Δ = 0":        {good, origin, set(func(s *sde.Settings) { s.Step = 0 }), "the step must be positive and finite: got 0"},
		"Δ < 0":        {good, origin, set(func(s *sde.Settings) { s.Step = -1 }), "got -1"},
		"Δ NaN":        {good, origin, set(func(s *sde.Settings) { s.Step = nan }), "got NaN"},
		"Δ infinite":   {good, origin, set(func(s *sde.Settings) { s.Step = math.Inf(1) }), "got +Inf"},
		"no steps":     {good, origin, set(func(s *sde.Settings) { s.Steps = 0 }), "number of steps must be positive"},
		"burn-in":      {good, origin, set(func(s *sde.Settings) { s.BurnIn = -1 }), "burn-in"},
		"walkers":      {good, origin, set(func(s *sde.Settings) { s.Walkers = -1 }), "walkers"},
		"workers":      {good, origin, set(func(s *sde.Settings) { s.Workers = -1 }), "workers"},
		"bound":        {good, origin, set(func(s *sde.Settings) { s.Bound = -1 }), "bound"},
		"scheme":       {good, origin, set(func(s *sde.Settings) { s.Scheme = 7 }), "unknown scheme 7"},
		"observable":   {good, origin, set(func(s *sde.Settings) { s.Observables = []sde.Observable{{Name: "empty"}} }), "no Value"},
		"area of 3":    {good, origin, set(func(s *sde.Settings) { s.Observables = []sde.Observable{sde.AreaRate(0, 2)} }), "needs 3 dimensions: the equation has 2"},
		"moment of 3":  {good, origin, set(func(s *sde.Settings) { s.Observables = []sde.Observable{sde.Moment(0, 0, 1)} }), "needs 3 dimensions"},
		"grid":         {good, origin, set(func(s *sde.Settings) { s.Grid = &sde.Grid{NX: 0, NY: 3} }), "grid of 0×3"},
		"start length": {good, []float64{1}, fine, "the start has length 1"},
		"start NaN":    {good, []float64{nan, 0}, fine, "is not finite"},
		"Start NaN":    {good, origin, set(func(s *sde.Settings) { s.Start = func(dst []float64, w int) { dst[0] = nan } }), "walker 0 after 0 steps: the start [NaN 0] is not finite"},
		"D indefinite": {indefinite, origin, fine, `D of "bad" is not positive semi-definite at [1.`},
		"D literal":    {literal(indefinite), origin, fine, "its lowest eigenvalue is -1"},
		"D at once":    {indefinite, []float64{2, 0}, fine, "walker 0 after 0 steps: the diffusion D of \"bad\" is not positive semi-definite at [2 0]: its lowest eigenvalue is -1"},
		"D NaN":        {notANumber, origin, fine, "D of \"bad\" is not finite at [1."},
		"D NaN too":    {literal(notANumber), origin, fine, "D of \"bad\" is not finite at [1."},
		"drift NaN":    {drift, origin, fine, `the drift of "bad" at [1.`},
		"no drift":     {&sde.Ito{Dim: 2, Beta: 1}, origin, fine, "no drift"},
		"no diffusion": {&sde.Ito{Dim: 2, Beta: 1, Drift: good.Drift}, origin, fine, "no diffusion"},
		"no diff.":     {sde.Plane(&problem.System{Beta: 1, Drift: good.Drift}), origin, fine, "no diffusion"},
		"β = 0":        {&sde.Ito{Dim: 2, Drift: good.Drift, Diffusion: good.Diffusion}, origin, fine, "β = 0"},
		"dimension":    {&sde.Ito{}, nil, fine, "dimension 0"},
		"grid in 3-D": {sde.Linear(problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(3, []float64{1, 1, 1}), mat.NewSymDense(3, []float64{1, 0, 0, 0, 1, 0, 0, 0, 1}), 1)), []float64{0, 0, 0},
			set(func(s *sde.Settings) { s.Grid = &sde.Grid{Box: problem.XD().Box, NX: 2, NY: 2} }), "a grid is for the plane"},
	} {
		res, err := sde.Simulate(context.Background(), tt.eq, tt.x0, &tt.s)
		if err == nil || !strings.HasPrefix(err.Error(), "sde: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, %v, want an error with %q", name, res, err, tt.want)
		}
		if tt.s.Workers = 3; name != "workers" {
			if _, again := sde.Simulate(context.Background(), tt.eq, tt.x0, &tt.s); fmt.Sprint(again) != fmt.Sprint(err) {
				t.Errorf("%s: 3 workers report %v, 1 reports %v", name, again, err)
			}
		}
	}
	for name, fn := range map[string]func(){
		"moment": func() { sde.Moment(1, -1) },
		"area":   func() { sde.AreaRate(1, 1) },
		"ray":    func() { sde.RayFlux(nan) },
		"own": func() {
			sde.Simulate(context.Background(), sde.Linear(problem.REF()), origin, &sde.Settings{Step: 1, Steps: 1, Observables: []sde.Observable{{Name: "own", Value: func(_, _ []float64) float64 { panic("sde: of the caller") }}}})
		},
		"every":  func() { sde.Path(context.Background(), good, origin, 0, 0, &fine) },
		"walker": func() { sde.Path(context.Background(), good, origin, -1, 1, &fine) },
		"Drive":  func() { sde.Drive(good, origin, make([]float64, 3), .1, sde.EulerMaruyama) },
		"d = 0":  func() { sde.NewBrownian(0, 1, 0, 0) },
		"T = 0":  func() { sde.NewBrownian(1, 0, 0, 0) },
		"level":  func() { sde.NewBrownian(1, 1, 0, 0).Increments(31) },
	} {
		if msg := fmt.Sprint(panics(fn)); !strings.HasPrefix(msg, "sde: ") {
			t.Errorf("%s: got %q, want a panic of this package", name, msg)
		}
	}
}

func panics(fn func()) (value any) {
	defer func() { value = recover() }()
	fn()
	return nil
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := sde.Settings{Step: .01, Steps: 10, Walkers: 4}
	if _, err := sde.Simulate(ctx, sde.Plane(problem.CV()), []float64{0, 0}, &s); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if _, err := sde.Path(ctx, sde.Plane(problem.CV()), []float64{0, 0}, 0, 1, &s); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestNoNoise(t *testing.T) {
	// β = +Inf: the flow of the drift.
	eq := &sde.Ito{Name: "decay", Dim: 1, Beta: math.Inf(1), Drift: func(dst, x []float64) { dst[0] = -x[0] },
		Diffusion: func(dst *mat.SymDense, _ []float64) { dst.SetSym(0, 0, 1) }}
	res := simulate(t, eq, []float64{1}, sde.Settings{Scheme: sde.WeakTwo, Step: .01, Steps: 100})
	numtest.Close(t, "e⁻¹", res.Final[0], math.Exp(-1), 1e-5) // Δ²/6
	if e := simulate(t, eq, []float64{1}, sde.Settings{Step: .1, Steps: 1, Observables: []sde.Observable{sde.Moment(1)}}).Estimates[0]; e.Mean != .9 || !math.IsNaN(e.StdErr) {
		t.Errorf("one walker: got %v, want 0.9 with no standard error", e)
	}
}

func TestResultIsJSON(t *testing.T) {
	s := sde.Settings{Step: .01, Steps: 10, Walkers: 4, Observables: everything[:2], Grid: &sde.Grid{Box: problem.CV().Box, NX: 2, NY: 2}}
	res := simulate(t, sde.Plane(problem.CV()), []float64{0, 0}, s)
	text, err := json.Marshal(res)
	if err != nil || !strings.Contains(string(text), `"step":0.01`) || !strings.Contains(string(text), `"visits":[`) {
		t.Errorf("got %s, %v", text, err)
	}
	if got := res.Histogram.Total(); got != 4*9 || res.PathSteps != 40 {
		t.Errorf("visits %d, path-steps %d, want 36, 40", got, res.PathSteps)
	}
	if got, want := s.String(), "Euler–Maruyama, Δ = 0.01, 4 walkers × (0 + 10) steps, seed 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSimulateDoesNotAllocatePerStep(t *testing.T) {
	allocs := func(steps int) float64 {
		return testing.AllocsPerRun(3, func() {
			simulate(t, sde.Plane(problem.XD()), []float64{0, 0}, sde.Settings{Step: .01, Steps: steps, Workers: 1, Observables: everything})
		})
	}
	if few, many := allocs(10), allocs(5000); many > few+2 {
		t.Errorf("allocations: %v for 10 steps, %v for 5000", few, many)
	}
}

func ExampleSimulate() {
	p := problem.EX19(0.5)
	res, err := sde.Simulate(context.Background(), sde.Plane(p.System()), []float64{1, 0}, &sde.Settings{
		Step: 0.01, BurnIn: 1000, Steps: 4000, Walkers: 400, Seed: 1,
		Observables: []sde.Observable{sde.AreaRate(0, 1)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	e := res.Estimates[0]
	fmt.Printf("%v, closed form %.3f within four standard errors: %v\n", res.Status, p.AreaRate(), math.Abs(e.Mean-p.AreaRate()) < 4*e.StdErr)
	// Output:
	// completed, closed form 0.206 within four standard errors: true
}
