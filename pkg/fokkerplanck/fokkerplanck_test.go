package fokkerplanck_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"sgdlab/pkg/fokkerplanck"
	"sgdlab/pkg/problem"
)

func grid(b problem.Box, nx, ny int) fokkerplanck.Grid {
	return fokkerplanck.Grid{Box: b, NX: nx, NY: ny}
}

// ex19Box is the domain of statements.md §11.1: a mass of 6e-7 lies outside.
var ex19Box = problem.Box{XMin: -3, XMax: 3, YMin: -5, YMax: 5}

func known(t testing.TB, s *problem.System, g fokkerplanck.Grid, a fokkerplanck.Advection) *fokkerplanck.Generator {
	l, err := fokkerplanck.Known(s, g, a)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func blind(t testing.TB, s *problem.System, g fokkerplanck.Grid) *fokkerplanck.Generator {
	l, err := fokkerplanck.Blind(s, g)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func steady(t testing.TB, l *fokkerplanck.Generator) *fokkerplanck.Steady {
	s, err := l.Steady()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// kl is KL(p‖q) in nats; cells without mass in p add nothing.
func kl(p, q []float64) (d float64) {
	for i, v := range p {
		if v > 0 {
			d += v * math.Log(v/q[i])
		}
	}
	return d
}

func gibbs(s *problem.System, g fokkerplanck.Grid) []float64 {
	return g.MassesTo(nil, func(x []float64) float64 { return math.Exp(-s.Beta * s.Potential(x)) })
}

func near(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.10g, want %.10g ± %.2g", name, got, want, tol)
	}
}

// Columns sum to zero to round-off for every scheme, boundary and system.
func TestColumnsSumToZero(t *testing.T) {
	xd := problem.XD()
	periodic := grid(problem.Box{XMin: -3, XMax: 3, YMin: -3, YMax: 3}, 17, 12)
	periodic.X, periodic.Y = fokkerplanck.Periodic, fokkerplanck.Periodic
	mixed := periodic
	mixed.Y = fokkerplanck.NoFlux
	for name, l := range map[string]*fokkerplanck.Generator{
		"known upwind":    known(t, problem.EX19(1.5).System(), grid(ex19Box, 30, 40), fokkerplanck.Upwind),
		"known centred":   known(t, problem.EX19(1.5).System(), grid(ex19Box, 30, 40), fokkerplanck.Centred),
		"blind XD":        blind(t, xd, grid(xd.Box, 31, 20)),
		"tensor":          blind(t, rotated(xd, 0.6), grid(xd.Box, 31, 20)),
		"tensor periodic": blind(t, torus(0.02), periodic),
		"tensor mixed":    blind(t, torus(0.02), mixed),
	} {
		largest := 0.0
		for _, s := range l.ColumnSumsTo(nil) {
			largest = max(largest, math.Abs(s))
		}
		lp, p := make([]float64, l.Grid.Cells()), make([]float64, l.Grid.Cells())
		p[0] = 1
		l.MulTo(lp, p)
		// nine terms, each rounded relative to the diagonal, of order 1e2–1e3
		if largest > 1e-11*math.Abs(lp[0]) && largest > 1e-10 {
			t.Errorf("%s: a column sums to %.2g", name, largest)
		}
	}
}

// rotated is the system s in coordinates turned by the angle a: a full tensor D(x) with the
// same physics, and a potential that is known exactly.
func rotated(s *problem.System, a float64) *problem.System {
	c, d := math.Cos(a), math.Sin(a)
	back := func(z []float64) []float64 { return []float64{c*z[0] + d*z[1], -d*z[0] + c*z[1]} }
	return &problem.System{
		Name: "rotated " + s.Name, Beta: s.Beta, Box: s.Box,
		Drift: func(dst, z []float64) {
			s.Drift(dst, back(z))
			dst[0], dst[1] = c*dst[0]-d*dst[1], d*dst[0]+c*dst[1]
		},
		Diffusion: func(z []float64) problem.Tensor {
			t := s.Diffusion(back(z))
			return problem.Tensor{
				XX: c*c*t.XX - 2*c*d*t.XY + d*d*t.YY,
				XY: c*d*(t.XX-t.YY) + (c*c-d*d)*t.XY,
				YY: d*d*t.XX + 2*c*d*t.XY + c*c*t.YY,
			}
		},
		Potential: func(z []float64) float64 { return s.Potential(back(z)) },
	}
}

// torus is a manufactured problem on a periodic square of side 2π: Φ, a turning anisotropic D,
// and a divergence-free current of the given size.
func torus(size float64) *problem.System {
	phi := func(x []float64) float64 { return 2*math.Cos(x[0]) + 1.5*math.Sin(x[1]+math.Cos(x[0])) }
	diffusion := func(x []float64) problem.Tensor {
		a := 0.7*math.Sin(x[0]) + 0.5*math.Cos(2*x[1])
		c, s := math.Cos(a), math.Sin(a)
		l1, l2 := 1+0.3*math.Cos(x[0]+x[1]), 0.25+0.1*math.Sin(x[1])
		return problem.Tensor{XX: l1*c*c + l2*s*s, XY: (l1 - l2) * c * s, YY: l1*s*s + l2*c*c}
	}
	s := &problem.System{Name: "torus", Beta: 1, Box: problem.Box{XMax: 2 * math.Pi, YMax: 2 * math.Pi}, Diffusion: diffusion, Potential: phi}
	s.Drift = func(dst, x []float64) { // u = −D∇Φ + ∇·D + j, j = size·e^Φ (∂₂ψ, −∂₁ψ), ψ = sin x₁ sin x₂
		fx := -2*math.Sin(x[0]) - 1.5*math.Cos(x[1]+math.Cos(x[0]))*math.Sin(x[0])
		fy := 1.5 * math.Cos(x[1]+math.Cos(x[0]))
		gx, gy := diffusion(x).MulVec(fx, fy)
		s.DivDiffusionTo(dst, x)
		r := size * math.Exp(phi(x))
		dst[0] += -gx + r*math.Sin(x[0])*math.Cos(x[1])
		dst[1] += -gy - r*math.Cos(x[0])*math.Sin(x[1])
	}
	return s
}

// The known scheme has e^(−βΦ) as its null vector exactly, and its averages are those of
// Example 19. statements.md §7, §11.1 [m05].
func TestKnownPotentialExample19(t *testing.T) {
	for _, lambda := range []float64{0, 0.5, 1.5} {
		s := problem.EX19(lambda)
		g := grid(ex19Box, 60, 80)
		for _, a := range []fokkerplanck.Advection{fokkerplanck.Upwind, fokkerplanck.Centred} {
			l := known(t, s.System(), g, a)
			pi := gibbs(s.System(), g)
			lp := make([]float64, len(pi))
			l.MulTo(lp, pi)
			for k, v := range lp {
				if math.Abs(v) > 1e-12 {
					t.Errorf("λ = %v, %s: (Lπ)[%d] = %.2g, want 0 to round-off", lambda, a, k, v)
					break
				}
			}
			st := steady(t, l)
			if d := kl(st.P, pi); !(math.Abs(d) < 1e-12) {
				t.Errorf("λ = %v, %s: KL(steady‖π) = %.2g", lambda, a, d)
			}
			near(t, "E x₁²", st.Mean(func(x, _ float64) float64 { return x * x }), 1.041797296487, 1e-6)
			near(t, "E x₂²", st.Mean(func(_, y float64) float64 { return y * y }), 1-1.5e-5, 1e-6) // truncation of the box
			near(t, "area rate", l.Current(st.P).AreaRate(), 0.4120949246*lambda, 2e-5*(1+lambda))
		}
	}
}

// Without knowing Φ the error falls by 16 per refinement in KL, that is with order 2 in the
// density. statements.md §11.1 [m05]: KL = 1.2, 1.3, 1.7·10⁻⁵ on 30×40.
func TestBlindOrder(t *testing.T) {
	for _, c := range []struct{ lambda, coarse float64 }{{0, 1.2e-5}, {0.5, 1.3e-5}, {1.5, 1.7e-5}} {
		s := problem.EX19(c.lambda)
		last := 0.0
		for k, n := range []int{1, 2, 4} {
			g := grid(ex19Box, 30*n, 40*n)
			st := steady(t, blind(t, s.System(), g))
			d := kl(st.P, gibbs(s.System(), g))
			if k == 0 {
				near(t, "KL on 30×40", d, c.coarse, 0.06e-5) // two digits are given
			} else if ratio := last / d; ratio < 12 || ratio > 20 {
				t.Errorf("λ = %v, %s: KL fell by %.3g, want a factor in [12, 20]", c.lambda, g, ratio)
			}
			last = d
		}
	}
}

// The full-tensor scheme on XD turned by an angle, whose potential is known. And E14: with
// the column divergence of Q the Gibbs law is not stationary, on any grid.
func TestTensorOrder(t *testing.T) {
	xd := problem.XD()
	for _, angle := range []float64{0, 0.6} {
		s := rotated(xd, angle)
		s.Box = problem.Box{XMin: -5, XMax: 5, YMin: -5, YMax: 5}
		last := 0.0
		for k, n := range []int{30, 60, 120} {
			g := grid(s.Box, n, n)
			d := kl(steady(t, blind(t, s, g)).P, gibbs(s, g))
			if k > 0 {
				if ratio := last / d; ratio < 12 || ratio > 20 { // second order in the density
					t.Errorf("angle %v, %s: KL fell by %.3g, want a factor in [12, 20]", angle, g, ratio)
				}
			}
			last = d
		}
	}
	wrong := *xd
	wrong.Drift = func(dst, x []float64) { // minus twice β⁻¹∇·Q: columns instead of rows
		xd.Drift(dst, x)
		h := 1e-5
		q := func(a, b float64) float64 { return xd.Skew([]float64{a, b}) }
		dst[0] -= 2 * (q(x[0], x[1]+h) - q(x[0], x[1]-h)) / (2 * h)
		dst[1] += 2 * (q(x[0]+h, x[1]) - q(x[0]-h, x[1])) / (2 * h)
	}
	for _, n := range []int{60, 120} {
		g := grid(problem.Box{XMin: -5, XMax: 5, YMin: -5, YMax: 5}, n, n)
		near(t, "KL with the column convention (E14)", kl(steady(t, blind(t, &wrong, g)).P, gibbs(xd, g)), 0.31, 0.02) // m16: .31 at every grid
	}
}

// Where |D₁₂| is not too large for the cells the scheme for a full tensor is monotone: no
// rate is negative, and no mass. D₁₂ of either sign, and one that changes sign (TensorWell).
// KL falls with order 4, that is 2 in the density; the kink of |D₁₂| widens the range a
// little. Where the condition fails the generator says so.
func TestMonotoneTensor(t *testing.T) {
	xd := problem.XD()
	xd.Box = problem.Box{XMin: -5, XMax: 5, YMin: -5, YMax: 5}
	for _, s := range []*problem.System{rotated(xd, .6), rotated(xd, -.6), problem.TensorWell()} {
		last := 0.0
		for k, n := range []int{30, 60, 120} {
			g := grid(s.Box, n, n)
			l := blind(t, s, g)
			if count, least := l.NegativeRates(); count != 0 || l.Scheme != "blind, along diagonals" {
				t.Errorf("%s, %s: %d negative rates, the least %.3g, scheme %q", s.Name, g, count, least, l.Scheme)
			}
			st := steady(t, l)
			if st.NegativeMass != 0 {
				t.Errorf("%s, %s: negative mass %.3g", s.Name, g, st.NegativeMass)
			}
			d := kl(st.P, gibbs(s, g))
			if ratio := last / d; k > 0 && (ratio < 11 || ratio > 22) {
				t.Errorf("%s, %s: KL fell by %.3g, want a factor in [11, 22]", s.Name, g, ratio)
			}
			last = d
		}
	}
	ref := problem.REF().System() // D₁₂ = 0.9, cells 1.7 times as wide as high: 1.56 > 1
	l := blind(t, ref, grid(ref.Box, 60, 60))
	if count, _ := l.NegativeRates(); count == 0 || !strings.Contains(l.Scheme, "not monotone") {
		t.Errorf("REF: %d negative rates, scheme %q, want it to say that it is not monotone", count, l.Scheme)
	}
}

func TestTensorOnTheTorus(t *testing.T) {
	s := torus(0.02)
	last := 0.0
	for k, n := range []int{32, 64, 128} {
		g := grid(s.Box, n, n)
		g.X, g.Y = fokkerplanck.Periodic, fokkerplanck.Periodic
		st := steady(t, blind(t, s, g))
		worst, largest := 0.0, 0.0
		for i, v := range gibbs(s, g) {
			worst, largest = max(worst, math.Abs(v-st.P[i])), max(largest, v)
		}
		if k > 0 {
			if ratio := last / (worst / largest); ratio < 3.4 || ratio > 4.6 { // order 2 within 0.2
				t.Errorf("n = %d: the largest error fell by %.3g, want 4", n, ratio)
			}
		}
		last = worst / largest
	}
	near(t, "largest error on 128²", last, 5.2e-4, 0.3e-4) // engines.md §3
}

// The discrete Lyapunov theorem: for a Markov chain KL to π falls at every step, whatever Δt.
func TestFreeEnergyNeverRises(t *testing.T) {
	s := problem.EX19(1.5)
	g := grid(ex19Box, 30, 40)
	for _, a := range []fokkerplanck.Advection{fokkerplanck.Upwind, fokkerplanck.Centred} {
		l := known(t, s.System(), g, a)
		pi := gibbs(s.System(), g)
		for _, dt := range []float64{1e-3, 0.1, 10} {
			st, err := l.Step(dt)
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(1, uint64(dt*1000)))
			p := make([]float64, len(pi))
			p[r.IntN(len(p))] = 1
			last := math.Inf(1)
			for step := range 40 {
				st.Advance(p)
				f := kl(p, pi)
				if f > last+1e-12 { // round-off of 1200 terms
					t.Errorf("%s, Δt = %v, step %d: KL rose by %.2g", a, dt, step, f-last)
				}
				last = f
			}
		}
	}
	// m06: all mass in cell (10, 60) of 60×80, Δt = 0.1, λ = 1.5: F after step 1.
	g = grid(ex19Box, 60, 80)
	for a, want := range map[fokkerplanck.Advection]float64{fokkerplanck.Upwind: 5.134, fokkerplanck.Centred: 5.137} {
		l := known(t, s.System(), g, a)
		st, err := l.Step(0.1)
		if err != nil {
			t.Fatal(err)
		}
		p := make([]float64, g.Cells())
		p[g.Index(10, 60)] = 1
		st.Advance(p)
		near(t, "F after one step, "+a.String(), kl(p, gibbs(s.System(), g)), want, 6e-4)
	}
}

// Lemma 7 on the grid: in ⟨u, v⟩ = Σuv/π the part of L without current is symmetric, and
// what the current adds is antisymmetric; exp(tL_A) would keep Σ(p−π)²/π, and so its rate
// at any p is zero. statements.md §3.3 [m06].
func TestSymmetricAndAntisymmetricParts(t *testing.T) {
	g := grid(ex19Box, 30, 40)
	with, none := known(t, problem.EX19(1.5).System(), g, fokkerplanck.Centred), known(t, problem.EX19(0).System(), g, fokkerplanck.Centred)
	pi := gibbs(problem.EX19(0).System(), g)
	r := rand.New(rand.NewPCG(7, 1))
	u, v := make([]float64, g.Cells()), make([]float64, g.Cells())
	for k := range u {
		u[k], v[k] = pi[k]*r.Float64(), pi[k]*r.Float64()
	}
	symmetric, size := none.Inner(u, v, pi), none.Inner(u, u, pi)
	near(t, "⟨u, L_S v⟩ − ⟨v, L_S u⟩", symmetric-none.Inner(v, u, pi), 0, 1e-12*math.Abs(size)) // round-off of 1200 rows
	anti := func(a, b []float64) float64 { return with.Inner(a, b, pi) - none.Inner(a, b, pi) }
	near(t, "⟨u, L_A v⟩ + ⟨v, L_A u⟩", anti(u, v)+anti(v, u), 0, 1e-12*math.Abs(size))
	near(t, "⟨u, L_A u⟩", anti(u, u), 0, 1e-12*math.Abs(size))
	if v := anti(u, v); !(math.Abs(v) > 1e-4) {
		t.Errorf("⟨u, L_A v⟩ = %.3g: the current does nothing", v)
	}
}

// Spectral gaps of EX19 on 60×80, centred. statements.md §14 [m05].
func TestSpectralGap(t *testing.T) {
	for lambda, want := range map[float64]float64{0: 0.7915, 0.5: 0.9104, 1.5: 1.0363} {
		s := problem.EX19(lambda)
		modes, err := known(t, s.System(), grid(ex19Box, 60, 80), fokkerplanck.Centred).SlowModes(2)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "gap", -real(modes[0]), want, 1e-3)
	}
}

// REF through the blind scheme with a constant full tensor: the covariance of the exact law.
func TestOrnsteinUhlenbeck(t *testing.T) {
	s := problem.REF()
	st := steady(t, blind(t, s.System(), grid(s.System().Box, 120, 120)))
	near(t, "Σ₁₁", st.Mean(func(x, _ float64) float64 { return x * x }), 1/s.System().Beta, 4e-3)
	near(t, "Σ₁₂", st.Mean(func(x, y float64) float64 { return x * y }), .45/s.System().Beta, 4e-3)
	near(t, "Σ₂₂", st.Mean(func(_, y float64) float64 { return y * y }), 1/(3*s.System().Beta), 4e-3)
}

func TestBadInput(t *testing.T) {
	good := func() *problem.System {
		return &problem.System{
			Name: "mine", Beta: 1, Box: problem.Box{XMin: -2, XMax: 2, YMin: -2, YMax: 2},
			Drift:     func(dst, x []float64) { dst[0], dst[1] = -x[0], -x[1] },
			Diffusion: func([]float64) problem.Tensor { return problem.Tensor{XX: 1, YY: 1} },
		}
	}
	for _, c := range []struct {
		name, want string
		change     func(*problem.System, *fokkerplanck.Grid)
	}{
		{"indefinite D", "D = [1 2; 2 1] at (-1.5, -1.75) is not positive semi-definite", func(s *problem.System, _ *fokkerplanck.Grid) {
			s.Diffusion = func([]float64) problem.Tensor { return problem.Tensor{XX: 1, XY: 2, YY: 1} }
		}},
		{"NaN drift", "the drift at (-1.5, -1.75) is (NaN, 0)", func(s *problem.System, _ *fokkerplanck.Grid) {
			s.Drift = func(dst, _ []float64) { dst[0] = math.NaN() }
		}},
		{"β = 0", "β is 0", func(s *problem.System, _ *fokkerplanck.Grid) { s.Beta = 0 }},
		{"β < 0", "β is -1", func(s *problem.System, _ *fokkerplanck.Grid) { s.Beta = -1 }},
		{"one cell", "a grid of 1×1 cells is too coarse", func(_ *problem.System, g *fokkerplanck.Grid) { g.NX, g.NY = 1, 1 }},
		{"empty box", "is empty", func(_ *problem.System, g *fokkerplanck.Grid) { g.Box.XMax = -2 }},
	} {
		s, g := good(), grid(problem.Box{XMin: -2, XMax: 2, YMin: -2, YMax: 2}, 8, 8)
		c.change(s, &g)
		if _, err := fokkerplanck.Blind(s, g); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", c.name, err, c.want)
		}
	}
	if _, err := fokkerplanck.Known(good(), grid(ex19Box, 8, 8), fokkerplanck.Upwind); err == nil {
		t.Error("Known accepted a system without a potential")
	}

	// Two wells without noise between them: two closed classes.
	s := good()
	s.Drift = func(dst, x []float64) { dst[0], dst[1] = x[0]-x[0]*x[0]*x[0], -x[1] }
	s.Diffusion = func([]float64) problem.Tensor { return problem.Tensor{} }
	if _, err := blind(t, s, grid(s.Box, 8, 8)).Steady(); err == nil || !strings.Contains(err.Error(), "not unique") {
		t.Errorf("two closed classes: error %v, want one that says the steady state is not unique", err)
	}

	// A box that cuts the density.
	st := steady(t, blind(t, good(), grid(problem.Box{XMin: -1, XMax: 1, YMin: -1, YMax: 1}, 8, 8)))
	if len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0].Error(), fmt.Sprintf("hold a mass of %.2g; choose a larger box", st.BoundaryMass)) {
		t.Errorf("small box: warnings %v, want one about the box", st.Warnings)
	}
}
