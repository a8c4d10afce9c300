package potential

import (
	"fmt"
	"math"

	"sgdlab/pkg/fokkerplanck"
)

// Decomposition is what a steady state on a grid says about the drift: statements.md §9.3.
type Decomposition struct {
	Grid fokkerplanck.Grid
	Beta float64

	Phi     []float64 // Φ at the centres of cells, NX·NY, index j·NX+i, min 0; +Inf where the mass is not positive
	Stream  []float64 // ψ at the corners, (NX+1)×(NY+1), index j·(NX+1)+i, of the normalised current
	Skew    []float64 // q = βψ/ρˢˢ at the corners, of the shape of Stream, NaN where a neighbouring mass is not positive
	Density []float64 // ρˢˢ at the centres of cells, NX·NY

	// Disagreement is the largest difference between ψ summed along columns and along
	// rows: round-off for a stationary p.
	Disagreement float64

	l *fokkerplanck.Generator
}

// FromGrid returns the decomposition of the steady state s of the generator l on a box with
// no flux through its sides. Cost O(cells).
//
// It returns an error if a side is periodic, where ψ need not be single-valued, and panics
// if s is on another grid.
func FromGrid(l *fokkerplanck.Generator, s *fokkerplanck.Steady) (*Decomposition, error) {
	g := l.Grid
	if s.Grid != g {
		panic(fmt.Sprintf("potential: the steady state is on %s, the generator on %s", s.Grid, g))
	}
	if g.X == fokkerplanck.Periodic || g.Y == fokkerplanck.Periodic {
		return nil, fmt.Errorf("potential: a stream function needs sides without flux, the grid has %s", g)
	}
	d := &Decomposition{
		Grid: g, Beta: s.Beta, l: l,
		Phi: make([]float64, g.Cells()), Density: make([]float64, g.Cells()),
		Stream: make([]float64, (g.NX+1)*(g.NY+1)), Skew: make([]float64, (g.NX+1)*(g.NY+1)),
	}
	lowest := math.Inf(1)
	for k, p := range s.P {
		d.Density[k] = p / g.CellArea()
		d.Phi[k] = math.Inf(1)
		if p > 0 {
			d.Phi[k] = -math.Log(d.Density[k]) / s.Beta
		}
		lowest = min(lowest, d.Phi[k])
	}
	for k := range d.Phi {
		d.Phi[k] -= lowest
	}
	c := l.Current(s.P)
	// ψ(top) − ψ(bottom) is the current through the x-face between, −(ψ(right) − ψ(left)) that
	// through the y-face.
	for i := range g.NX + 1 {
		for j := range g.NY {
			rise := 0.0
			if i > 0 {
				rise = c.X[j*g.NX+i-1]
			}
			d.Stream[d.corner(i, j+1)] = d.Stream[d.corner(i, j)] + rise
		}
	}
	for j := range g.NY + 1 {
		psi := 0.0
		for i := range g.NX {
			if j > 0 {
				psi -= c.Y[(j-1)*g.NX+i]
			}
			d.Disagreement = max(d.Disagreement, math.Abs(psi-d.Stream[d.corner(i+1, j)]))
		}
	}
	for j := range g.NY + 1 {
		for i := range g.NX + 1 {
			d.Skew[d.corner(i, j)] = s.Beta * d.Stream[d.corner(i, j)] / d.cornerDensity(i, j)
		}
	}
	return d, nil
}

func (d *Decomposition) corner(i, j int) int { return j*(d.Grid.NX+1) + i }

// cornerDensity is the mean of the densities around a corner, NaN beside a mass that is
// not positive.
func (d *Decomposition) cornerDensity(i, j int) float64 {
	sum, n := 0.0, 0.0
	for _, o := range [][2]int{{-1, -1}, {0, -1}, {-1, 0}, {0, 0}} {
		if k := d.Grid.Index(i+o[0], j+o[1]); k >= 0 {
			if d.Density[k] <= 0 {
				return math.NaN()
			}
			sum += d.Density[k]
			n++
		}
	}
	return sum / n
}

// Mode returns the centre of the cell with the lowest Φ, refined by a parabola through its
// neighbours, among the cells where keep is true; a nil keep means all.
func (d *Decomposition) Mode(keep func(x, y float64) bool) (x, y float64) {
	g := d.Grid
	best, lowest := -1, math.Inf(1)
	for j := 1; j < g.NY-1; j++ {
		for i := 1; i < g.NX-1; i++ {
			cx, cy := g.Centre(i, j)
			if k := j*g.NX + i; d.Phi[k] < lowest && (keep == nil || keep(cx, cy)) {
				best, lowest = k, d.Phi[k]
			}
		}
	}
	if best < 0 {
		return math.NaN(), math.NaN()
	}
	// The lowest point of the quadratic through the nine cells around it.
	i, j := best%g.NX, best/g.NX
	at := func(di, dj int) float64 { return d.Phi[(j+dj)*g.NX+i+di] }
	gx, gy := (at(1, 0)-at(-1, 0))/2, (at(0, 1)-at(0, -1))/2
	xx, yy := at(1, 0)-2*at(0, 0)+at(-1, 0), at(0, 1)-2*at(0, 0)+at(0, -1)
	xy := (at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / 4
	x, y = g.Centre(i, j)
	if det := xx*yy - xy*xy; det > 0 {
		x -= g.HX() * (yy*gx - xy*gy) / det
		y -= g.HY() * (xx*gy - xy*gx) / det
	}
	return x, y
}

// Residual returns how well [chaudhari2018] eq. (19), −u = (D+Q)∇Φ − β⁻¹∇·(D+Q), holds: the
// root mean square of the difference over the root mean square of the drift u, both under
// ρˢˢ, by central differences in the cells whose density exceeds a thousandth of the largest.
//
//	v, err := plane.Solve(problem.CV(), 120)
//	dec, err := v.Decomposition() // a *potential.Decomposition
//	fmt.Println(dec.Residual())
func (d *Decomposition) Residual() float64 {
	g, s := d.Grid, d.l.System
	largest := 0.0
	for _, r := range d.Density {
		largest = max(largest, r)
	}
	hx, hy := g.HX(), g.HY()
	u, div := make([]float64, 2), make([]float64, 2)
	var sum, size float64
	for j := 1; j < g.NY-1; j++ {
		for i := 1; i < g.NX-1; i++ {
			k := j*g.NX + i
			if d.Density[k] < 1e-3*largest {
				continue
			}
			x, y := g.Centre(i, j)
			p := []float64{x, y}
			s.Drift(u, p)
			s.DivDiffusionTo(div, p)
			q00, q10 := d.Skew[d.corner(i, j)], d.Skew[d.corner(i+1, j)]
			q01, q11 := d.Skew[d.corner(i, j+1)], d.Skew[d.corner(i+1, j+1)]
			q := (q00 + q10 + q01 + q11) / 4
			qx, qy := (q10+q11-q00-q01)/(2*hx), (q01+q11-q00-q10)/(2*hy)
			px := (d.Phi[k+1] - d.Phi[k-1]) / (2 * hx)
			py := (d.Phi[k+g.NX] - d.Phi[k-g.NX]) / (2 * hy)
			dx, dy := s.Diffusion(p).MulVec(px, py)
			rx := dx + q*py - (div[0]+qy)/d.Beta + u[0]
			ry := dy - q*px - (div[1]-qx)/d.Beta + u[1]
			if e := rx*rx + ry*ry; !math.IsNaN(e) && !math.IsInf(e, 0) {
				sum += d.Density[k] * e
				size += d.Density[k] * (u[0]*u[0] + u[1]*u[1])
			}
		}
	}
	return math.Sqrt(sum / size)
}
