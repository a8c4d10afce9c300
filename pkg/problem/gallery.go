package problem

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// FromLoss returns the system of a loss f with constant noise D at β = 1: u = −∇f by
// differences of five points. What it does to Φ is not known beforehand. It panics if D is
// not positive semi-definite.
//
//	s := problem.FromLoss("valley", problem.Box{XMin: -3, XMax: 3, YMin: -3, YMax: 3},
//		func(x []float64) float64 { return x[0]*x[0] + 2*x[1]*x[1] }, problem.Tensor{XX: 1, YY: 0.1})
func FromLoss(name string, box Box, f func(x []float64) float64, d Tensor) *System {
	if _, ok := d.Root(); !ok {
		panic(fmt.Sprintf("problem: D = [%v %v; %v %v] of %q is not positive semi-definite", d.XX, d.XY, d.XY, d.YY, name))
	}
	s := &System{
		Name: name, Beta: 1, Box: box, Loss: f,
		Diffusion:    func([]float64) Tensor { return d },
		DivDiffusion: zeroVector,
	}
	s.Drift = func(dst, x []float64) { dst[0], dst[1] = -s.partial(f, x, 0), -s.partial(f, x, 1) }
	return s
}

// FromPotential returns the system with the potential phi, noise d and Q₁₂ = q at β that
// [chaudhari2018] eq. (19) makes: e^(−βΦ) is stationary, the drift is
//
//	u = −(D+Q)∇Φ + β⁻¹∇·(D+Q),   j = −Q∇Φ + β⁻¹∇·Q.
//
// Derivatives are differences of five points. It panics unless β is positive and finite.
//
//	xd := problem.XD()
//	s := problem.FromPotential("XD at β = 2", xd.Box, 2, xd.Potential, xd.Diffusion, xd.Skew)
func FromPotential(name string, box Box, beta float64, phi func(x []float64) float64, d func(x []float64) Tensor, q func(x []float64) float64) *System {
	checkBeta(beta)
	s := &System{Name: name, Beta: beta, Box: box, Diffusion: d, Potential: phi, Skew: q, StreamFunction: streamFromSkew(beta, q, phi)}
	s.Force = func(dst, x []float64) {
		var g [2]float64
		s.GradientTo(g[:], x)
		c := q(x)
		dst[0], dst[1] = -c*g[1]+s.partial(q, x, 1)/beta, c*g[0]-s.partial(q, x, 0)/beta
	}
	s.Drift = func(dst, x []float64) {
		var j, g, div [2]float64
		s.Force(j[:], x)
		s.GradientTo(g[:], x)
		s.DivDiffusionTo(div[:], x)
		a, b := d(x).MulVec(g[0], g[1])
		dst[0], dst[1] = j[0]-a+div[0]/beta, j[1]-b+div[1]/beta
	}
	return s
}

// Wavy has noise without drift that depends on the other coordinate,
// D = diag(1 + 0.9 sin 3x₂, 1 + 0.9 sin 3x₁), β = 1: the strong order ½ of Euler–Maruyama
// does not hide behind an error of order 1. It has no steady state in the plane.
func Wavy() *System {
	return &System{
		Name: "wavy noise", Beta: 1, Box: Box{-3, 3, -3, 3}, Drift: zeroVector,
		Diffusion: func(x []float64) Tensor { return Tensor{XX: 1 + .9*math.Sin(3*x[1]), YY: 1 + .9*math.Sin(3*x[0])} },
	}
}

// Bowl is the quadratic loss ½(l₁x₁² + l₂x₂²) with constant noise D at β = 1: REF is
// Bowl(1, 3, Tensor{1, .9, 1}). It panics unless both curvatures are positive and D is
// positive semi-definite.
//
//	p := problem.Bowl(1, 3, problem.Tensor{XX: 1, XY: 0.9, YY: 1})
//	q := p.Skew().At(0, 1)
func Bowl(l1, l2 float64, d Tensor) *OrnsteinUhlenbeck {
	p := NewOrnsteinUhlenbeck(mat.NewDiagDense(2, []float64{l1, l2}), mat.NewSymDense(2, []float64{d.XX, d.XY, d.XY, d.YY}), 1)
	p.name = fmt.Sprintf("bowl %.4g, %.4g with D = [%.4g %.4g; %.4g %.4g]", l1, l2, d.XX, d.XY, d.XY, d.YY)
	return p
}

// LineNoise is a quadratic loss with the given curvatures in as many dimensions and noise
// along one line, D = vvᵀ with v = (1, …, 1), at β = 1. It has a density if and only if all
// curvatures differ (erratum E31); then det Y is that of a Cauchy matrix.
//
//	fmt.Println(problem.LineNoise(1, 1).HasDensity(), problem.LineNoise(1, 2).HasDensity()) // false true
func LineNoise(curvatures ...float64) *OrnsteinUhlenbeck {
	d := mat.NewSymDense(len(curvatures), nil)
	for i := range curvatures {
		for j := i; j < len(curvatures); j++ {
			d.SetSym(i, j, 1)
		}
	}
	p := NewOrnsteinUhlenbeck(mat.NewDiagDense(len(curvatures), curvatures), d, 1)
	p.name = fmt.Sprintf("curvatures %.4g, noise along a line", curvatures)
	return p
}

// TwoBlocks is two systems like REF side by side in four dimensions, with D₁₂ = d and
// D₃₄ = e: the orbits of ẋ = j have two frequencies and close only if their ratio is
// rational (erratum E24).
//
//	x := problem.TwoBlocks(0.9, 0.5).OrbitAt(10, []float64{1, 0, 1, 0})
func TwoBlocks(d, e float64) *OrnsteinUhlenbeck {
	p := NewOrnsteinUhlenbeck(mat.NewDiagDense(4, []float64{1, 3, 1, 3}), mat.NewSymDense(4, []float64{1, d, 0, 0, d, 1, 0, 0, 0, 0, 1, e, 0, 0, e, 1}), 1)
	p.name = fmt.Sprintf("two blocks, D₁₂ = %.4g and D₃₄ = %.4g", d, e)
	return p
}

// OrbitAt returns the point at time t of the orbit of ẋ = j(x) = −QUx from x0
// (d), e^(−QUt)x0. // It panics if there is no density.
func (p *OrnsteinUhlenbeck) OrbitAt(t float64, x0 []float64) []float64 {
	checkLen("x0", len(x0), p.Dim())
	p.needDensity()
	var v mat.Dense
	v.Mul(p.q, p.u)
	v.Scale(-t, &v)
	v.Exp(&v)
	dst := make([]float64, p.Dim())
	mat.NewVecDense(len(dst), dst).MulVec(&v, mat.NewVecDense(len(x0), x0))
	return dst
}

// The systems that Lemma 6 is tried on. In the first three Φ = f + const although D is
// anisotropic, against its "only if" (erratum E2); statements.md §3.2. The drift of all is
// −∇f, that of a stochastic gradient descent with this D.

// WaveBox is e^(−f) = 1 + ½cos x₁ cos x₂ in the box [0, π]² with reflecting walls and
// D = diag(1.5, 0.5): Φ = f, with a current.
//
//	v, err := plane.Solve(problem.WaveBox(), 48)
func WaveBox() *System {
	s := FromLoss("reflecting box", Box{XMax: math.Pi, YMax: math.Pi},
		func(x []float64) float64 { return -math.Log(1 + .5*math.Cos(x[0])*math.Cos(x[1])) }, Tensor{XX: 1.5, YY: .5})
	s.Potential = s.Loss
	return s
}

// WaveTorus is f = 0.3 cos 2(x₁+x₂) on the torus [0, π]², periodic, with
// D = diag(1.5, 0.5): Φ = f, with a current, and Assumption 4 holds.
//
//	s := problem.WaveTorus()
//	phi := s.Potential([]float64{1, 0.4})
func WaveTorus() *System {
	s := FromLoss("torus", Box{XMax: math.Pi, YMax: math.Pi},
		func(x []float64) float64 { return .3 * math.Cos(2*(x[0]+x[1])) }, Tensor{XX: 1.5, YY: .5})
	s.Potential = s.Loss
	return s
}

// Airy is the bowl f = ½r² with D = I + e^f cof(∇²ψ), ψ = ε e^(−r²), the stress of an Airy
// function: anisotropic, different everywhere, and still Φ = f and j = 0. D is positive
// definite for |ε| < 0.13; ε = 0.1 gives eigenvalues in [0.80, 1.23].
//
//	s := problem.Airy(0.1)
//	d := s.Diffusion([]float64{0.7, -0.4})
func Airy(eps float64) *System {
	s := FromLoss("Airy", Box{-5, 5, -5, 5}, func(x []float64) float64 { return (x[0]*x[0] + x[1]*x[1]) / 2 }, Tensor{XX: 1, YY: 1})
	s.Diffusion = func(x []float64) Tensor {
		a := eps * math.Exp(-(x[0]*x[0]+x[1]*x[1])/2)
		return Tensor{XX: 1 + a*(4*x[1]*x[1]-2), XY: -a * 4 * x[0] * x[1], YY: 1 + a*(4*x[0]*x[0]-2)}
	}
	s.DivDiffusion = nil
	s.Potential = s.Loss
	return s
}

// Separable is a double well in x₁ and a bowl in x₂, f = ¼(x₁²−1)² + 2x₂², with
// D = diag(1, 5): anisotropic noise without a force (erratum E3), Φ = ¼(x₁²−1)² + ⅖x₂².
//
//	v, err := plane.Solve(problem.Separable(), 120)
func Separable() *System {
	well := func(x []float64) float64 { return math.Pow(x[0]*x[0]-1, 2) / 4 }
	s := FromLoss("separable, D = diag(1, 5)", Box{-5, 5, -5, 5}, func(x []float64) float64 { return well(x) + 2*x[1]*x[1] }, Tensor{XX: 1, YY: 5})
	s.Potential = func(x []float64) float64 { return well(x) + .4*x[1]*x[1] }
	return s
}
