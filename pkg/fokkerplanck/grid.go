package fokkerplanck

import (
	"fmt"
	"math"

	"sgdlab/pkg/problem"
)

// Boundary is what happens at two opposite sides of the box.
type Boundary int

const (
	NoFlux   Boundary = iota // nothing passes
	Periodic                 // what leaves on one side enters on the other
)

// String returns the name of the condition.
func (b Boundary) String() string {
	if b == Periodic {
		return "periodic"
	}
	return "no flux"
}

// Grid divides a box into NX×NY equal cells.
//
//	g := fokkerplanck.Grid{Box: problem.Box{XMin: -3, XMax: 3, YMin: -5, YMax: 5}, NX: 60, NY: 80} // arrays of 4,800 cells
type Grid struct {
	Box    problem.Box
	NX, NY int
	X, Y   Boundary // across x, the left and right sides; across y, the lower and upper ones
}

// check returns an error that says what is wrong with g.
func (g Grid) check() error {
	w, h := g.Box.XMax-g.Box.XMin, g.Box.YMax-g.Box.YMin
	if !(w > 0 && h > 0) || math.IsInf(w, 0) || math.IsInf(h, 0) {
		return fmt.Errorf("fokkerplanck: the box [%v, %v]×[%v, %v] is empty or not finite", g.Box.XMin, g.Box.XMax, g.Box.YMin, g.Box.YMax)
	}
	if g.NX < 3 || g.NY < 3 {
		return fmt.Errorf("fokkerplanck: a grid of %d×%d cells is too coarse; use at least 3×3, 60×80 for a first picture", g.NX, g.NY)
	}
	return nil
}

// Cells returns NX·NY.
//
//	g := fokkerplanck.Grid{Box: problem.CV().Box, NX: 60, NY: 80}
//	p := make([]float64, g.Cells()) // 4,800
func (g Grid) Cells() int { return g.NX * g.NY }

// HX returns the width of a cell.
func (g Grid) HX() float64 { return (g.Box.XMax - g.Box.XMin) / float64(g.NX) }

// HY returns the height of a cell.
func (g Grid) HY() float64 { return (g.Box.YMax - g.Box.YMin) / float64(g.NY) }

// CellArea returns HX·HY: a mass divided by it is a density.
func (g Grid) CellArea() float64 { return g.HX() * g.HY() }

// Index returns the index of cell (i, j), or −1 if it lies outside a side without flux.
// Across periodic sides i and j may be out of range by less than NX and NY.
//
//	g := fokkerplanck.Grid{Box: problem.Box{XMin: -1, XMax: 1, YMin: -1, YMax: 1}, NX: 60, NY: 80}
//	k := g.Index(3, 2) // 2·60 + 3
func (g Grid) Index(i, j int) int {
	if g.X == Periodic {
		i = (i + g.NX) % g.NX
	}
	if g.Y == Periodic {
		j = (j + g.NY) % g.NY
	}
	if i < 0 || i >= g.NX || j < 0 || j >= g.NY {
		return -1
	}
	return j*g.NX + i
}

// Centre returns the middle of cell (i, j).
func (g Grid) Centre(i, j int) (x, y float64) {
	return g.Box.XMin + (float64(i)+0.5)*g.HX(), g.Box.YMin + (float64(j)+0.5)*g.HY()
}

// Corner returns the lower left corner of cell (i, j), 0 ≤ i ≤ NX, 0 ≤ j ≤ NY.
func (g Grid) Corner(i, j int) (x, y float64) {
	return g.Box.XMin + float64(i)*g.HX(), g.Box.YMin + float64(j)*g.HY()
}

// MassesTo stores in dst (NX·NY) the masses of the cells under the density f of points (2),
// not necessarily normalised, by the midpoint rule, and divides by their sum. A nil dst is allocated.
//
//	g := fokkerplanck.Grid{Box: problem.CV().Box, NX: 60, NY: 80}
//	p := g.MassesTo(nil, func(x []float64) float64 { return math.Exp(-x[0]*x[0] - x[1]*x[1]) })
func (g Grid) MassesTo(dst []float64, f func(x []float64) float64) []float64 {
	if dst == nil {
		dst = make([]float64, g.Cells())
	}
	sum := 0.0
	for j := range g.NY {
		for i := range g.NX {
			x, y := g.Centre(i, j)
			v := f([]float64{x, y})
			dst[j*g.NX+i] = v
			sum += v
		}
	}
	for k := range dst {
		dst[k] /= sum
	}
	return dst
}

// String describes g, as in "60×80 cells, no flux".
func (g Grid) String() string {
	if g.X == g.Y {
		return fmt.Sprintf("%d×%d cells, %s", g.NX, g.NY, g.X)
	}
	return fmt.Sprintf("%d×%d cells, %s across x, %s across y", g.NX, g.NY, g.X, g.Y)
}
