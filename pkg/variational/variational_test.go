package variational_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/fokkerplanck"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/variational"
)

func near(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.12g, want %.12g ± %.2g", name, got, want, tol)
	}
}

// REF at β = 1: F, D and Σ of statements.md §0.2.
var (
	refF = mat.NewDense(2, 2, []float64{1, 0, 0, 3})
	refD = mat.NewSymDense(2, []float64{1, .9, .9, 1})
	refS = mat.NewSymDense(2, []float64{1, .45, .45, 1. / 3})
)

func start() variational.Gaussian {
	return variational.Gaussian{Mean: mat.NewVecDense(2, []float64{1, -2}), Covariance: mat.NewSymDense(2, []float64{.3, .1, .1, .8})}
}

// Density against its own normalisation, mean and entropy by quadrature.
func TestGaussianDensity(t *testing.T) {
	g := start()
	const h = .02
	var mass, mean, entropy float64
	for i := range 400 {
		for j := range 500 {
			x := []float64{1 + h*(float64(i)-199.5), -2 + h*(float64(j)-249.5)}
			rho := g.Density(x)
			mass, mean, entropy = mass+rho*h*h, mean+rho*x[1]*h*h, entropy-rho*math.Log(rho)*h*h
		}
	}
	near(t, "mass", mass, 1, 1e-7) // five standard deviations
	near(t, "mean", mean, -2, 1e-6)
	near(t, "entropy", entropy, g.Entropy(), 1e-5)
	if v := (variational.Gaussian{Mean: g.Mean, Covariance: mat.NewSymDense(2, nil)}).Density([]float64{0, 0}); !math.IsNaN(v) {
		t.Errorf("singular: %v, want NaN", v)
	}
}

// Theorem 5 in closed form, statements.md §3.1 [m20], and against the difference quotient of
// the exact KL along the exact evolution.
func TestTheorem5ForGaussians(t *testing.T) {
	law := variational.Gaussian{Mean: mat.NewVecDense(2, nil), Covariance: refS}
	for _, c := range []struct{ t, want float64 }{{0, -135.515924}, {.3, -26.116671}, {1, -1.111434}} {
		g := start().Relax(refF, refS, c.t)
		got := g.FreeEnergyRate(refD, refS, 1)
		near(t, fmt.Sprintf("dF/dt at %v", c.t), got, c.want, 1e-6) // digits given
		const h = 1e-5
		up, down := start().Relax(refF, refS, c.t+h).KLTo(law), start().Relax(refF, refS, c.t-h).KLTo(law)
		near(t, "difference quotient", (up-down)/(2*h), got, 1e-6*math.Abs(got)) // h² times the third derivative
	}
}

// E4: for D of rank one the free energy stalls away from the steady state, KL = 1/6, and falls
// only later. statements.md §3.1 [m06].
func TestRankOneStall(t *testing.T) {
	d := mat.NewSymDense(2, []float64{1, 1, 1, 1})
	s := mat.NewSymDense(2, []float64{1, .5, .5, 1. / 3}) // Yᵢⱼ = 2/(lᵢ+lⱼ), l = (1, 3)
	w := mat.NewVecDense(2, []float64{1, -1})
	var m mat.VecDense
	m.MulVec(s, w)
	g := variational.Gaussian{Mean: &m, Covariance: s}
	law := variational.Gaussian{Mean: mat.NewVecDense(2, nil), Covariance: s}
	near(t, "dF/dt", g.FreeEnergyRate(d, s, 1), 0, 1e-12)
	for time, want := range map[float64]float64{0: 0.166667, .01: 0.166665, .1: 0.165674, 1: 0.058923} {
		near(t, fmt.Sprintf("KL at %v", time), g.Relax(refF, s, time).KLTo(law), want, 1e-6)
	}
}

// The split of eq. (11) is exact on a grid, and equals KL.
func TestFreeEnergyIsKL(t *testing.T) {
	s := problem.EX19(1).System()
	g := fokkerplanck.Grid{Box: s.Box, NX: 20, NY: 30}
	r := rand.New(rand.NewPCG(4, 2))
	for _, beta := range []float64{.5, 1, 4} {
		p := g.MassesTo(nil, func([]float64) float64 { return r.ExpFloat64() })
		pi := g.MassesTo(nil, func(x []float64) float64 { return math.Exp(-beta * s.Potential(x)) })
		phi := make([]float64, g.Cells())
		for j := range g.NY {
			for i := range g.NX {
				x, y := g.Centre(i, j)
				phi[j*g.NX+i] = s.Potential([]float64{x, y}) + 7 // a constant changes nothing
			}
		}
		want := variational.KL(p, pi) / beta
		near(t, "F", variational.FreeEnergy(p, phi, g.CellArea(), beta), want, 1e-12*want) // sums of 600 terms
	}
}

func TestDivergences(t *testing.T) {
	p, q := []float64{.5, .5, 0}, []float64{.25, .25, .5}
	near(t, "KL", variational.KL(p, q), math.Ln2, 1e-15)
	near(t, "TV", variational.TotalVariation(p, q), .5, 0)
	if d := variational.KL(q, p); !math.IsInf(d, 1) {
		t.Errorf("KL of a mass where the other has none is %v, want +Inf", d)
	}
	near(t, "entropy of a uniform law on area 8", variational.Entropy([]float64{.25, .25, .25, .25}, 2), math.Log(8), 1e-15)
	one := variational.Gaussian{Mean: mat.NewVecDense(1, nil), Covariance: mat.NewSymDense(1, []float64{4})}
	near(t, "entropy of N(0, 4)", one.Entropy(), math.Log(2)+.5*math.Log(2*math.Pi*math.E), 1e-15)
	near(t, "KL to itself", one.KLTo(one), 0, 1e-15)
	if s := (variational.Gaussian{Mean: mat.NewVecDense(1, nil), Covariance: mat.NewSymDense(1, nil)}); !math.IsInf(s.KLTo(one), 1) || !math.IsInf(s.Entropy(), -1) {
		t.Error("a singular covariance must give an infinite divergence and entropy −∞")
	}
	defer func() {
		if recover() == nil {
			t.Error("KL of a negative mass did not panic")
		}
	}()
	variational.KL([]float64{1.5, -.5}, []float64{.5, .5})
}

func ExampleKL() {
	fair, biased := []float64{.5, .5}, []float64{.9, .1}
	fmt.Printf("%.3f nats\n", variational.KL(biased, fair))
	// Output: 0.368 nats
}
