package problem_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"sgdlab/pkg/internal/numtest"
	"sgdlab/pkg/problem"
)

// planeSystems are all systems of the plane.
func planeSystems() []*problem.System {
	return []*problem.System{
		problem.REF().System(), problem.REF().AtBeta(3).System(), problem.ROT(2).System(),
		problem.EX19(0).System(), problem.EX19(.5).System(), problem.EX19(1.5).System(),
		problem.EX19R(.5).System(), problem.EX19R(1.5).AtBeta(2).System(),
		problem.CV(), problem.XD(), problem.TensorWell(),
	}
}

func TestPlaneSystemsAgreeWithThemselves(t *testing.T) {
	for _, s := range planeSystems() {
		if err := problem.Check(s); err != nil {
			t.Error(err)
		}
	}
}

func TestAtBeta(t *testing.T) {
	for _, s := range planeSystems() {
		hot := s.AtBeta(s.Beta / 2)
		if err := problem.Check(hot); err != nil {
			t.Error(err)
		}
		if got, want := hot.Potential != nil, s.BetaFree && s.Potential != nil; got != want {
			t.Errorf("%v at half its β: potential known %v, want %v", s, got, want)
		}
		if same := s.AtBeta(s.Beta); (same.StreamFunction == nil) != (s.StreamFunction == nil) {
			t.Errorf("%v at its own β lost its stream function", s)
		}
	}
	// E10: the drift of Example 19 does not have e^(−βΦ) at another β, and Check sees it.
	wrong := problem.EX19(1.5).System()
	wrong.Beta, wrong.StreamFunction, wrong.Skew = 2, nil, nil
	if err := problem.Check(wrong); err == nil || !strings.Contains(err.Error(), "not stationary") {
		t.Errorf("EX19 at β = 2 with its Φ: got %v, want not stationary", err)
	}
}

func TestCheckFindsMistakes(t *testing.T) {
	nan := func(dst, x []float64) {
		dst[0], dst[1] = -x[0], -x[1]
		if x[0] > 1 {
			dst[1] = math.NaN()
		}
	}
	for name, tt := range map[string]struct {
		spoil func(s *problem.System)
		want  string
	}{
		"no drift":    {func(s *problem.System) { s.Drift = nil }, "Drift must be set"},
		"nothing":     {func(s *problem.System) { *s = problem.System{} }, "Drift and Diffusion must be set"},
		"β = 0":       {func(s *problem.System) { s.Beta = 0 }, "β = 0"},
		"β < 0":       {func(s *problem.System) { s.Beta = -1 }, "β = -1"},
		"β NaN":       {func(s *problem.System) { s.Beta = math.NaN() }, "β = NaN"},
		"empty box":   {func(s *problem.System) { s.Box.XMax = s.Box.XMin }, "the box [-4.5, -4.5]×[-4.5, 4.5] is empty"},
		"NaN drift":   {func(s *problem.System) { s.Drift, s.Coefficients, s.Batch, s.Potential = nan, nil, nil, nil }, "at (1.60875, -3.8475): the drift is (-1.60875, NaN)"},
		"other drift": {func(s *problem.System) { s.Coefficients = problem.TensorWell().Coefficients }, "the drift of Coefficients"},
		"other D": {func(s *problem.System) {
			both := s.Coefficients
			s.Coefficients = func(u, x []float64) problem.Tensor { both(u, x); return problem.Tensor{XX: 1, YY: 1} }
		}, "D of Coefficients"},
		"drift of lanes": {func(s *problem.System) { s.Batch = func(b *problem.Batch) { b.XX, b.YY = b.X1, b.X2 } }, "the drift of Batch"},
		"D of lanes": {func(s *problem.System) {
			s.Batch = func(b *problem.Batch) {
				for i := range b.X1 {
					u := make([]float64, 2)
					s.Drift(u, []float64{b.X1[i], b.X2[i]})
					b.U1[i], b.U2[i], b.XX[i], b.YY[i] = u[0], u[1], 1, 1
				}
			}
		}, "D of Batch"},
		"D indefinite": {func(s *problem.System) {
			s.Diffusion = func([]float64) problem.Tensor { return problem.Tensor{XX: 1, XY: 2, YY: 1} }
		}, "lowest eigenvalue is -1"},
		"D infinite": {func(s *problem.System) {
			s.Diffusion = func([]float64) problem.Tensor { return problem.Tensor{XX: math.Inf(1)} }
		}, "must be finite"},
		"wrong loss": {func(s *problem.System) { s.Loss = s.Potential }, "the drift against −∇f"},
		"wrong ∇·D":  {func(s *problem.System) { s.DivDiffusion = s.Gradient }, "∇·D against D"},
		"wrong ∇Φ":   {func(s *problem.System) { s.Gradient = s.Drift }, "∇Φ against Φ"},
		"wrong j":    {func(s *problem.System) { s.Force = s.Drift }, "j against eq. (8)"},
		"wrong Φ": {func(s *problem.System) {
			*s = problem.System{Name: s.Name, Beta: 1, Box: s.Box, Drift: s.Drift, Diffusion: s.Diffusion, Potential: func(x []float64) float64 { return x[0] * x[0] }}
		}, "not stationary"},
		"wrong ψ":        {func(s *problem.System) { s.StreamFunction = s.Potential }, "the stream function against j"},
		"wrong sign, Q":  {func(s *problem.System) { q := s.Skew; s.Skew = func(x []float64) float64 { return -q(x) } }, "Q against j"},
		"columns of Q":   {func(s *problem.System) { columnConvention(s) }, "not stationary"},
		"another β":      {func(s *problem.System) { s.Beta = 2; s.Force, s.StreamFunction, s.Skew = nil, nil, nil }, "not stationary"},
		"β beside its Q": {func(s *problem.System) { s.Beta = 2 }, "j against eq. (8)"},
	} {
		s := problem.XD()
		tt.spoil(s)
		if err := problem.Check(s); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, tt.want)
		} else if !strings.HasPrefix(err.Error(), "problem: ") {
			t.Errorf("%s: got %v, want the prefix of the package", name, err)
		}
	}
}

// columnConvention turns ∇·Q of XD round, as the paper's "column-wise" reads (E14).
func columnConvention(s *problem.System) {
	drift := s.Drift
	s.Coefficients, s.Batch, s.Force, s.StreamFunction, s.Skew = nil, nil, nil, nil, nil
	s.Drift = func(dst, x []float64) {
		drift(dst, x)
		dst[0] -= 2 * .5 * math.Cos(x[1])
		dst[1] -= 2 * .8 * math.Sin(x[0])
	}
}

func TestFallBacks(t *testing.T) {
	for _, s := range planeSystems() {
		bare := &problem.System{Name: s.Name, Beta: s.Beta, Box: s.Box, Drift: s.Drift, Diffusion: s.Diffusion, Potential: s.Potential}
		x, got, want := []float64{.7, -.4}, make([]float64, 2), make([]float64, 2)
		s.DivDiffusionTo(want, x)
		bare.DivDiffusionTo(got, x)
		numtest.CloseSlice(t, s.Name+" ∇·D", got, want, 1e-9) // rounding 1e-16·4000/6 and h⁴/30
		if s.Potential == nil {
			continue
		}
		s.GradientTo(want, x)
		bare.GradientTo(got, x)
		numtest.CloseSlice(t, s.Name+" ∇Φ", got, want, 1e-9)
		s.ForceTo(want, x)
		bare.ForceTo(got, x)
		numtest.CloseSlice(t, s.Name+" j", got, want, 1e-8)
	}
	for name, fn := range map[string]func(){
		"no potential": func() { problem.CV().ForceTo(make([]float64, 2), []float64{0, 0}) },
		"no gradient":  func() { problem.CV().GradientTo(make([]float64, 2), []float64{0, 0}) },
		"β = 0":        func() { problem.CV().AtBeta(0) },
		"β infinite":   func() { problem.EX19R(1).AtBeta(math.Inf(1)) },
		"λ < 0":        func() { problem.EX19(-1) },
		"λ NaN":        func() { problem.EX19R(math.NaN()) },
		"r0 < 0":       func() { problem.EX19(1).RayFlux(-1) },
	} {
		if msg := fmt.Sprint(panics(fn)); !strings.HasPrefix(msg, "problem: ") {
			t.Errorf("%s: got %q, want a panic of this package", name, msg)
		}
	}
}

func ExampleCheck() {
	well := &problem.System{
		Name: "well", Beta: 1, Box: problem.Box{XMin: -4, XMax: 4, YMin: -4, YMax: 4},
		Drift:     func(dst, x []float64) { dst[0], dst[1] = -x[0], -3*x[1] },
		Diffusion: func([]float64) problem.Tensor { return problem.Tensor{XX: 1, YY: 1} },
		Potential: func(x []float64) float64 { return (x[0]*x[0] + 3*x[1]*x[1]) / 2 },
	}
	fmt.Println(problem.Check(well))
	well.Potential = func(x []float64) float64 { return x[0]*x[0] + 3*x[1]*x[1]/2 }
	fmt.Println(problem.Check(well))
	// Output:
	// <nil>
	// problem: system "well" at (-3.57, -3.42): e^(−βΦ) is not stationary: ∇·j = 1, β j·∇Φ = 25.4898
}
