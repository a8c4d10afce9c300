package plane

import (
	"fmt"
	"math"

	"sgdlab/pkg/figure"
	"sgdlab/pkg/fokkerplanck"
	"sgdlab/pkg/potential"
	"sgdlab/pkg/problem"
	"sgdlab/pkg/sde"
	"sgdlab/pkg/variational"
)

// Solution is the steady state of a system on a grid, found from its drift and noise alone.
//
//	var v *plane.Solution
//	v, err := plane.Solve(problem.CV(), 120)
type Solution struct {
	System    *problem.System
	Generator *fokkerplanck.Generator
	*fokkerplanck.Steady
}

// Solve finds the steady state of s on n×n cells of its box, with no flux through the
// sides. It fails as [fokkerplanck.Blind] and [fokkerplanck.Generator.Steady] do.
//
//	v, err := plane.Solve(problem.CV(), 120)
func Solve(s *problem.System, n int) (*Solution, error) {
	return SolveOn(s, fokkerplanck.Grid{Box: s.Box, NX: n, NY: n})
}

// SolveOn is [Solve] on a grid of the caller's own.
//
//	v, err := plane.SolveOn(problem.CV(), fokkerplanck.Grid{Box: problem.CV().Box, NX: 60, NY: 80})
func SolveOn(s *problem.System, g fokkerplanck.Grid) (*Solution, error) {
	l, err := fokkerplanck.Blind(s, g)
	if err != nil {
		return nil, err
	}
	st, err := l.Steady()
	if err != nil {
		return nil, err
	}
	return &Solution{s, l, st}, nil
}

// Masses returns the density of the masses p of the cells of g (NX·NY).
func Masses(g fokkerplanck.Grid, p []float64) figure.Cells {
	c := figure.Cells{Box: g.Box, NX: g.NX, NY: g.NY, Values: make([]float64, len(p))}
	for k, v := range p {
		c.Values[k] = v / g.CellArea()
	}
	return c
}

// Cells returns the stationary density.
//
//	v, err := plane.Solve(problem.CV(), 120)
//	c := v.Cells()
func (v *Solution) Cells() figure.Cells { return Masses(v.Grid, v.P) }

// Current returns the stationary current J, bilinear between the centres of cells.
func (v *Solution) Current() func(dst, x []float64) {
	return v.field(func(j float64, _ int) float64 { return j })
}

// Force returns the force j = J/ρ, [chaudhari2018] eq. (8), bilinear between the centres of
// cells; 0 where the mass is not positive.
//
//	v, err := plane.Solve(problem.CV(), 120)
//	j := make([]float64, 2)
//	v.Force()(j, []float64{1, 0.5})
func (v *Solution) Force() func(dst, x []float64) { return v.field(v.perDensity) }

func (v *Solution) perDensity(j float64, k int) float64 {
	if v.P[k] <= 0 {
		return 0
	}
	return j / (v.P[k] / v.Grid.CellArea())
}

func (v *Solution) field(of func(j float64, k int) float64) func(dst, x []float64) {
	c, x, y := v.Generator.Current(v.P), v.Cells(), v.Cells()
	for k := range v.P {
		jx, jy := c.At(k%v.Grid.NX, k/v.Grid.NX)
		x.Values[k], y.Values[k] = of(jx, k), of(jy, k)
	}
	return figure.VectorField(x, y)
}

// ForceSize returns the root mean square of j under ρ.
//
//	v, err := plane.Solve(problem.CV(), 120)
//	fmt.Println(v.ForceSize())
func (v *Solution) ForceSize() float64 {
	c, sum := v.Generator.Current(v.P), 0.0
	for k, p := range v.P {
		if p > 1e-9 { // elsewhere the quotient is round-off
			jx, jy := c.At(k%v.Grid.NX, k/v.Grid.NX)
			sum += p * (math.Pow(v.perDensity(jx, k), 2) + math.Pow(v.perDensity(jy, k), 2))
		}
	}
	return math.Sqrt(sum)
}

// AreaRate returns the mean area swept per unit of time, positive if counter-clockwise.
func (v *Solution) AreaRate() float64 { return v.Generator.Current(v.P).AreaRate() }

// Anisotropy returns the largest difference between the eigenvalues of D in the cells.
//
//	v, err := plane.Solve(problem.CV(), 120)
//	fmt.Println(v.Anisotropy())
func (v *Solution) Anisotropy() (most float64) {
	v.Mean(func(x, y float64) float64 {
		a, b := v.System.Diffusion([]float64{x, y}).Eigenvalues()
		most = max(most, b-a)
		return 0
	})
	return most
}

// Decomposition returns Φ, ψ and Q; it fails as [potential.FromGrid] does.
//
//	v, err := plane.Solve(problem.CV(), 120)
//	dec, err := v.Decomposition()
func (v *Solution) Decomposition() (*potential.Decomposition, error) {
	return potential.FromGrid(v.Generator, v.Steady)
}

// Potential returns Φ = −β⁻¹ log ρ with its minimum at 0. It returns an error where the mass
// of a cell is not positive.
func (v *Solution) Potential() (figure.Cells, error) {
	c, lowest := v.Cells(), math.Inf(1)
	for k, rho := range c.Values {
		if !(rho > 0) {
			x, y := v.Grid.Centre(k%c.NX, k/c.NX)
			return c, fmt.Errorf("plane: %s has no mass at (%.3g, %.3g), and so no potential; choose a smaller box or more cells", v.System.Name, x, y)
		}
		c.Values[k] = -math.Log(rho) / v.Beta
		lowest = min(lowest, c.Values[k])
	}
	for k := range c.Values {
		c.Values[k] -= lowest
	}
	return c, nil
}

// PotentialError returns the mean under ρ of |Φ − Φ*|, where Φ* is the known potential and
// the constant between them is chosen so that the mean difference is zero.
//
//	v, err := plane.Solve(problem.XD(), 48)
//	e, err := v.PotentialError()
func (v *Solution) PotentialError() (float64, error) {
	phi, err := v.Potential()
	if err != nil {
		return 0, err
	}
	diff, shift, sum := phi, 0.0, 0.0
	for k, p := range v.P {
		x, y := v.Grid.Centre(k%phi.NX, k/phi.NX)
		diff.Values[k] -= v.System.Potential([]float64{x, y})
		shift += p * diff.Values[k]
	}
	for k, p := range v.P {
		sum += p * math.Abs(diff.Values[k]-shift)
	}
	return sum, nil
}

// Modes returns the most likely place with x₁ > 0 and its mirror image at the origin, to a
// fraction of a cell: the two modes of a system with that symmetry, one (2) in each row.
//
//	v, err := plane.Solve(problem.CV(), 120)
//	modes, err := v.Modes()
func (v *Solution) Modes() ([][]float64, error) {
	d, err := v.Decomposition()
	if err != nil {
		return nil, err
	}
	x, y := d.Mode(func(x, _ float64) bool { return x > 0 })
	const digits = 1e9 // round-off is no place
	x, y = math.Round(x*digits)/digits, math.Round(y*digits)/digits
	return [][]float64{{x, y}, {-x, -y}}, nil
}

// gibbs returns the masses of e^(−Φ/c) in the cells.
func (v *Solution) gibbs(phi func(x []float64) float64, c float64) []float64 {
	return v.Grid.MassesTo(nil, func(x []float64) float64 { return math.Exp(-phi(x) / c) })
}

// KLFrom returns KL(ρ‖e^(−φ/c)) in nats. Negative masses, which a full D may leave at the
// level of round-off, count as zero.
func (v *Solution) KLFrom(phi func(x []float64) float64, c float64) float64 {
	return variational.KL(positive(v.P), v.gibbs(phi, c))
}

// positive returns p without negative masses.
func positive(p []float64) []float64 {
	q := make([]float64, len(p))
	for k, v := range p {
		q[k] = max(0, v)
	}
	return q
}

// Map returns the density with its current.
//
//	v, err := plane.Solve(problem.CV(), 120)
//	p, err := figure.DensityMap(figure.DensityFigure{System: "CV", Maps: []figure.Density{v.Map("finite volumes")}})
func (v *Solution) Map(title string) figure.Density {
	d := figure.Density{Title: title, Cells: Masses(v.Grid, positive(v.P))}
	if v.ForceSize() > 1e-6 { // the current of a system in equilibrium is round-off
		d.Current = v.Current()
	}
	return d
}

// MapBeside is [Solution.Map] with the distances from the density e^(−φ), which the
// reference names.
//
//	s := problem.XD()
//	v, err := plane.Solve(s, 48)
//	d := v.MapBeside("finite volumes", "closed form", s.Potential)
func (v *Solution) MapBeside(title, reference string, phi func(x []float64) float64) figure.Density {
	d := v.Map(title)
	d.Reference, d.KL, d.TV = reference, v.KLFrom(phi, 1), variational.TotalVariation(v.P, v.gibbs(phi, 1))
	return d
}

// Exact returns the density e^(−βΦ)/Z of a system whose potential and force are known, on
// n×n cells of the box, with its current jρ. It panics if they are not known.
//
//	s := problem.REF().System()
//	d := plane.Exact("closed form", s, problem.Box{XMin: -2, XMax: 2, YMin: -2, YMax: 2}, 96)
func Exact(title string, s *problem.System, box problem.Box, n int) figure.Density {
	g := fokkerplanck.Grid{Box: box, NX: n, NY: n}
	rho := Masses(g, g.MassesTo(nil, func(x []float64) float64 { return math.Exp(-s.Beta * s.Potential(x)) }))
	return figure.Density{Title: title, Cells: rho, Current: func(dst, x []float64) {
		s.ForceTo(dst, x)
		r := rho.At(x)
		dst[0], dst[1] = dst[0]*r, dst[1]*r
	}}
}

// Simulated returns the density and the current of a histogram.
//
//	r, err := sde.Simulate(ctx, sde.Plane(problem.XD()), []float64{0, 0}, &sde.Settings{Step: 0.01, Steps: 1000,
//		Walkers: 1000, Grid: &sde.Grid{Box: problem.XD().Box, NX: 24, NY: 24}})
//	d := plane.Simulated("1,000 paths", r.Histogram)
func Simulated(title string, h *sde.Histogram) figure.Density {
	cells := func(v []float64) figure.Cells {
		return figure.Cells{Box: h.Grid.Box, NX: h.Grid.NX, NY: h.Grid.NY, Values: v}
	}
	jx, jy := h.Current()
	return figure.Density{Title: title, Cells: cells(h.Density()), Current: figure.VectorField(cells(jx), cells(jy))}
}
