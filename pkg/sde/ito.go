package sde

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/problem"
)

// Ito is the stochastic differential equation
//
//	dx = u(x) dt + √(2β⁻¹D(x)) dW
//
// in d dimensions, in the sense of Itô: the noise of a step is that at its beginning.
// The root is the symmetric positive semi-definite one; any other root of D has the same
// law. D may be rank-deficient.
//
// [Plane] makes one from a system of the plane and [Linear] from an Ornstein–Uhlenbeck
// process. In a literal every field must be set; the functions must not keep or change
// x, and must allow concurrent calls.
type Ito struct {
	Name      string
	Dim       int                                  // d
	Beta      float64                              // inverse temperature β > 0; +Inf means no noise
	Drift     func(dst, x []float64)               // u(x), stored in dst
	Diffusion func(dst *mat.SymDense, x []float64) // D(x) (d×d), stored in dst

	plane *problem.System // not nil: D and its root in closed form
}

// Plane returns the equation of a system of the plane. The root of D is taken in closed
// form, which makes it much faster than the same equation written as a literal.
//
//	r, err := sde.Simulate(ctx, sde.Plane(problem.XD()), []float64{0, 0}, &sde.Settings{Step: 0.01, Steps: 5000, Walkers: 100, Seed: 7})
func Plane(s *problem.System) *Ito {
	return &Ito{
		Name: s.Name, Dim: 2, Beta: s.Beta, Drift: s.Drift, plane: s,
		Diffusion: func(dst *mat.SymDense, x []float64) {
			d := s.Diffusion(x)
			dst.SetSym(0, 0, d.XX)
			dst.SetSym(0, 1, d.XY)
			dst.SetSym(1, 1, d.YY)
		},
	}
}

// Linear returns the equation of an Ornstein–Uhlenbeck process of any dimension.
//
//	path, err := sde.Path(ctx, sde.Linear(problem.LineNoise(1, 3)), []float64{2, -2}, 0, 5, &sde.Settings{Step: 0.01, Steps: 10_000, Seed: 5})
func Linear(p *problem.OrnsteinUhlenbeck) *Ito {
	d := p.Diffusion()
	return &Ito{
		Name: p.Name(), Dim: p.Dim(), Beta: p.Beta(), Drift: p.DriftTo,
		Diffusion: func(dst *mat.SymDense, _ []float64) { dst.CopySym(d) },
	}
}

// String returns the name, d and β.
func (eq *Ito) String() string {
	return fmt.Sprintf("%s (Itô, d = %d, β = %.6g)", eq.Name, eq.Dim, eq.Beta)
}

func (eq *Ito) check(x0 []float64) error {
	switch {
	case eq.Dim < 1:
		return fmt.Errorf("sde: %q has dimension %d: it must be positive", eq.Name, eq.Dim)
	case eq.Drift == nil:
		return fmt.Errorf("sde: %q has no drift: set Drift", eq.Name)
	case eq.plane == nil && eq.Diffusion == nil || eq.plane != nil && eq.plane.Diffusion == nil:
		return fmt.Errorf("sde: %q has no diffusion: set Diffusion", eq.Name)
	case !(eq.Beta > 0):
		return fmt.Errorf("sde: %q has the inverse temperature β = %v: it must be positive", eq.Name, eq.Beta)
	case len(x0) != eq.Dim:
		return fmt.Errorf("sde: the start has length %d, %q has dimension %d", len(x0), eq.Name, eq.Dim)
	case !finite(x0):
		return fmt.Errorf("sde: the start %v is not finite", x0)
	}
	if eq.plane != nil {
		return eq.plane.CheckShortcuts(x0)
	}
	return nil
}

func finite(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// root finds S = √D at one point after the other. It remembers the last D, so that a
// constant D costs one decomposition.
type root struct {
	eq     *Ito
	tensor problem.Tensor // plane: the last D; the zero tensor has the root zero
	s      problem.Tensor // and its root
	last   *mat.SymDense
	now    *mat.SymDense
	values []float64
	dense  []float64 // row-major root of last
}

func newRoot(eq *Ito) *root {
	r := &root{eq: eq, dense: make([]float64, eq.Dim*eq.Dim)}
	if eq.plane == nil {
		r.now, r.last = mat.NewSymDense(eq.Dim, nil), mat.NewSymDense(eq.Dim, nil)
	}
	return r
}

// at stores √D(x) in dst, row-major, scaled.
func (r *root) at(dst, x []float64, scale float64) error {
	if r.eq.plane != nil {
		d := r.eq.plane.Diffusion(x)
		if d != r.tensor {
			if err := r.refresh(d, x); err != nil {
				return err
			}
		}
		dst[0], dst[1], dst[2], dst[3] = scale*r.s.XX, scale*r.s.XY, scale*r.s.XY, scale*r.s.YY
		return nil
	}
	r.eq.Diffusion(r.now, x)
	if !mat.Equal(r.now, r.last) {
		if err := r.decompose(x); err != nil {
			return err
		}
		r.last.CopySym(r.now)
	}
	for i, v := range r.dense {
		dst[i] = scale * v
	}
	return nil
}

// refresh takes the root of a new plane tensor.
func (r *root) refresh(d problem.Tensor, x []float64) error {
	s, ok := d.Root()
	if !ok {
		lower, _ := d.Eigenvalues()
		return r.notPSD(x, lower)
	}
	r.tensor, r.s = d, s
	return nil
}

// decompose stores the root of r.now in r.dense by its eigenvalues.
func (r *root) decompose(x []float64) error {
	n := r.eq.Dim
	var trace float64
	for i := range n {
		for j := i; j < n; j++ {
			if v := r.now.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return r.notPSD(x, math.NaN())
			}
		}
		trace += r.now.At(i, i)
	}
	var eig mat.EigenSym
	if !eig.Factorize(r.now, true) {
		return fmt.Errorf("the eigenvalues of D of %q at %v were not found", r.eq.Name, x)
	}
	r.values = eig.Values(r.values)
	if r.values[0] < -1e-12*math.Abs(trace) {
		return r.notPSD(x, r.values[0])
	}
	var vectors mat.Dense
	eig.VectorsTo(&vectors)
	clear(r.dense)
	for k, l := range r.values {
		l = math.Sqrt(max(l, 0))
		for i := range n {
			for j := range n {
				r.dense[i*n+j] += l * vectors.At(i, k) * vectors.At(j, k)
			}
		}
	}
	return nil
}

func (r *root) notPSD(x []float64, lowest float64) error {
	if math.IsNaN(lowest) {
		return fmt.Errorf("the diffusion D of %q is not finite at %.6g", r.eq.Name, x)
	}
	return fmt.Errorf("the diffusion D of %q is not positive semi-definite at %.6g: its lowest eigenvalue is %.6g", r.eq.Name, x, lowest)
}
