package problem_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
)

func TestREFConstants(t *testing.T) {
	p := problem.REF()
	// statements §0.2 and §14 (m04, m17, m19, m24); exact fractions where they are known.
	numtest.CloseSlice(t, "Y", raw(p.UnitCovariance()), []float64{1, .45, .45, 1. / 3}, 1e-15)
	numtest.CloseSlice(t, "U", raw(p.PotentialHessian()), []float64{2.5477707, -3.4394904, -3.4394904, 7.6433121}, 5e-8)
	numtest.CloseSlice(t, "Q", raw(p.Skew()), []float64{0, -.45, .45, 0}, 1e-15)
	numtest.CloseSlice(t, "area rate at β = 2", raw(p.AtBeta(2).AreaRate()), []float64{0, -.225, .225, 0}, 1e-15)
	numtest.Close(t, "entropy production", p.EntropyProduction(), 81./19, 1e-13)
	numtest.CloseSlice(t, "ω", p.Frequencies(), []float64{math.Sqrt(243. / 157)}, 1e-14)
	numtest.Close(t, "loop integral", p.LoopIntegral(), 29.7625, 5e-5)
	numtest.Close(t, "𝔼‖∇f‖² = tr(FD)", mat.Trace(product(p.Relaxation(), p.Covariance(), p.Relaxation().T())), 4, 1e-14)
}

func TestROTConstants(t *testing.T) {
	for _, a := range []float64{0, .5, 2} {
		p := problem.ROT(a)
		numtest.CloseSlice(t, "U", raw(p.PotentialHessian()), []float64{1, 0, 0, 1}, 1e-15)
		numtest.Close(t, "Q₁₂", p.Skew().At(0, 1), a, 1e-15)
		numtest.Close(t, "entropy production", p.EntropyProduction(), 2*a*a, 1e-14)
		numtest.CloseSlice(t, "ω", p.Frequencies(), []float64{a}, 1e-15)
	}
}

func TestTwoFrequencies(t *testing.T) {
	// Two blocks of the REF type, D₁₂ = .9 and .5: quasi-periodic (E24, m17).
	f := mat.NewDiagDense(4, []float64{1, 3, 1, 3})
	d := mat.NewSymDense(4, []float64{1, .9, 0, 0, .9, 1, 0, 0, 0, 0, 1, .5, 0, 0, .5, 1})
	numtest.CloseSlice(t, "ω", problem.NewOrnsteinUhlenbeck(f, d, 1).Frequencies(), []float64{.480384, 1.244094}, 1e-6)
	odd := problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(3, []float64{1, 3, 2}), mat.NewSymDense(3, []float64{1, .9, 0, .9, 1, 0, 0, 0, 1}), 1)
	numtest.CloseSlice(t, "ω, d = 3", odd.Frequencies(), []float64{1.244094}, 1e-6)
}

func TestRankOneDiffusion(t *testing.T) {
	// E31, m04: D = 𝟏𝟏ᵀ with distinct curvatures gives a Cauchy matrix, of full rank.
	l := []float64{1, 2, 4, 8}
	d := mat.NewSymDense(4, nil)
	for i := range l {
		for j := i; j < 4; j++ {
			d.SetSym(i, j, 1)
		}
	}
	p := problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(4, l), d, 1)
	y := p.UnitCovariance()
	for i := range l {
		for j := range l {
			numtest.Close(t, "Y", y.At(i, j), 2/(l[i]+l[j]), 1e-15)
		}
	}
	numtest.Close(t, "det Y", mat.Det(y), 1.680384e-6, 1e-11)
	if !p.HasDensity() || !math.IsInf(p.EntropyProduction(), 1) {
		t.Errorf("rank-one D: density %v, entropy production %v, want true, +Inf", p.HasDensity(), p.EntropyProduction())
	}
	// A repeated curvature: no density.
	p = problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(2, []float64{1, 1}), mat.NewSymDense(2, []float64{1, 1, 1, 1}), 1)
	if p.HasDensity() {
		t.Error("equal curvatures and rank-one D: got a density, want none")
	}
	if msg := fmt.Sprint(panics(func() { p.System() })); !strings.Contains(msg, "no stationary density") {
		t.Errorf("System without density: got %q", msg)
	}
}

func product(factors ...mat.Matrix) *mat.Dense {
	var p mat.Dense
	p.Product(factors...)
	return &p
}

// TestOrnsteinUhlenbeckIdentities checks random systems against the definitions, by
// roads that do not solve the Lyapunov equation.
func TestOrnsteinUhlenbeckIdentities(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	for _, n := range []int{1, 2, 3, 5} {
		for range 5 {
			f := mat.NewDense(n, n, nil)
			for i := range n {
				for j := range n {
					f.Set(i, j, .3*rng.NormFloat64())
				}
				f.Set(i, i, 2.5+rng.Float64())
			}
			eig := make([]float64, n)
			for i := range eig {
				eig[i] = .2 + rng.Float64()
			}
			d, beta := numtest.Symmetric(rng, eig), .5+rng.Float64()
			p := problem.NewOrnsteinUhlenbeck(f, d, beta)
			const tol = 1e-12 // a few hundred products of numbers below 20

			var g mat.Dense
			g.Add(d, p.Skew())
			numtest.CloseSlice(t, "(D+Q)U", raw(product(&g, p.PotentialHessian())), raw(f), tol)
			numtest.CloseSlice(t, "U·Y", raw(product(p.PotentialHessian(), p.UnitCovariance())), raw(eye(n)), tol)
			q := p.Skew()
			numtest.Close(t, "tr(QU) = −∇·j", mat.Trace(product(q, p.PotentialHessian())), 0, tol)
			// −tr(UQD⁻¹Q), the other form of the entropy production.
			var inv mat.Dense
			if err := inv.Inverse(d); err != nil {
				t.Fatal(err)
			}
			numtest.Close(t, "entropy production", p.EntropyProduction(), -mat.Trace(product(p.PotentialHessian(), q, &inv, q)), 1e-10)

			// Y = 2∫e^(−Ft)De^(−Fᵀt)dt, by Simpson; the same integral to t is C(t) from a point.
			numtest.CloseSlice(t, "Y as an integral", raw(p.UnitCovariance()), scaled(2, noiseIntegral(p, 20, 4000)), 1e-8)
			numtest.CloseSlice(t, "C(0.7)", raw(p.CovarianceAt(.7, nil)), scaled(2/beta, noiseIntegral(p, .7, 400)), 1e-9)
			numtest.CloseSlice(t, "C(∞)", raw(p.CovarianceAt(60, d)), raw(p.Covariance()), 1e-13)

			m0 := make([]float64, n)
			m0[0] = 1
			var e mat.Dense
			e.Scale(-.3, f)
			e.Exp(&e)
			numtest.CloseSlice(t, "mean", p.MeanAt(.3, m0), mat.Col(nil, 0, &e), 1e-14)
			lag := product(&e, p.Covariance())
			numtest.CloseSlice(t, "lag covariance", raw(p.LagCovariance(.3)), raw(lag), 1e-14)
			numtest.CloseSlice(t, "backwards", raw(p.LagCovariance(-.3)), raw(lag.T()), 1e-14)
			// d/dt of the lag covariance at 0± is −FΣ and ΣFᵀ; A = ½(FΣ − ΣFᵀ).
			fs := product(f, p.Covariance())
			fs.Sub(fs, product(p.Covariance(), f.T()))
			numtest.CloseSlice(t, "area rate", raw(p.AreaRate()), scaled(.5, fs), tol)
		}
	}
}

func eye(n int) *mat.Dense {
	m := mat.NewDense(n, n, nil)
	for i := range n {
		m.Set(i, i, 1)
	}
	return m
}

func scaled(c float64, m mat.Matrix) []float64 {
	var s mat.Dense
	s.Scale(c, m)
	return raw(&s)
}

// noiseIntegral is ∫₀ᵗ e^(−Fs)De^(−Fᵀs)ds by Simpson's rule.
func noiseIntegral(p *problem.OrnsteinUhlenbeck, t float64, steps int) *mat.Dense {
	n := p.Dim()
	h := t / float64(steps)
	var step mat.Dense
	step.Scale(-h, p.Relaxation())
	step.Exp(&step)
	term, sum := mat.DenseCopyOf(p.Diffusion()), mat.NewDense(n, n, nil)
	for k := range steps + 1 {
		w := h / 3 * float64(2+2*(k%2))
		if k == 0 || k == steps {
			w = h / 3
		}
		var add mat.Dense
		add.Scale(w, term)
		sum.Add(sum, &add)
		term = product(&step, term, step.T())
	}
	return sum
}

func TestT1IsAnOrnsteinUhlenbeckProcess(t *testing.T) {
	t1 := problem.T1()
	p := problem.NewOrnsteinUhlenbeck(t1.Hessian(), t1.Diffusion(), 20) // η = 0.1, b = 1
	numtest.CloseSlice(t, "Σ", raw(p.Covariance()), raw(t1.ContinuousCovariance(.1, 1)), 1e-15)
	numtest.Close(t, "entropy production", p.EntropyProduction(), 9./16, 1e-14)
	numtest.Close(t, "Q₁₂", p.Skew().At(0, 1), -.9, 1e-15)
	if err := problem.Check(p.System()); err != nil {
		t.Error(err)
	}
}

func TestOrnsteinUhlenbeckMisuse(t *testing.T) {
	one, d2 := mat.NewSymDense(1, []float64{1}), mat.NewSymDense(2, []float64{1, 0, 0, 1})
	for name, tt := range map[string]struct {
		fn   func()
		want string
	}{
		"sizes":         {func() { problem.NewOrnsteinUhlenbeck(d2, one, 1) }, "dimension mismatch: F is 2×2, D is 1×1"},
		"β":             {func() { problem.NewOrnsteinUhlenbeck(d2, d2, 0) }, "β must be positive"},
		"NaN":           {func() { problem.ROT(nan) }, "must be finite"},
		"D indefinite":  {func() { problem.NewOrnsteinUhlenbeck(d2, mat.NewSymDense(2, []float64{1, 2, 2, 1}), 1) }, "positive semi-definite"},
		"unstable":      {func() { problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(2, []float64{1, -1}), d2, 1) }, "must be stable"},
		"flat":          {func() { problem.NewOrnsteinUhlenbeck(mat.NewDiagDense(2, []float64{1, 0}), d2, 1) }, "must be stable"},
		"not the plane": {func() { problem.NewOrnsteinUhlenbeck(one, one, 1).System() }, "dimension mismatch"},
		"dst":           {func() { problem.REF().DriftTo(make([]float64, 1), []float64{1, 2}) }, "dimension mismatch"},
	} {
		if msg := fmt.Sprint(panics(tt.fn)); !strings.HasPrefix(msg, "problem: ") || !strings.Contains(msg, tt.want) {
			t.Errorf("%s: got %q, want %q", name, msg, tt.want)
		}
	}
}

func ExampleREF() {
	ref := problem.REF()
	fmt.Printf("Q₁₂ = %.2f, entropy production %.4f, ω = %.4f\n", ref.Skew().At(0, 1), ref.EntropyProduction(), ref.Frequencies()[0])
	// Output:
	// Q₁₂ = -0.45, entropy production 4.2632, ω = 1.2441
}
