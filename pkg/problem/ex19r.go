package problem

import (
	"fmt"
	"math"
)

// RepairedExample19 is Example 19 with a force that satisfies Assumption 4: the same
// double well Φ(x) = ¼(x₁²−1)² + ½x₂² and D = I, but
//
//	j = λ(−∂₂Φ, ∂₁Φ) = λ(−x₂, x₁³−x₁).
//
// Then Q is constant, Q₁₂ = λ, ∇·j = j·∇Φ = 0, the orbits of ẋ = j are the level lines of
// Φ, the density e^(−βΦ) is stationary at every β, and the zeros of the drift are the
// critical points of Φ (erratum E9). Use [EX19R].
type RepairedExample19 struct {
	Strength float64 // λ ≥ 0
	Beta     float64 // β > 0
}

// EX19R returns the repaired Example 19 with the strength λ, at β = 1. It panics unless
// λ ≥ 0 is finite.
//
//	s := problem.EX19R(1).System()
func EX19R(strength float64) *RepairedExample19 {
	checkStrength(strength)
	return &RepairedExample19{Strength: strength, Beta: 1}
}

// AtBeta returns the same drift at another inverse temperature. It panics unless β is
// positive and finite.
//
//	p := problem.EX19R(1).AtBeta(4)
func (p *RepairedExample19) AtBeta(beta float64) *RepairedExample19 {
	checkBeta(beta)
	return &RepairedExample19{Strength: p.Strength, Beta: beta}
}

// System returns the equation with all its functions. The stream function is
// ψ = β⁻¹λe^(−βΦ).
func (p *RepairedExample19) System() *System {
	lambda := p.Strength
	skew := func([]float64) float64 { return lambda }
	return &System{
		Name: fmt.Sprintf("EX19R, λ = %.6g", lambda), Beta: p.Beta, Box: doubleWellBox,
		Drift: func(dst, x []float64) {
			slope := x[0] * (x[0]*x[0] - 1)
			dst[0], dst[1] = -slope-lambda*x[1], -x[1]+lambda*slope
		},
		Diffusion:    identity2,
		Batch:        repairedBatch(lambda),
		DivDiffusion: zeroVector,
		Potential:    doubleWell,
		Gradient:     doubleWellGradient,
		Force: func(dst, x []float64) {
			dst[0], dst[1] = -lambda*x[1], lambda*x[0]*(x[0]*x[0]-1)
		},
		StreamFunction: streamFromSkew(p.Beta, skew, doubleWell),
		Skew:           skew,
		BetaFree:       true,
	}
}

// Partition returns Z(β) = ∫e^(−βΦ)dx; 7.623468444673 at β = 1.
func (p *RepairedExample19) Partition() float64 { return doubleWellPartition(p.Beta) }

// SecondMoments returns 𝔼x₁² and 𝔼x₂² = 1/β.
func (p *RepairedExample19) SecondMoments() (xx, yy float64) {
	return doubleWellMoment(p.Beta, 1), 1 / p.Beta
}

// AreaRate returns the mean of ½(x₁ẋ₂ − x₂ẋ₁), λ/β.
func (p *RepairedExample19) AreaRate() float64 { return p.Strength / p.Beta }

// RayFlux returns the net probability per unit time that crosses the ray
// {x₂ = 0, x₁ > r0} counter-clockwise, λe^(−βΦ(r0, 0))/(βZ). It is negative nowhere,
// though the force is where r0 < 1. It panics if r0 < 0.
func (p *RepairedExample19) RayFlux(r0 float64) float64 {
	checkRay(r0)
	return p.Strength * math.Exp(-p.Beta*doubleWell([]float64{r0, 0})) / (p.Beta * p.Partition())
}

// EntropyProduction returns the stationary rate β∫ρ|j|²dx = λ²𝔼ΔΦ = 3λ²𝔼x₁², in nats per
// unit time.
func (p *RepairedExample19) EntropyProduction() float64 {
	return 3 * p.Strength * p.Strength * doubleWellMoment(p.Beta, 1)
}

// DriftZeros returns the points (2) where the drift is zero: (1, 0), the origin and (−1, 0)
// for every λ.
func (p *RepairedExample19) DriftZeros() [][]float64 { return [][]float64{{1, 0}, {0, 0}, {-1, 0}} }
