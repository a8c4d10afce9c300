package problem_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
)

func TestT2Constants(t *testing.T) {
	p := problem.T2()
	// Printed to seven and six decimals in statements §14 (m02, m10).
	numtest.Close(t, "𝔼x² discrete", p.StationarySecondMoment(.2, 1), .1142857, 1e-7)
	numtest.Close(t, "𝔼x² continuous", p.ContinuousSecondMoment(.2, 1), .1025641, 1e-7)
	numtest.Close(t, "Φ(2), β=1", p.Potential(2, 1), 2.079442, 1e-6)
	numtest.Close(t, "Φ(2), β=4", p.Potential(2, .25), 1.559581, 1e-6)
	// The transient from x₀² = 4 to T = 1, statements §1.4 (m17).
	for _, tt := range []struct{ eta, first, second float64 }{{.1, -.050480, .003805}, {.05, -.026201, .000901}, {.025, -.013323, .000219}} {
		m := p.SecondMomentAfter(int(math.Round(1/tt.eta)), 4, tt.eta, 1)
		numtest.Close(t, "discrete − Lemma 2", m-p.ContinuousSecondMomentAt(1, 4, tt.eta, 1), tt.first, 1e-6)
		numtest.Close(t, "discrete − modified", m-p.ModifiedSecondMomentAt(1, 4, tt.eta, 1), tt.second, 1e-6)
	}
}

func TestT2WeakOrders(t *testing.T) {
	p := problem.T2()
	errs := func(eta float64) (first, second float64) {
		m := p.SecondMomentAfter(int(math.Round(1/eta)), 4, eta, 1)
		return m - p.ContinuousSecondMomentAt(1, 4, eta, 1), m - p.ModifiedSecondMomentAt(1, 4, eta, 1)
	}
	// The next term of the expansion changes the quotient by O(η): below 5 % here.
	f1, s1 := errs(.01)
	f2, s2 := errs(.005)
	numtest.Close(t, "order of Lemma 2", math.Log2(f1/f2), 1, .05)
	numtest.Close(t, "order of the modified equation", math.Log2(s1/s2), 2, .05)
	numtest.Close(t, "(discrete − Lemma 2)/η", f2/.005, -.54, .005)
}

func TestT2DiffusionEverywhere(t *testing.T) {
	for _, p := range []*problem.FourSamples{problem.T2(), {CurvatureSpread: 2, SlopeSpread: .3}, {}} {
		for _, x := range []float64{0, 1, -1, .3, 7} {
			d := covariance(gradients(t, p, []float64{x}, nil))
			numtest.Close(t, fmt.Sprintf("D(%v)", x), p.Diffusion(x), d.At(0, 0), 1e-12) // squares of 21 at most
		}
	}
}

func TestT2AgainstEnumeration(t *testing.T) {
	p := problem.T2()
	for _, tt := range []struct {
		eta float64
		b   int
	}{{.2, 1}, {.2, 2}, {1, 1}, {1.5, 3}, {.02, 1}} {
		ch := enumerate(t, p, tt.eta, tt.b)
		cov, _ := ch.stationary(t)
		// Relaxation over at most 1/(2η) = 25 steps of round-off.
		numtest.Close(t, fmt.Sprint("𝔼x² at ", tt), p.StationarySecondMoment(tt.eta, tt.b), cov.At(0, 0), 1e-14)

		mean, second := mat.NewVecDense(1, []float64{2}), mat.NewDense(1, 1, []float64{4})
		for range 10 {
			mean, second, _ = ch.step(mean, second)
		}
		numtest.Close(t, fmt.Sprint("transient at ", tt), p.SecondMomentAfter(10, 4, tt.eta, tt.b), second.At(0, 0), 1e-13)
	}
}

func TestT2ContinuousAgainstRungeKutta(t *testing.T) {
	p := problem.T2()
	for _, tt := range []struct {
		eta float64
		b   int
	}{{.2, 1}, {.5, 2}, {8, 1}} { // r = 2 − ηs²/b is 1.95, 1.9375 and 0
		beta1 := tt.eta / (2 * float64(tt.b))
		// d𝔼x²/dt = −2𝔼x·f′ + 2β⁻¹𝔼D, Itô, and 𝔼D = D(√𝔼x²) because D is quadratic.
		rate := func(drift float64) func(m float64) float64 {
			return func(m float64) float64 { return -2*drift*m + 2*beta1*p.Diffusion(math.Sqrt(m)) }
		}
		// Order 4 with h = 1/2000: (rh)⁵·steps ≪ 1e-13.
		numtest.Close(t, fmt.Sprint("Lemma 2 at ", tt), p.ContinuousSecondMomentAt(1, 4, tt.eta, tt.b), settle(4, 1, 2000, rate(1)), 1e-12)
		numtest.Close(t, fmt.Sprint("modified at ", tt), p.ModifiedSecondMomentAt(1, 4, tt.eta, tt.b), settle(4, 1, 2000, rate(1+tt.eta/2)), 1e-12)
		if tt.eta < 8 {
			numtest.Close(t, fmt.Sprint("stationary at ", tt), p.ContinuousSecondMoment(tt.eta, tt.b), settle(4, 30, 60000, rate(1)), 1e-12)
		}
	}
}

func TestT2PotentialSolvesItsEquation(t *testing.T) {
	// f′ = DΦ′ − β⁻¹D′: [chaudhari2018] eq. (8) with j = 0, which always holds in 1-D.
	for _, p := range []*problem.FourSamples{problem.T2(), {CurvatureSpread: 0, SlopeSpread: 2}} {
		for _, x := range []float64{-2, -.5, 0, .1, 3} {
			for _, temperature := range []float64{0, .25, 1} {
				const h = 1e-5
				slope := (p.Potential(x+h, temperature) - p.Potential(x-h, temperature)) / (2 * h)
				dSlope := (p.Diffusion(x+h) - p.Diffusion(x-h)) / (2 * h)
				// Truncation h²/6·|Φ‴| < 1e-10 and round-off 2⁻⁵³·4/h < 1e-10.
				numtest.Close(t, fmt.Sprintf("f′(%v)", x), p.Diffusion(x)*slope-temperature*dSlope, x, 1e-8)
			}
		}
	}
}

func TestT2Conformance(t *testing.T) { conformance(t, problem.T2()) }

func TestT2Misuse(t *testing.T) {
	p := problem.T2()
	for name, fn := range map[string]func(){
		"η at the limit":  func() { p.StationarySecondMoment(2/1.25, 1) },
		"η of Lemma 2":    func() { p.ContinuousSecondMoment(8, 1) },
		"η negative":      func() { p.StationarySecondMoment(-1, 1) },
		"b = 0":           func() { p.ContinuousSecondMoment(.1, 0) },
		"b = 0 transient": func() { p.SecondMomentAfter(1, 4, .1, 0) },
		"steps < 0":       func() { p.SecondMomentAfter(-1, 4, .1, 1) },
		"t < 0":           func() { p.ContinuousSecondMomentAt(-1, 4, .1, 1) },
		"t NaN":           func() { p.ModifiedSecondMomentAt(nan, 4, .1, 1) },
	} {
		if msg := fmt.Sprint(panics(fn)); !strings.HasPrefix(msg, "problem: ") {
			t.Errorf("%s: got %q, want a panic of this package", name, msg)
		}
	}
}

func ExampleT2() {
	t2 := problem.T2()
	fmt.Printf("D(0) = %.2f, D(2) = %.2f\n", t2.Diffusion(0), t2.Diffusion(2))
	fmt.Printf("𝔼x²: SGD %.7f, Lemma 2 %.7f\n", t2.StationarySecondMoment(0.2, 1), t2.ContinuousSecondMoment(0.2, 1))
	// Output:
	// D(0) = 1.00, D(2) = 2.00
	// 𝔼x²: SGD 0.1142857, Lemma 2 0.1025641
}
