package problem

import (
	"fmt"
	"math"
)

// Example19 is Example 19 of [chaudhari2018] (Fig. 4): the double well
//
//	Φ(x) = ¼(x₁²−1)² + ½x₂²,   D = I,   β = 1,
//
// with the drift u = −∇Φ + j and the force j = λE(x)·(−x₂, x₁), whose current
// je^(−Φ) = λe^(−r⁴/4)(−x₂, x₁) turns counter-clockwise. Use [EX19].
//
// The density e^(−Φ)/Z is stationary for every λ, at β = 1. The drift is not minus a
// gradient (erratum E7), Assumption 4 fails (E6), and at another β the same drift has
// another density (E10).
type Example19 struct {
	Strength float64 // λ ≥ 0
}

// EX19 returns Example 19 with the strength λ of its force; the paper shows 0, 0.5 and
// 1.5. It panics unless λ ≥ 0 is finite.
//
//	s := problem.EX19(1.5).System()
func EX19(strength float64) *Example19 {
	checkStrength(strength)
	return &Example19{Strength: strength}
}

func checkStrength(strength float64) {
	if !(strength >= 0) || math.IsInf(strength, 1) {
		panic(fmt.Sprintf("problem: the strength λ of Example 19 must be finite and not negative: got %v", strength))
	}
}

// swirl is E = e^Φ·e^(−r⁴/4) as one exponential; the product of the two overflows.
func swirl(x, y float64) float64 {
	a, b := x*x, y*y
	return exp(.25 - a/2 + b/2 - a*b/2 - b*b/4)
}

func doubleWell(x []float64) float64 {
	well := x[0]*x[0] - 1
	return well*well/4 + x[1]*x[1]/2
}

func doubleWellGradient(dst, x []float64) {
	dst[0], dst[1] = x[0]*(x[0]*x[0]-1), x[1]
}

func identity2([]float64) Tensor  { return Tensor{XX: 1, YY: 1} }
func zeroVector(dst, _ []float64) { dst[0], dst[1] = 0, 0 }

// doubleWellBox leaves out a mass of 6e-7 at β = 1.
var doubleWellBox = Box{-3, 3, -5, 5}

// System returns the equation with all its functions. The stream function is
// ψ = λ·½√π·erfc(r²/2) and Q₁₂ = e^Φψ.
func (p *Example19) System() *System {
	lambda := p.Strength
	stream := func(x []float64) float64 {
		return lambda * math.Sqrt(math.Pi) / 2 * math.Erfc((x[0]*x[0]+x[1]*x[1])/2)
	}
	return &System{
		Name: fmt.Sprintf("EX19, λ = %.6g", lambda), Beta: 1, Box: doubleWellBox,
		Drift: func(dst, x []float64) {
			e := lambda * swirl(x[0], x[1])
			dst[0], dst[1] = -x[0]*(x[0]*x[0]-1)-e*x[1], -x[1]+e*x[0]
		},
		Diffusion:    identity2,
		Batch:        example19Batch(lambda),
		DivDiffusion: zeroVector,
		Potential:    doubleWell,
		Gradient:     doubleWellGradient,
		Force: func(dst, x []float64) {
			e := lambda * swirl(x[0], x[1])
			dst[0], dst[1] = -e*x[1], e*x[0]
		},
		StreamFunction: stream,
		Skew:           func(x []float64) float64 { return math.Exp(doubleWell(x)) * stream(x) },
		BetaFree:       lambda == 0,
	}
}

// Partition returns Z = ∫e^(−Φ)dx = 7.623468444673.
func (p *Example19) Partition() float64 { return doubleWellPartition(1) }

// SecondMoments returns 𝔼x₁² = 1.041797296487 and 𝔼x₂² = 1. The mean is zero, and so is
// 𝔼x₁x₂. They do not depend on λ.
func (p *Example19) SecondMoments() (xx, yy float64) { return doubleWellMoment(1, 1), 1 }

// FourthMoment returns 𝔼x₁⁴ = 𝔼x₁² + 1.
func (p *Example19) FourthMoment() float64 { return doubleWellMoment(1, 1) + 1 }

// AreaRate returns the mean of ½(x₁ẋ₂ − x₂ẋ₁), πλ/Z.
func (p *Example19) AreaRate() float64 { return math.Pi * p.Strength / p.Partition() }

// RayFlux returns the net probability per unit time that crosses the ray
// {x₂ = 0, x₁ > r0} counter-clockwise, λ√π/(2Z)·erfc(r0²/2). It panics if r0 < 0.
func (p *Example19) RayFlux(r0 float64) float64 {
	checkRay(r0)
	return p.Strength * math.Sqrt(math.Pi) / (2 * p.Partition()) * math.Erfc(r0*r0/2)
}

func checkRay(r0 float64) {
	if !(r0 >= 0) {
		panic(fmt.Sprintf("problem: a ray begins at a radius r0 ≥ 0: got %v", r0))
	}
}

// AngularVelocity returns the mean of (x₁j₂ − x₂j₁)/r², π^(3/2)λ/Z. The gradient and the
// Itô terms of the mean angular velocity of the process are zero.
func (p *Example19) AngularVelocity() float64 {
	return math.Pow(math.Pi, 1.5) * p.Strength / p.Partition()
}

// EntropyProduction returns the stationary rate β∫ρ j·D⁻¹j dx = 0.68138161·λ², in nats
// per unit time, the housekeeping part of erratum E25. It is integrated numerically, to
// about 1e-12.
func (p *Example19) EntropyProduction() float64 {
	// The trapezoidal rule converges geometrically for a function that is analytic and
	// gone at ±7; j·j e^(−Φ) = λ²r²e^(Φ − r⁴/2), again as one exponential.
	const n, end = 140, 7.
	const h = 2 * end / n
	var sum float64
	for i := range n + 1 {
		for k := range n + 1 {
			a, b := -end+float64(i)*h, -end+float64(k)*h
			a, b = a*a, b*b
			sum += (a + b) * math.Exp(.25-a/2+b/2-a*a/4-a*b-b*b/2)
		}
	}
	return p.Strength * p.Strength * sum * h * h / p.Partition()
}

// DivForce returns ∇·j(x) = λE·x₁x₂(2 − x₁²) at x (2), which is also j·∇Φ. It is not zero:
// Assumption 4 fails (erratum E6).
//
//	div := problem.EX19(1).DivForce([]float64{1, 0.5})
func (p *Example19) DivForce(x []float64) float64 {
	checkLen("x", len(x), 2)
	return p.Strength * swirl(x[0], x[1]) * x[0] * x[1] * (2 - x[0]*x[0])
}

// CriticalStrength returns λ_c = e^(−1/4) = 0.7788…, from which on the origin is the
// only zero of the drift.
//
//	fmt.Println(problem.EX19(1).CriticalStrength())
func (p *Example19) CriticalStrength() float64 { return math.Exp(-.25) }

// DriftZeros returns the points (2) where the drift is zero: the origin and, for λ < λ_c,
// the pair ±(√(1−s), √s·√(1−s)) with s = κ², κ = λE, the solution of
//
//	ln s + ½ − s − s(1−s) + s(1−s)² + ½s²(1−s)² = 2 ln λ,
//
// the one with x₁ > 0 first. They move with λ; the modes of the density, (±1, 0), do not
// (erratum E8).
func (p *Example19) DriftZeros() [][]float64 {
	origin := []float64{0, 0}
	if p.Strength >= p.CriticalStrength() {
		return [][]float64{origin}
	}
	// κ ↦ κ/E(κ) grows on (0, 1); bisection on κ itself needs no logarithm of λ = 0.
	excess := func(kappa float64) float64 {
		a := 1 - kappa*kappa
		return kappa - p.Strength*swirl(math.Sqrt(a), kappa*math.Sqrt(a))
	}
	lower, upper := 0., 1.
	for range 60 {
		if mid := (lower + upper) / 2; excess(mid) < 0 {
			lower = mid
		} else {
			upper = mid
		}
	}
	kappa := upper
	if p.Strength == 0 {
		kappa = 0
	}
	x := math.Sqrt(1 - kappa*kappa)
	return [][]float64{{x, kappa * x}, origin, {-x, -kappa * x}}
}

// doubleWellPartition returns Z(β) = ∫e^(−βΦ)dx of the double well.
func doubleWellPartition(beta float64) float64 {
	zeroth, _ := doubleWellIntegrals(beta, 0)
	return zeroth * math.Sqrt(2*math.Pi/beta)
}

// doubleWellMoment returns 𝔼x₁^(2k) of the double well.
func doubleWellMoment(beta float64, k int) float64 {
	zeroth, moment := doubleWellIntegrals(beta, k)
	return moment / zeroth
}

// doubleWellIntegrals returns ∫e^(−β(x²−1)²/4)dx and the same with x^(2k), by the series
// in e^(βx²/2), all of whose terms are positive:
//
//	∫x^(2m) e^(−βx⁴/4) dx = ½ (4/β)^((2m+1)/4) Γ((2m+1)/4).
func doubleWellIntegrals(beta float64, k int) (zeroth, moment float64) {
	term := func(n, m int) float64 {
		a := (2*float64(m) + 1) / 4
		gamma, _ := math.Lgamma(a)
		factorial, _ := math.Lgamma(float64(n) + 1)
		return math.Exp(float64(n)*math.Log(beta/2) - factorial + a*math.Log(4/beta) + gamma - beta/4)
	}
	for n := 0; ; n++ {
		z, m := term(n, n)/2, term(n, n+k)/2
		zeroth, moment = zeroth+z, moment+m
		// The terms rise to n ≈ β/2 and fall faster than geometrically after.
		if float64(n) > beta && z < 1e-17*zeroth && m < 1e-17*moment {
			return zeroth, moment
		}
	}
}
