package problem_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
)

// mean is 𝔼φ under e^(−βΦ) by Gauss–Legendre quadrature, and the partition function.
func mean(s *problem.System, phi func(x []float64) float64) (average, partition float64) {
	const n = 200
	width := 8 / math.Sqrt(min(s.Beta, 1))
	at, weight := make([]float64, n), make([]float64, n)
	quad.Legendre{}.FixedLocations(at, weight, -width, width)
	x := make([]float64, 2)
	for i := range n {
		for k := range n {
			x[0], x[1] = at[i], at[k]
			w := weight[i] * weight[k] * math.Exp(-s.Beta*s.Potential(x))
			partition += w
			if w > 0 {
				average += w * phi(x)
			}
		}
	}
	return average / partition, partition
}

func TestEX19Constants(t *testing.T) {
	// statements §14, m05 and m07.
	for _, lambda := range []float64{0, .25, .5, 1.5} {
		p := problem.EX19(lambda)
		xx, yy := p.SecondMoments()
		numtest.Close(t, "Z", p.Partition(), 7.623468444673, 1e-11)
		numtest.Close(t, "𝔼x₁²", xx, 1.041797296487, 1e-12)
		numtest.Close(t, "𝔼x₂²", yy, 1, 0)
		numtest.Close(t, "area rate", p.AreaRate(), .4120949246*lambda, 1e-10)
		numtest.Close(t, "ray flux", p.RayFlux(0), .1162498319*lambda, 1e-10)
		numtest.Close(t, "ray flux r > .5", p.RayFlux(.5), .0999*lambda, 2e-4) // §11.2, four digits
		numtest.Close(t, "angular velocity", p.AngularVelocity(), .7304192360*lambda, 1e-10)
		numtest.Close(t, "entropy production", p.EntropyProduction(), .68138161*lambda*lambda, 5e-9*(1+lambda*lambda))
	}
	numtest.Close(t, "λc", problem.EX19(1).CriticalStrength(), .7788007831, 1e-10)
}

func TestEX19AgainstQuadrature(t *testing.T) {
	for _, lambda := range []float64{.5, 1.5} {
		p := problem.EX19(lambda)
		s := p.System()
		j := make([]float64, 2)
		// The quadrature is exact to rounding; 40,000 terms of size 1.
		const tol = 1e-11
		check := func(name string, got float64, phi func(x []float64) float64) {
			t.Helper()
			want, z := mean(s, phi)
			numtest.Close(t, name, got, want, tol)
			numtest.Close(t, "Z", p.Partition(), z, tol)
		}
		xx, yy := p.SecondMoments()
		check("𝔼x₁²", xx, func(x []float64) float64 { return x[0] * x[0] })
		check("𝔼x₂²", yy, func(x []float64) float64 { return x[1] * x[1] })
		check("𝔼x₁⁴", p.FourthMoment(), func(x []float64) float64 { return math.Pow(x[0], 4) })
		check("area rate", p.AreaRate(), func(x []float64) float64 {
			s.Force(j, x)
			return (x[0]*j[1] - x[1]*j[0]) / 2
		})
		check("entropy production", p.EntropyProduction(), func(x []float64) float64 {
			s.Force(j, x)
			return s.Beta * (j[0]*j[0] + j[1]*j[1])
		})
		check("angular velocity", p.AngularVelocity(), func(x []float64) float64 {
			s.Force(j, x)
			return (x[0]*j[1] - x[1]*j[0]) / (x[0]*x[0] + x[1]*x[1])
		})
		for _, r0 := range []float64{0, .5, 1.2} {
			numtest.Close(t, fmt.Sprint("ray flux from ", r0), p.RayFlux(r0), ray(s, p.Partition(), r0), tol)
		}
	}
}

// ray is the current through {x₂ = 0, x₁ > r0} by quadrature.
func ray(s *problem.System, z, r0 float64) float64 {
	return quad.Fixed(func(x float64) float64 {
		at, j := []float64{x, 0}, make([]float64, 2)
		s.ForceTo(j, at)
		return j[1] * math.Exp(-s.Beta*s.Potential(at)) / z
	}, r0, 8/math.Sqrt(min(s.Beta, 1)), 200, nil, 0)
}

func TestEX19DivForce(t *testing.T) {
	p := problem.EX19(1)
	s := p.System()
	var largest, at1, at2 float64
	for x := -2.; x <= 2; x += .01 {
		for y := -2.; y <= 2; y += .005 {
			if d := math.Abs(p.DivForce([]float64{x, y})); d > largest {
				largest, at1, at2 = d, math.Abs(x), math.Abs(y)
			}
		}
	}
	// §2.3, m05: the largest to five decimals, the place to two or three, rms to six.
	numtest.Close(t, "max|∇·j|", largest, 1.21927, 2e-5)
	numtest.Close(t, "|x₁| there", at1, .53, .006)
	numtest.Close(t, "|x₂| there", at2, 1.195, .006)
	square, _ := mean(s, func(x []float64) float64 { return p.DivForce(x) * p.DivForce(x) })
	numtest.Close(t, "rms ∇·j", math.Sqrt(square), .451921, 1e-6)

	j, g := make([]float64, 2), make([]float64, 2)
	for _, x := range [][]float64{{.53, 1.195}, {-2, .3}, {1, -1}} {
		s.Force(j, x)
		s.Gradient(g, x)
		numtest.Close(t, "j·∇Φ", p.DivForce(x), j[0]*g[0]+j[1]*g[1], 1e-14)
	}
}

func TestEX19DriftZeros(t *testing.T) {
	for _, tt := range []struct{ lambda, x, y float64 }{{.25, .980069, .194698}, {.5, .902428, .388802}, {.75, .299708, .285931}} { // m07
		zeros := problem.EX19(tt.lambda).DriftZeros()
		if len(zeros) != 3 {
			t.Fatalf("λ = %v: got %d zeros, want 3", tt.lambda, len(zeros))
		}
		numtest.CloseSlice(t, "zero", zeros[0], []float64{tt.x, tt.y}, 1e-6)
	}
	for _, lambda := range []float64{0, .01, .5, .7788, .778801, 1.5} {
		p := problem.EX19(lambda)
		zeros := p.DriftZeros()
		if want := 1 + 2*b2i(lambda < p.CriticalStrength()); len(zeros) != want {
			t.Errorf("λ = %v: got %d zeros, want %d", lambda, len(zeros), want)
		}
		u := make([]float64, 2)
		for _, z := range zeros {
			p.System().Drift(u, z)
			numtest.CloseSlice(t, fmt.Sprintf("drift at the zero %v, λ = %v", z, lambda), u, []float64{0, 0}, 1e-15)
		}
	}
	// Eigenvalues ±√(1 − λ²√e) of the Jacobian at the origin: its determinant changes sign at λc.
	for _, lambda := range []float64{.5, 1.5} {
		s := problem.EX19(lambda).System()
		const h = 1e-6
		a, b := make([]float64, 2), make([]float64, 2)
		s.Drift(a, []float64{h, 0})
		s.Drift(b, []float64{0, h})
		numtest.Close(t, "det of the Jacobian", (a[0]*b[1]-a[1]*b[0])/(h*h), lambda*lambda*math.Sqrt(math.E)-1, 1e-10) // h² truncation
		numtest.Close(t, "curl of the drift (E7)", (a[1]-b[0])/h, 2*lambda*math.Exp(.25), 1e-10)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestEX19NeverOverflows(t *testing.T) {
	s := problem.EX19(1.5).System()
	for _, x := range [][]float64{{50, 0}, {0, 50}, {-300, 300}, {1e10, 1e10}} {
		j := make([]float64, 2)
		if s.Force(j, x); j[0] != 0 || j[1] != 0 {
			t.Errorf("j at %v: got %v, want 0, far below the smallest number", x, j)
		}
	}
}

func TestEX19RAgainstQuadrature(t *testing.T) {
	for _, p := range []*problem.RepairedExample19{problem.EX19R(.5), problem.EX19R(1.5).AtBeta(4), problem.EX19R(1).AtBeta(.25)} {
		s := p.System()
		j := make([]float64, 2)
		const tol = 1e-10 // rounding of 40,000 terms, the largest of size 30
		xx, yy := p.SecondMoments()
		want, z := mean(s, func(x []float64) float64 { return x[0] * x[0] })
		numtest.Close(t, "𝔼x₁²", xx, want, tol)
		numtest.Close(t, "Z", p.Partition(), z, tol)
		want, _ = mean(s, func(x []float64) float64 { return x[1] * x[1] })
		numtest.Close(t, "𝔼x₂²", yy, want, tol)
		want, _ = mean(s, func(x []float64) float64 { s.Force(j, x); return (x[0]*j[1] - x[1]*j[0]) / 2 })
		numtest.Close(t, "area rate", p.AreaRate(), want, tol)
		want, _ = mean(s, func(x []float64) float64 { s.Force(j, x); return s.Beta * (j[0]*j[0] + j[1]*j[1]) })
		numtest.Close(t, "entropy production", p.EntropyProduction(), want, tol)
		for _, r0 := range []float64{0, .5, 1.5} {
			numtest.Close(t, fmt.Sprint("ray flux from ", r0), p.RayFlux(r0), ray(s, z, r0), tol)
		}
		u := make([]float64, 2)
		for _, zero := range p.DriftZeros() {
			s.Drift(u, zero)
			numtest.CloseSlice(t, "drift at a zero", u, []float64{0, 0}, 0)
		}
		// Assumption 4: ∇·j = j·∇Φ = 0.
		g := make([]float64, 2)
		s.Force(j, []float64{.3, -.8})
		s.Gradient(g, []float64{.3, -.8})
		numtest.Close(t, "j·∇Φ", j[0]*g[0]+j[1]*g[1], 0, 1e-16)
	}
}

func ExampleEX19() {
	p := problem.EX19(0.5)
	fmt.Printf("area rate %.6f, entropy production %.6f\n", p.AreaRate(), p.EntropyProduction())
	for _, x := range p.DriftZeros() {
		fmt.Printf("drift zero (%.4f, %.4f)\n", x[0], x[1])
	}
	// Output:
	// area rate 0.206047, entropy production 0.170345
	// drift zero (0.9024, 0.3888)
	// drift zero (0.0000, 0.0000)
	// drift zero (-0.9024, -0.3888)
}
