package problem

import (
	"fmt"
	"math"
)

// System is a stochastic differential equation in the plane with everything that is
// known about it, as functions,
//
//	dx = u(x) dt + √(2β⁻¹D(x)) dW   (Itô),
//
// where u is the drift: −∇f for a loss f ([chaudhari2018] eq. (3)), or any other vector
// field. Name, Beta, Box, Drift and Diffusion must be set; every other function is nil
// if it is not known. Write your own as a literal and let [Check] compare the functions
// with each other:
//
//	well := &problem.System{
//		Name: "well", Beta: 1, Box: problem.Box{-4, 4, -4, 4},
//		Drift:     func(dst, x []float64) { dst[0], dst[1] = -x[0], -x[1] },
//		Diffusion: func(x []float64) problem.Tensor { return problem.Tensor{XX: 1, YY: 1} },
//	}
//
// Points and vectors have length 2. The functions must not keep or change x, and must
// allow concurrent calls. A vector function stores its value in dst.
//
// The relations between them, with ρ ∝ e^(−βΦ) the stationary density:
//
//	j = u + D∇Φ − β⁻¹∇·D                  eq. (8)
//	j e^(−βΦ) = (∂₂ψ, −∂₁ψ)               stream function
//	j = −Q∇Φ + β⁻¹∇·Q,  Q = q·[0 1; −1 0]  eq. (19), q = β e^(βΦ) ψ
//
// The divergence of a matrix is that of its rows, (∇·M)ᵢ = Σⱼ∂ⱼMᵢⱼ (erratum E14).
type System struct {
	Name string
	Beta float64 // inverse temperature β > 0; 2b/η for stochastic gradient descent
	Box  Box     // where the density lives: all but a negligible mass

	Drift          func(dst, x []float64)        // u(x)
	Loss           func(x []float64) float64     // f(x), if u = −∇f
	Diffusion      func(x []float64) Tensor      // D(x), positive semi-definite
	DivDiffusion   func(dst, x []float64)        // ∇·D(x)
	Potential      func(x []float64) float64     // Φ(x) at this Beta; the systems of this package have min Φ = 0
	Gradient       func(dst, x []float64)        // ∇Φ(x)
	Force          func(dst, x []float64)        // j(x), the part of the drift that carries the stationary current jρ
	StreamFunction func(x []float64) float64     // ψ(x), not normalised: of the current j·e^(−βΦ)
	Skew           func(x []float64) (q float64) // Q₁₂(x)

	// Coefficients stores u(x) in drift and returns D(x) where the two share work. It must
	// agree with Drift and Diffusion; nil means that it is not worth it.
	Coefficients func(drift, x []float64) Tensor

	// Batch sets u and D at the points of b, for ensembles on vector units: package sde uses
	// it in place of the functions above where the processor has AVX-512. It must agree with
	// them, best bit for bit; nil means that there is none.
	Batch func(b *Batch)

	// BetaFree says that Potential, Force and Skew belong to this drift at every β, as
	// they do for constant D under Assumption 4.
	BetaFree bool
}

// Box is a rectangle in the plane.
//
//	box := problem.Box{XMin: -2, XMax: 2, YMin: -1, YMax: 1}
type Box struct{ XMin, XMax, YMin, YMax float64 }

// Contains reports whether x (2) is in the closed box.
func (b Box) Contains(x []float64) bool {
	return b.XMin <= x[0] && x[0] <= b.XMax && b.YMin <= x[1] && x[1] <= b.YMax
}

func (b Box) check() error {
	if !(b.XMin < b.XMax && b.YMin < b.YMax) || math.IsInf(b.XMax-b.XMin, 0) || math.IsInf(b.YMax-b.YMin, 0) {
		return fmt.Errorf("the box [%v, %v]×[%v, %v] is empty or not finite", b.XMin, b.XMax, b.YMin, b.YMax)
	}
	return nil
}

// Dim returns 2.
func (s *System) Dim() int { return 2 }

// String returns the name and β.
func (s *System) String() string { return fmt.Sprintf("%s, β = %.6g", s.Name, s.Beta) }

// AtBeta returns the same drift and diffusion at another inverse temperature. What is
// known about the stationary state survives only if it does not depend on β
// ([System.BetaFree]); otherwise Potential, Gradient, Force, StreamFunction and Skew of the copy
// are nil (erratum E10). The box is kept. It panics unless β is positive and finite.
//
//	s := problem.CV().AtBeta(4)
func (s *System) AtBeta(beta float64) *System {
	checkBeta(beta)
	c := *s
	c.Beta = beta
	if beta == s.Beta {
		return &c
	}
	c.StreamFunction = nil
	if !s.BetaFree {
		c.Potential, c.Gradient, c.Force, c.Skew = nil, nil, nil, nil
	} else if skew, phi := s.Skew, s.Potential; skew != nil && phi != nil {
		c.StreamFunction = streamFromSkew(beta, skew, phi)
	}
	return &c
}

// streamFromSkew returns ψ = β⁻¹ q e^(−βΦ).
func streamFromSkew(beta float64, skew, phi func(x []float64) float64) func(x []float64) float64 {
	return func(x []float64) float64 { return skew(x) * math.Exp(-beta*phi(x)) / beta }
}

func checkBeta(beta float64) {
	if !(beta > 0) || math.IsInf(beta, 1) {
		panic(fmt.Sprintf("problem: the inverse temperature β must be positive and finite: got %v", beta))
	}
}

// GradientTo stores ∇Φ(x) at x (2) in dst (2): the known gradient, or central differences of the
// potential with an error of about 1e-11 of its size. It panics if neither is known.
//
//	g := make([]float64, 2)
//	problem.XD().GradientTo(g, []float64{0.7, -0.4})
func (s *System) GradientTo(dst, x []float64) {
	if s.Gradient != nil {
		s.Gradient(dst, x)
		return
	}
	s.need(s.Potential != nil, "potential")
	dst[0], dst[1] = s.partial(s.Potential, x, 0), s.partial(s.Potential, x, 1)
}

// DivDiffusionTo stores ∇·D(x) at x (2) in dst (2): the known divergence, or central differences of D.
func (s *System) DivDiffusionTo(dst, x []float64) {
	if s.DivDiffusion != nil {
		s.DivDiffusion(dst, x)
		return
	}
	xx := func(x []float64) float64 { return s.Diffusion(x).XX }
	xy := func(x []float64) float64 { return s.Diffusion(x).XY }
	yy := func(x []float64) float64 { return s.Diffusion(x).YY }
	dst[0] = s.partial(xx, x, 0) + s.partial(xy, x, 1)
	dst[1] = s.partial(xy, x, 0) + s.partial(yy, x, 1)
}

// ForceTo stores j(x) at x (2) in dst (2): the known force, or u + D∇Φ − β⁻¹∇·D of
// [chaudhari2018] eq. (8). It panics if neither the force nor the potential is known.
func (s *System) ForceTo(dst, x []float64) {
	if s.Force != nil {
		s.Force(dst, x)
		return
	}
	s.forceByDefinition(dst, x)
}

func (s *System) forceByDefinition(dst, x []float64) {
	s.need(s.Potential != nil || s.Gradient != nil, "potential")
	var u, grad, div [2]float64
	s.Drift(u[:], x)
	s.GradientTo(grad[:], x)
	s.DivDiffusionTo(div[:], x)
	dg0, dg1 := s.Diffusion(x).MulVec(grad[0], grad[1])
	dst[0] = u[0] + dg0 - div[0]/s.Beta
	dst[1] = u[1] + dg1 - div[1]/s.Beta
}

func (s *System) need(ok bool, what string) {
	if !ok {
		panic(fmt.Sprintf("problem: the %s of %q is not known", what, s.Name))
	}
}

// partial is ∂fn/∂xᵢ by five points: the error is h⁴/30·|∂⁵fn| from truncation and about
// 1e-16·|fn|/h from rounding, where h is a 1/4000 of the box.
func (s *System) partial(fn func(x []float64) float64, x []float64, i int) float64 {
	h := (s.Box.XMax - s.Box.XMin) / 4000
	if i == 1 {
		h = (s.Box.YMax - s.Box.YMin) / 4000
	}
	at := func(step float64) float64 {
		p := [2]float64{x[0], x[1]}
		p[i] += step * h
		return fn(p[:])
	}
	return (8*(at(1)-at(-1)) - (at(2) - at(-2))) / (12 * h)
}
