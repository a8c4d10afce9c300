package problem

import (
	"fmt"
	"math"
	"strings"
)

// checkTol is the largest disagreement that [Check] lets pass, relative to the size of
// the terms compared. A difference quotient of a difference quotient is good to 1e-9.
const checkTol = 1e-6

// Check compares the functions of s with each other at 8×8 points spread over its box
// and returns the first disagreement, with the name of the quantity, the point and both
// values; nil if there is none. Derivatives are taken by central differences. It tests
//
//   - that the required fields are set, β > 0, and the box is not empty,
//   - that every value is a number, and D positive semi-definite,
//   - Coefficients and Batch against Drift and Diffusion,
//   - u = −∇f, if the loss is known,
//   - ∇·D and ∇Φ against D and Φ,
//   - j against eq. (8), the stream function and Q against j,
//   - that e^(−βΦ) is stationary: ∇·j = β j·∇Φ ([chaudhari2018] eq. (A4) before
//     Assumption 4).
//
// It does not test that Φ confines, nor that the box is large enough.
func Check(s *System) error {
	if err := s.checkFields(); err != nil {
		return fmt.Errorf("problem: system %q: %w", s.Name, err)
	}
	const n = 8
	for i := range n {
		for k := range n {
			// Off the axes of symmetry, where errors can cancel.
			x := []float64{
				s.Box.XMin + (s.Box.XMax-s.Box.XMin)*(float64(i)+.43)/n,
				s.Box.YMin + (s.Box.YMax-s.Box.YMin)*(float64(k)+.58)/n,
			}
			if err := s.checkAt(x); err != nil {
				return fmt.Errorf("problem: system %q at (%.6g, %.6g): %w", s.Name, x[0], x[1], err)
			}
		}
	}
	return nil
}

func (s *System) checkFields() error {
	var missing []string
	if s.Drift == nil {
		missing = append(missing, "Drift")
	}
	if s.Diffusion == nil {
		missing = append(missing, "Diffusion")
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s must be set", strings.Join(missing, " and "))
	}
	if !(s.Beta > 0) || math.IsInf(s.Beta, 1) {
		return fmt.Errorf("the inverse temperature must be positive and finite: got β = %v", s.Beta)
	}
	return s.Box.check()
}

func (s *System) checkAt(x []float64) error {
	var u, v [2]float64
	s.Drift(u[:], x)
	if bad(u[:]...) {
		return fmt.Errorf("the drift is (%.6g, %.6g): it must be finite", u[0], u[1])
	}
	d := s.Diffusion(x)
	if bad(d.XX, d.XY, d.YY) {
		return fmt.Errorf("the diffusion D is [%v %v; %v %v]: it must be finite", d.XX, d.XY, d.XY, d.YY)
	}
	if _, ok := d.Root(); !ok {
		lower, _ := d.Eigenvalues()
		return fmt.Errorf("the diffusion D is [%.6g %.6g; %.6g %.6g]: not positive semi-definite, its lowest eigenvalue is %.6g", d.XX, d.XY, d.XY, d.YY, lower)
	}
	if err := s.checkShortcuts(x, u, d); err != nil {
		return err
	}
	if s.Loss != nil {
		v = [2]float64{-s.partial(s.Loss, x, 0), -s.partial(s.Loss, x, 1)}
		if err := agree("the drift against −∇f", u, v); err != nil {
			return err
		}
	}
	if s.DivDiffusion != nil {
		by := *s
		by.DivDiffusion = nil
		s.DivDiffusion(u[:], x)
		by.DivDiffusionTo(v[:], x)
		if err := agree("∇·D against D", u, v); err != nil {
			return err
		}
	}
	if s.Potential != nil && s.Gradient != nil {
		s.Gradient(u[:], x)
		v = [2]float64{s.partial(s.Potential, x, 0), s.partial(s.Potential, x, 1)}
		if err := agree("∇Φ against Φ", u, v); err != nil {
			return err
		}
	}
	if s.Potential == nil {
		return nil
	}
	return s.checkStationary(x)
}

// CheckShortcuts returns an error if Coefficients or Batch disagree with Drift and Diffusion at
// x (2) or at a few points of the box; nil where those are not numbers. A copy of a system whose
// Drift or Diffusion is replaced needs its own Coefficients and Batch, or none.
func (s *System) CheckShortcuts(x []float64) error {
	w, h := s.Box.XMax-s.Box.XMin, s.Box.YMax-s.Box.YMin
	for _, at := range [][2]float64{{x[0], x[1]}, {s.Box.XMin + .43*w, s.Box.YMin + .58*h}, {s.Box.XMin + .71*w, s.Box.YMin + .24*h}} {
		var u [2]float64
		s.Drift(u[:], at[:])
		d := s.Diffusion(at[:])
		if bad(u[:]...) || bad(d.XX, d.XY, d.YY) {
			continue
		}
		if err := s.checkShortcuts(at[:], u, d); err != nil {
			return fmt.Errorf("problem: system %q at (%.6g, %.6g): %w; set Coefficients and Batch to nil where Drift or Diffusion is replaced", s.Name, at[0], at[1], err)
		}
	}
	return nil
}

// checkShortcuts compares Coefficients and Batch at x with the drift u and D.
func (s *System) checkShortcuts(x []float64, u [2]float64, d Tensor) error {
	if s.Coefficients != nil {
		var v [2]float64
		both := s.Coefficients(v[:], x)
		if err := agree("the drift of Coefficients against Drift", v, u); err != nil {
			return err
		}
		if err := agree("D of Coefficients against Diffusion", mixed(both), mixed(d)); err != nil {
			return err
		}
	}
	if s.Batch != nil {
		var b Batch
		for i := range Lanes {
			b.X1[i], b.X2[i] = x[0], x[1]
		}
		s.Batch(&b)
		for i := range Lanes {
			if err := agree("the drift of Batch against Drift", [2]float64{b.U1[i], b.U2[i]}, u); err != nil {
				return err
			}
			if err := agree("D of Batch against Diffusion", mixed(Tensor{b.XX[i], b.XY[i], b.YY[i]}), mixed(d)); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkStationary compares what belongs to the stationary state; Φ is known.
func (s *System) checkStationary(x []float64) error {
	var j, v, grad [2]float64
	s.forceByDefinition(j[:], x)
	if s.Force != nil {
		s.Force(v[:], x)
		if err := agree("j against eq. (8), u + D∇Φ − β⁻¹∇·D,", v, j); err != nil {
			return err
		}
	}
	s.GradientTo(grad[:], x)
	component := func(i int) func(x []float64) float64 {
		return func(x []float64) float64 {
			var at [2]float64
			s.ForceTo(at[:], x)
			return at[i]
		}
	}
	along := s.Beta * (j[0]*grad[0] + j[1]*grad[1])
	size := s.Beta * math.Hypot(j[0], j[1]) * math.Hypot(grad[0], grad[1])
	if div := s.partial(component(0), x, 0) + s.partial(component(1), x, 1); !(math.Abs(div-along) <= checkTol*(1+size+math.Abs(div))) {
		return fmt.Errorf("e^(−βΦ) is not stationary: ∇·j = %.6g, β j·∇Φ = %.6g", div, along)
	}
	if s.StreamFunction != nil {
		// Divided by e^(−βΦ), so that the tails count as much as the middle.
		scale := math.Exp(-s.Beta * s.Potential(x))
		v = [2]float64{s.partial(s.StreamFunction, x, 1) / scale, -s.partial(s.StreamFunction, x, 0) / scale}
		if scale > 1e-6 { // below, the differences of ψ have no digits left
			if err := agree("the stream function against j: (∂₂ψ, −∂₁ψ)e^(βΦ)", v, j); err != nil {
				return err
			}
		}
	}
	if s.Skew != nil {
		q := s.Skew(x)
		v[0] = -q*grad[1] + s.partial(s.Skew, x, 1)/s.Beta
		v[1] = q*grad[0] - s.partial(s.Skew, x, 0)/s.Beta
		if err := agree("Q against j, eq. (19): −Q∇Φ + β⁻¹∇·Q", v, j); err != nil {
			return err
		}
	}
	return nil
}

// mixed packs a tensor into two numbers, which differ if it does, but for an accident.
func mixed(d Tensor) [2]float64 { return [2]float64{d.XX + d.YY, d.XX - d.YY + 2*d.XY} }

func agree(what string, got, want [2]float64) error {
	size := 1 + math.Hypot(got[0], got[1]) + math.Hypot(want[0], want[1])
	if diff := math.Hypot(got[0]-want[0], got[1]-want[1]); !(diff <= checkTol*size) {
		return fmt.Errorf("%s: got (%.9g, %.9g), want (%.9g, %.9g)", what, got[0], got[1], want[0], want[1])
	}
	return nil
}

// bad reports whether a value is not finite.
func bad(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return true
		}
	}
	return false
}
