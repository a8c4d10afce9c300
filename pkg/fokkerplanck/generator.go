package fokkerplanck

import (
	"errors"
	"fmt"
	"math"

	"sgdlab/pkg/problem"
)

// The six cells that a face may take mass from, as offsets along the face normal (0 or 1)
// and across it (−1, 0, 1).
const (
	nearLow = iota
	near
	nearHigh
	farLow
	far
	farHigh
)

// face holds the coefficients of the current through it: J = Σ c·p over the six cells.
type face [6]float64

// Generator is the sparse matrix L of dp/dt = Lp on a grid, as currents through faces:
// its columns sum to zero by construction. It is read-only and safe for concurrent use.
//
//	var l *fokkerplanck.Generator
//	l, err := fokkerplanck.Known(problem.EX19(1).System(), g, fokkerplanck.Centred)
type Generator struct {
	Grid   Grid
	System *problem.System
	Scheme string // as in "blind", "known potential, upwind"

	x, y []face // face (i, j) is between cells (i, j) and (i+1, j), or (i, j+1)
	rows [][9]float64
}

// offset of entry q of a row: the cell at (q%3−1, q/3−1).
const centre = 4

func newGenerator(g Grid, s *problem.System, scheme string) *Generator {
	return &Generator{Grid: g, System: s, Scheme: scheme, x: make([]face, g.Cells()), y: make([]face, g.Cells())}
}

// xFaces calls fn for every face between (i, j) and (i+1, j), yFaces for those between
// (i, j) and (i, j+1), with the midpoint of the face.
func (l *Generator) xFaces(fn func(i, j int, x, y float64, f *face)) {
	g := l.Grid
	for j := range g.NY {
		for i := range g.NX {
			if i+1 < g.NX || g.X == Periodic {
				x, _ := g.Corner(i+1, j)
				_, y := g.Centre(i, j)
				fn(i, j, x, y, &l.x[j*g.NX+i])
			}
		}
	}
}

func (l *Generator) yFaces(fn func(i, j int, x, y float64, f *face)) {
	g := l.Grid
	for j := range g.NY {
		if j+1 < g.NY || g.Y == Periodic {
			for i := range g.NX {
				x, _ := g.Centre(i, j)
				_, y := g.Corner(i, j+1)
				fn(i, j, x, y, &l.y[j*g.NX+i])
			}
		}
	}
}

// cells returns the indices of the six cells of a face, −1 where there is none.
func (l *Generator) cells(i, j int, vertical bool) [6]int {
	var c [6]int
	for q := range c {
		along, across := q/3, q%3-1
		if vertical {
			c[q] = l.Grid.Index(i+across, j+along)
		} else {
			c[q] = l.Grid.Index(i+along, j+across)
		}
	}
	return c
}

// assemble turns the faces into rows. A coefficient of a cell that does not exist, beside
// a side without flux, goes to the cell on this side of it: the density is continued
// evenly.
func (l *Generator) assemble() {
	l.rows = make([][9]float64, l.Grid.Cells())
	add := func(i, j int, vertical bool, f *face) {
		cells := l.cells(i, j, vertical)
		for q, k := range cells {
			if k < 0 {
				f[q/3*3+1] += f[q]
				f[q] = 0
			}
		}
		for q, k := range cells {
			if k < 0 || f[q] == 0 {
				continue
			}
			along, across := q/3, q%3-1
			// Out of the near cell, into the far one; position of the giving cell relative to each.
			di, dj := along, across
			if vertical {
				di, dj = across, along
			}
			from, to := l.Grid.Index(i, j), l.Grid.Index(i+1, j)
			ti, tj := di-1, dj
			if vertical {
				to = l.Grid.Index(i, j+1)
				ti, tj = di, dj-1
			}
			l.rows[from][(dj+1)*3+di+1] -= f[q]
			l.rows[to][(tj+1)*3+ti+1] += f[q]
		}
	}
	l.xFaces(func(i, j int, _, _ float64, f *face) { add(i, j, false, f) })
	l.yFaces(func(i, j int, _, _ float64, f *face) { add(i, j, true, f) })
}

// bernoulli is B(z) = z/(e^z − 1), which obeys B(−z) = z + B(z) = e^z B(z). It never
// overflows, and is accurate to a few units in the last place.
func bernoulli(z float64) float64 {
	switch {
	case math.Abs(z) < 1e-5:
		return 1 - z/2 + z*z/12
	case z > 0:
		return z * math.Exp(-z) / -math.Expm1(-z)
	default:
		return -z / -math.Expm1(z)
	}
}

// rates returns the rates across a face of a cell of width h with diffusion d and the
// drift u there, forward and backward. Without diffusion they are upwind.
func rates(u, d, beta, h float64) (forward, backward float64) {
	if d == 0 {
		return max(u, 0) / h, max(-u, 0) / h
	}
	z := -beta * u * h / d
	c := d / (beta * h * h)
	return c * bernoulli(z), c * bernoulli(-z)
}

// Blind returns the generator of s on g from drift and diffusion alone, with whatever D(x).
// It is of second order in the cell size. Rates along the axes are those of Scharfetter and
// Gummel with the drift u − β⁻¹(∇·D) at the face; [scharfetter1969], statements.md §11.1.
// What D₁₂ adds goes
//
//	along a diagonal   where D₁₂ is not too large for the shape of the cells,
//	                   |D₁₂| hx/hy ≤ D₁₁ and |D₁₂| hy/hx ≤ D₂₂ at every face: the axes give
//	                   up that much, and all rates are non-negative;
//	across the faces   as the central difference of −β⁻¹ D₁₂ ∂ρ otherwise: then some rates
//	                   are negative ([Generator.NegativeRates]), and the masses may be.
//
// The field Scheme of the generator says which; cells closer to the axes of D, or a box of
// another shape, bring the first about.
//
// It returns an error that names the point where the drift is not finite or D is not
// positive semi-definite, and if β is not positive.
func Blind(s *problem.System, g Grid) (*Generator, error) {
	if err := errors.Join(g.check(), checkBeta(s)); err != nil {
		return nil, err
	}
	l := newGenerator(g, s, "blind")
	var err error
	u, div := make([]float64, 2), make([]float64, 2)
	local := func(x, y float64) (ux, uy float64, d problem.Tensor) {
		p := []float64{x, y}
		s.Drift(u, p)
		s.DivDiffusionTo(div, p)
		d = s.Diffusion(p)
		ux, uy = u[0]-div[0]/s.Beta, u[1]-div[1]/s.Beta
		if err == nil {
			if _, ok := d.Root(); !ok {
				err = fmt.Errorf("fokkerplanck: %s: D = [%v %v; %v %v] at (%.4g, %.4g) is not positive semi-definite; correct Diffusion", s.Name, d.XX, d.XY, d.XY, d.YY, x, y)
			} else if v := ux + uy; math.IsNaN(v) || math.IsInf(v, 0) {
				err = fmt.Errorf("fokkerplanck: %s: the drift at (%.4g, %.4g) is (%v, %v); correct Drift or choose a smaller box", s.Name, x, y, u[0], u[1])
			}
		}
		return ux, uy, d
	}
	hx, hy := g.HX(), g.HY()
	// Drift and D at the faces, along the normal; D₁₂ at the faces and at the corners.
	type normal struct{ u, d, d12 float64 }
	nx, ny := make([]normal, g.Cells()), make([]normal, g.Cells())
	full := false
	l.xFaces(func(i, j int, x, y float64, _ *face) {
		ux, _, d := local(x, y)
		nx[j*g.NX+i] = normal{ux, d.XX, d.XY}
		full = full || d.XY != 0
	})
	l.yFaces(func(i, j int, x, y float64, _ *face) {
		_, uy, d := local(x, y)
		ny[j*g.NX+i] = normal{uy, d.YY, d.XY}
		full = full || d.XY != 0
	})
	if err != nil {
		return nil, err
	}
	corner := l.diagonals(full)
	// What a face gives up to the diagonals that pass by it, ½ to each of its two corners.
	gives := func(a, b float64, aspect float64) float64 { return aspect * (math.Abs(a) + math.Abs(b)) / 2 }
	monotone := full
	l.xFaces(func(i, j int, _, _ float64, _ *face) {
		monotone = monotone && gives(corner(i+1, j), corner(i+1, j+1), hx/hy) <= nx[j*g.NX+i].d
	})
	l.yFaces(func(i, j int, _, _ float64, _ *face) {
		monotone = monotone && gives(corner(i, j+1), corner(i+1, j+1), hy/hx) <= ny[j*g.NX+i].d
	})
	switch {
	case monotone:
		l.Scheme = "blind, along diagonals"
	case full:
		l.Scheme = "blind, central across: not monotone"
	}
	cross := func(n normal, lo, hi, h, aspect float64, f *face) {
		switch {
		case monotone:
			forward, backward := rates(n.u, n.d-gives(lo, hi, aspect), s.Beta, h)
			f[near], f[far] = forward, -backward
			f.diagonal(hi, near, farHigh, nearHigh, far, 1/(2*s.Beta*hx*hy))
			f.diagonal(lo, nearLow, far, near, farLow, 1/(2*s.Beta*hx*hy))
		default:
			forward, backward := rates(n.u, n.d, s.Beta, h)
			f[near], f[far] = forward, -backward
			c := -n.d12 / (s.Beta * 4 * hx * hy) // J = −β⁻¹ D₁₂ ∂ρ across, per mass; mean of both columns
			f[nearHigh] += c
			f[farHigh] += c
			f[nearLow] -= c
			f[farLow] -= c
		}
	}
	l.xFaces(func(i, j int, _, _ float64, f *face) {
		cross(nx[j*g.NX+i], corner(i+1, j), corner(i+1, j+1), hx, hx/hy, f)
	})
	l.yFaces(func(i, j int, _, _ float64, f *face) {
		cross(ny[j*g.NX+i], corner(i, j+1), corner(i+1, j+1), hy, hy/hx, f)
	})
	l.assemble()
	return l, nil
}

// diagonals returns D₁₂ at the corners that have a cell on all four sides, and 0 at the
// others, through which no diagonal passes.
func (l *Generator) diagonals(full bool) func(i, j int) float64 {
	if !full {
		return func(int, int) float64 { return 0 }
	}
	g := l.Grid
	d12 := make([]float64, (g.NX+1)*(g.NY+1))
	for j := range g.NY + 1 {
		for i := range g.NX + 1 {
			if g.Index(i-1, j-1) >= 0 && g.Index(i, j) >= 0 {
				x, y := g.Corner(i, j)
				d12[j*(g.NX+1)+i] = l.System.Diffusion([]float64{x, y}).XY
			}
		}
	}
	return func(i, j int) float64 { return d12[j*(g.NX+1)+i] }
}

// diagonal adds half of the exchange c·|d12|·(p_a − p_b) along a diagonal to the current
// through a face that it passes by: that from a to b if d12 > 0, that from c to d along the
// other diagonal of the corner if d12 < 0. The other half takes the way round by the other
// face, so that the cell on the way keeps nothing.
func (f *face) diagonal(d12 float64, a, b, c, d int, scale float64) {
	if d12 < 0 {
		a, b, d12 = c, d, -d12
	}
	f[a] += scale * d12
	f[b] -= scale * d12
}

func checkBeta(s *problem.System) error {
	if !(s.Beta > 0) || math.IsInf(s.Beta, 1) {
		return fmt.Errorf("fokkerplanck: %s: the inverse temperature β is %v; it must be positive and finite", s.Name, s.Beta)
	}
	return nil
}

// Advection is how [Known] treats the current.
//
//	var a fokkerplanck.Advection = fokkerplanck.Upwind // no negative rates
//	l, err := fokkerplanck.Known(problem.EX19(1.5).System(), g, a)
type Advection int

const (
	// Upwind rates are non-negative whatever the grid; they add a diffusion of first order.
	Upwind Advection = iota
	// Centred rates are of second order and keep the current's part of L antisymmetric, but
	// may be negative on a coarse grid; then Known returns an error.
	Centred
)

// String returns the name of the scheme.
func (a Advection) String() string {
	if a == Centred {
		return "centred"
	}
	return "upwind"
}

// Known returns the generator that has exactly π ∝ e^(−βΦ) as its steady state: reversible
// rates from the Potential of s, which must be known, and, if its StreamFunction is known,
// the current (∂₂ψ, −∂₁ψ) as differences of ψ at the corners, with ψ = 0 on sides without
// flux. Lπ = 0 holds to round-off on any grid. D must be diagonal. statements.md P.1.
//
//	g := fokkerplanck.Grid{Box: problem.Box{XMin: -3, XMax: 3, YMin: -5, YMax: 5}, NX: 60, NY: 80}
//	l, err := fokkerplanck.Known(problem.EX19(1).System(), g, fokkerplanck.Centred)
func Known(s *problem.System, g Grid, a Advection) (*Generator, error) {
	if err := errors.Join(g.check(), checkBeta(s)); err != nil {
		return nil, err
	}
	if s.Potential == nil {
		return nil, fmt.Errorf("fokkerplanck: %s: the potential is not known; use Blind", s.Name)
	}
	l := newGenerator(g, s, "known potential, "+a.String())
	phi := make([]float64, g.Cells())
	lowest := math.Inf(1)
	for j := range g.NY {
		for i := range g.NX {
			x, y := g.Centre(i, j)
			v := s.Potential([]float64{x, y})
			if math.IsNaN(v) {
				return nil, fmt.Errorf("fokkerplanck: %s: Φ is NaN at (%.4g, %.4g); correct Potential", s.Name, x, y)
			}
			phi[j*g.NX+i] = v
			lowest = min(lowest, v)
		}
	}
	pi, z := make([]float64, g.Cells()), 0.0
	for k, v := range phi {
		pi[k] = math.Exp(-s.Beta * (v - lowest))
		z += pi[k]
	}
	for k := range pi {
		pi[k] /= z
	}
	z *= g.CellArea() * math.Exp(-s.Beta*lowest) // ∫e^(−βΦ)
	stream := func(i, j int) float64 {
		if s.StreamFunction == nil || g.X == NoFlux && (i == 0 || i == g.NX) || g.Y == NoFlux && (j == 0 || j == g.NY) {
			return 0
		}
		x, y := g.Corner(i, j)
		return s.StreamFunction([]float64{x, y}) / z
	}
	var err error
	set := func(i, j int, x, y float64, f *face, vertical bool, h, current float64) {
		d := s.Diffusion([]float64{x, y})
		normal, from, to := d.XX, g.Index(i, j), g.Index(i+1, j)
		if vertical {
			normal, to = d.YY, g.Index(i, j+1)
		}
		if d.XY != 0 && err == nil {
			err = fmt.Errorf("fokkerplanck: %s: D₁₂ = %v at (%.4g, %.4g); Known needs a diagonal D, use Blind", s.Name, d.XY, x, y)
		}
		dphi := s.Beta * (phi[to] - phi[from])
		c := normal / (s.Beta * h * h)
		forward, backward := c*bernoulli(dphi), c*bernoulli(-dphi)
		if a == Upwind {
			forward += max(current, 0) / pi[from]
			backward += max(-current, 0) / pi[to]
		} else {
			forward += current / (2 * pi[from])
			backward -= current / (2 * pi[to])
		}
		if (forward < 0 || backward < 0) && err == nil {
			err = fmt.Errorf("fokkerplanck: %s: a centred rate at (%.4g, %.4g) is negative on %s; refine the grid or use Upwind", s.Name, x, y, g)
		}
		f[near], f[far] = forward, -backward
	}
	l.xFaces(func(i, j int, x, y float64, f *face) {
		set(i, j, x, y, f, false, g.HX(), stream(i+1, j+1)-stream(i+1, j))
	})
	l.yFaces(func(i, j int, x, y float64, f *face) {
		set(i, j, x, y, f, true, g.HY(), -(stream(i+1, j+1) - stream(i, j+1)))
	})
	if err != nil {
		return nil, err
	}
	l.assemble()
	return l, nil
}

// MulTo stores Lp in dst, the rate of change of the masses p; both have one number per
// cell and must not overlap. It panics if a length is wrong.
func (l *Generator) MulTo(dst, p []float64) {
	g := l.Grid
	l.checkLength(dst)
	l.checkLength(p)
	for j := range g.NY {
		for i := range g.NX {
			sum := 0.0
			for q, c := range l.rows[j*g.NX+i] {
				if c != 0 {
					sum += c * p[g.Index(i+q%3-1, j+q/3-1)]
				}
			}
			dst[j*g.NX+i] = sum
		}
	}
}

// Inner returns ⟨u, Lv⟩ = Σ u·(Lv)/π for the steady-state masses pi. In this inner product
// a reversible L is symmetric, and what a current adds is antisymmetric with [Centred] rates
// (Lemma 7). It panics if a length is wrong.
//
//	l, err := fokkerplanck.Known(problem.EX19(1).System(), g, fokkerplanck.Centred)
//	x := l.Inner(p, p, p)
func (l *Generator) Inner(u, v, pi []float64) (sum float64) {
	l.checkLength(u)
	l.checkLength(pi)
	lv := make([]float64, len(v))
	l.MulTo(lv, v)
	for k := range u {
		sum += u[k] * lv[k] / pi[k]
	}
	return sum
}

func (l *Generator) checkLength(v []float64) {
	if len(v) != l.Grid.Cells() {
		panic(fmt.Sprintf("fokkerplanck: dimension mismatch: got %d numbers, the grid has %d cells", len(v), l.Grid.Cells()))
	}
}

// NegativeRates returns how many rates between cells are negative and the most negative
// one. With none, L generates a Markov chain.
func (l *Generator) NegativeRates() (count int, least float64) {
	for _, row := range l.rows {
		for q, c := range row {
			if q != centre && c < 0 {
				count++
				least = min(least, c)
			}
		}
	}
	return count, least
}

// ColumnSumsTo stores Σₐ L[a][b] for every cell b in dst (NX·NY): zero up to round-off. A
// nil dst is allocated.
//
//	l, err := fokkerplanck.Known(problem.EX19(1).System(), g, fokkerplanck.Centred)
//	sums := l.ColumnSumsTo(nil)
func (l *Generator) ColumnSumsTo(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, l.Grid.Cells())
	}
	clear(dst)
	l.entries(func(_, column int, v float64) { dst[column] += v })
	return dst
}

// entries calls fn with every entry of L that is not zero.
func (l *Generator) entries(fn func(row, column int, v float64)) {
	g := l.Grid
	for j := range g.NY {
		for i := range g.NX {
			for q, v := range l.rows[j*g.NX+i] {
				if v != 0 {
					fn(j*g.NX+i, g.Index(i+q%3-1, j+q/3-1), v)
				}
			}
		}
	}
}

// Current holds probability currents through the faces of a grid.
type Current struct {
	Grid Grid
	X    []float64 // NX·NY, index j·NX+i: from cell (i, j) to (i+1, j); zero at a side without flux
	Y    []float64 // NX·NY, index j·NX+i: from cell (i, j) to (i, j+1)
}

// Current returns the currents that the masses p (NX·NY) drive. For a stationary p their sum over
// the faces of every cell is zero.
func (l *Generator) Current(p []float64) *Current {
	l.checkLength(p)
	c := &Current{Grid: l.Grid, X: make([]float64, len(p)), Y: make([]float64, len(p))}
	flow := func(i, j int, vertical bool, f *face) (sum float64) {
		for q, k := range l.cells(i, j, vertical) {
			if k >= 0 {
				sum += f[q] * p[k]
			}
		}
		return sum
	}
	l.xFaces(func(i, j int, _, _ float64, f *face) { c.X[j*l.Grid.NX+i] = flow(i, j, false, f) })
	l.yFaces(func(i, j int, _, _ float64, f *face) { c.Y[j*l.Grid.NX+i] = flow(i, j, true, f) })
	return c
}

// At returns the current density in the middle of cell (i, j), per unit of length: the
// mean over opposite faces.
func (c *Current) At(i, j int) (jx, jy float64) {
	g := c.Grid
	left, low := g.Index(i-1, j), g.Index(i, j-1)
	jx, jy = c.X[j*g.NX+i], c.Y[j*g.NX+i]
	if left >= 0 {
		jx += c.X[left]
	}
	if low >= 0 {
		jy += c.Y[low]
	}
	return jx / (2 * g.HY()), jy / (2 * g.HX())
}

// AreaRate returns ½∫(x₁J₂ − x₂J₁), the mean area swept per unit of time, positive if
// counter-clockwise. It is taken at the faces, and makes sense without periodic sides.
func (c *Current) AreaRate() (a float64) {
	g := c.Grid
	for j := range g.NY {
		for i := range g.NX {
			x, y := g.Centre(i, j)
			a += (x*c.Y[j*g.NX+i]*g.HY() - y*c.X[j*g.NX+i]*g.HX()) / 2
		}
	}
	return a
}

// Pairs calls fn for every pair of cells a, b with a rate between them, once: ab is the rate
// from a to b, ba that from b to a.
func (l *Generator) Pairs(fn func(a, b int, ab, ba float64)) {
	g := l.Grid
	for j := range g.NY {
		for i := range g.NX {
			a := j*g.NX + i
			for q := centre + 1; q < 9; q++ { // the other four come up as pairs of their own
				b := g.Index(i+q%3-1, j+q/3-1)
				if b < 0 {
					continue
				}
				if ab, ba := l.rows[b][8-q], l.rows[a][q]; ab != 0 || ba != 0 {
					fn(a, b, ab, ba)
				}
			}
		}
	}
}
