package sde

import (
	"fmt"
	"math"

	"sgdlab/pkg/problem"
)

// Grid divides a box into NX×NY equal cells. Cell (i, j), i along x₁ and j along x₂, has
// the index j·NX + i, as in package fokkerplanck.
//
//	s := &sde.Settings{Step: 0.01, Steps: 5000, Grid: &sde.Grid{Box: problem.XD().Box, NX: 24, NY: 16}}
type Grid struct {
	Box    problem.Box
	NX, NY int
}

func (g Grid) check() error {
	width, height := g.Box.XMax-g.Box.XMin, g.Box.YMax-g.Box.YMin
	if g.NX < 1 || g.NY < 1 || !(width > 0 && height > 0) || math.IsInf(width, 1) || math.IsInf(height, 1) {
		return fmt.Errorf("sde: the grid of %d×%d cells on %+v is empty or not finite", g.NX, g.NY, g.Box)
	}
	return nil
}

// CellArea returns the area of a cell: a mass divided by it is a density.
func (g Grid) CellArea() float64 {
	return (g.Box.XMax - g.Box.XMin) * (g.Box.YMax - g.Box.YMin) / float64(g.NX*g.NY)
}

// Histogram is what an ensemble in the plane left on a grid. A visit is a recorded state
// that has a state before and one after it.
type Histogram struct {
	Grid    Grid    `json:"grid"`
	Visits  []int64 `json:"visits"`  // per cell
	Outside int64   `json:"outside"` // visits outside the box

	// Sums over the visits of half the displacement from the state before to the state
	// after, in units of 2⁻³²: whole numbers, so that the sum does not depend on its order.
	moved [][2]int64
	dt    float64

	perX, perY float64 // cells per length
}

const movedUnit = 1 << 32

func newHistogram(g Grid, dt float64) *Histogram {
	return &Histogram{
		Grid: g, Visits: make([]int64, g.NX*g.NY), moved: make([][2]int64, g.NX*g.NY), dt: dt,
		perX: float64(g.NX) / (g.Box.XMax - g.Box.XMin), perY: float64(g.NY) / (g.Box.YMax - g.Box.YMin),
	}
}

func (h *Histogram) add(before, x, after []float64) {
	g := &h.Grid
	u, v := (x[0]-g.Box.XMin)*h.perX, (x[1]-g.Box.YMin)*h.perY
	if !(u >= 0 && v >= 0 && u < float64(g.NX) && v < float64(g.NY)) {
		h.Outside++
		return
	}
	cell := int(v)*g.NX + int(u)
	h.Visits[cell]++
	moved := &h.moved[cell]
	moved[0] += int64((after[0] - before[0]) * (movedUnit / 2))
	moved[1] += int64((after[1] - before[1]) * (movedUnit / 2))
}

func (h *Histogram) merge(other *Histogram) {
	h.Outside += other.Outside
	for i, n := range other.Visits {
		h.Visits[i] += n
		h.moved[i][0] += other.moved[i][0]
		h.moved[i][1] += other.moved[i][1]
	}
}

// Total returns the number of visits, those outside included.
func (h *Histogram) Total() int64 {
	total := h.Outside
	for _, n := range h.Visits {
		total += n
	}
	return total
}

// Mass returns the share of all visits in every cell (NX·NY). The sum is 1 minus the share
// outside.
func (h *Histogram) Mass() []float64 {
	mass, total := make([]float64, len(h.Visits)), float64(h.Total())
	for i, n := range h.Visits {
		mass[i] = float64(n) / total
	}
	return mass
}

// Density returns the mass of every cell divided by its area (NX·NY).
func (h *Histogram) Density() []float64 {
	rho := h.Mass()
	for i := range rho {
		rho[i] /= h.Grid.CellArea()
	}
	return rho
}

// Current returns the probability current J in every cell (NX·NY each), the density times the mean of
// (xₖ₊₁ − xₖ₋₁)/2Δ over the visits xₖ. That central velocity is the average in the sense
// of Stratonovich, so that J is the current jρ of [chaudhari2018] eq. (8) and zero at
// equilibrium; the velocity of the Itô increment alone would add β⁻¹∇·(Dρ). Its noise
// falls with the root of the visits: have a thousand a cell.
func (h *Histogram) Current() (jx, jy []float64) {
	jx, jy = make([]float64, len(h.moved)), make([]float64, len(h.moved))
	scale := 1 / (movedUnit * h.dt * float64(h.Total()) * h.Grid.CellArea())
	for i, m := range h.moved {
		jx[i], jy[i] = float64(m[0])*scale, float64(m[1])*scale
	}
	return jx, jy
}
