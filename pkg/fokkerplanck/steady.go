package fokkerplanck

import (
	"fmt"
	"math"
)

// Steady is a stationary vector of a generator.
//
//	v, err := plane.Solve(problem.CV(), 120)
//	var st fokkerplanck.Steady = *v.Steady
type Steady struct {
	Grid         Grid
	Beta         float64
	P            []float64 // masses of the cells (NX·NY), sum 1
	Residual     float64   // max |Lp|, in units of max |L_cc p_c|
	NegativeMass float64   // sum of |p| over cells with p < 0; 0 for a Markov chain
	BoundaryMass float64   // mass of the cells along sides without flux
	Warnings     []error   // what to doubt: mass at the boundary, negative masses
}

// Density returns p/area in cell (i, j).
func (s *Steady) Density(i, j int) float64 { return s.P[s.Grid.Index(i, j)] / s.Grid.CellArea() }

// Mean returns Σ p·f over the centres of the cells.
func (s *Steady) Mean(f func(x, y float64) float64) (m float64) {
	for j := range s.Grid.NY {
		for i := range s.Grid.NX {
			x, y := s.Grid.Centre(i, j)
			m += s.P[j*s.Grid.NX+i] * f(x, y)
		}
	}
	return m
}

// boundaryLimit is the mass along the sides above which Steady warns that the box cuts the
// density: the error of an average is of this order.
const boundaryLimit = 1e-5

// Steady returns the stationary masses, Lp = 0 with Σp = 1, by inverse iteration with the
// factors of a shifted L.
//
// It returns an error if L has more than one closed class, so that the steady state is
// not unique; the error says in which two places. A doubtful result comes with warnings.
func (l *Generator) Steady() (*Steady, error) {
	if err := l.checkUnique(); err != nil {
		return nil, err
	}
	n := l.Grid.Cells()
	scale := 0.0
	for _, row := range l.rows {
		scale = max(scale, -row[centre])
	}
	// The shift is far below the gap of any system that fits on a grid, and far above
	// round-off: an error shrinks by shift/gap in each of the iterations.
	shift := 1e-11 * scale
	f, err := factorise(l, shift, -1)
	if err != nil {
		return nil, err
	}
	p := make([]float64, n)
	for k := range p {
		p[k] = 1 / float64(n)
	}
	for range 4 {
		f.solve(p)
		normalise(p)
	}
	s := &Steady{Grid: l.Grid, Beta: l.System.Beta, P: p}
	lp := make([]float64, n)
	l.MulTo(lp, p)
	largest := 0.0
	for k, v := range p {
		s.Residual = max(s.Residual, math.Abs(lp[k]))
		largest = max(largest, math.Abs(l.rows[k][centre]*v))
		if v < 0 {
			s.NegativeMass -= v
		}
		i, j := k%l.Grid.NX, k/l.Grid.NX
		if l.Grid.X == NoFlux && (i == 0 || i == l.Grid.NX-1) || l.Grid.Y == NoFlux && (j == 0 || j == l.Grid.NY-1) {
			s.BoundaryMass += v
		}
	}
	s.Residual /= largest
	if s.BoundaryMass > boundaryLimit {
		s.Warnings = append(s.Warnings, fmt.Errorf("fokkerplanck: %s: the cells along the sides hold a mass of %.2g; choose a larger box unless the walls are meant", l.System.Name, s.BoundaryMass))
	}
	if s.NegativeMass > 0 {
		s.Warnings = append(s.Warnings, fmt.Errorf("fokkerplanck: %s on %s: negative masses add up to %.2g; refine the grid", l.System.Name, l.Grid, s.NegativeMass))
	}
	return s, nil
}

func normalise(p []float64) {
	sum := 0.0
	for _, v := range p {
		sum += v
	}
	for k := range p {
		p[k] /= sum
	}
}

// checkUnique returns an error if two cells cannot both be reached from some cell: then
// there are two closed classes, each with a steady state of its own.
func (l *Generator) checkUnique() error {
	n := l.Grid.Cells()
	to := make([][]int32, n)
	back := make([][]int32, n)
	l.entries(func(row, column int, v float64) {
		if row != column {
			to[column] = append(to[column], int32(row))
			back[row] = append(back[row], int32(column))
		}
	})
	// Kosaraju: the last cell to finish lies in a source class of the reversed graph, that is
	// in a closed class of L.
	order := finishing(back, n)
	class := make([]int32, n)
	classes := int32(0)
	for q := n - 1; q >= 0; q-- {
		if start := order[q]; class[start] == 0 {
			classes++
			mark(to, class, start, classes)
		}
	}
	open := make([]bool, classes+1)
	for k := range to {
		for _, j := range to[k] {
			if class[j] != class[k] {
				open[class[k]] = true
			}
		}
	}
	first := int32(-1)
	for k := range class {
		if c := class[k]; !open[c] {
			switch {
			case first < 0:
				first = int32(k)
			case class[first] != c:
				ax, ay := l.Grid.Centre(int(first)%l.Grid.NX, int(first)/l.Grid.NX)
				bx, by := l.Grid.Centre(k%l.Grid.NX, k/l.Grid.NX)
				return fmt.Errorf("fokkerplanck: %s: the steady state is not unique: (%.4g, %.4g) and (%.4g, %.4g) lie in regions that are never left; add noise that connects them, or choose a smaller box", l.System.Name, ax, ay, bx, by)
			}
		}
	}
	return nil
}

// finishing returns the cells in the order in which a depth-first search leaves them.
func finishing(next [][]int32, n int) []int32 {
	order := make([]int32, 0, n)
	seen := make([]bool, n)
	type visit struct{ cell, at int32 }
	for start := range n {
		if seen[start] {
			continue
		}
		seen[start] = true
		stack := []visit{{int32(start), 0}}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if int(top.at) == len(next[top.cell]) {
				order = append(order, top.cell)
				stack = stack[:len(stack)-1]
				continue
			}
			k := next[top.cell][top.at]
			top.at++
			if !seen[k] {
				seen[k] = true
				stack = append(stack, visit{k, 0})
			}
		}
	}
	return order
}

// mark gives every cell that can be reached from start, and has no class yet, the class c.
func mark(next [][]int32, class []int32, start, c int32) {
	class[start] = c
	stack := []int32{start}
	for len(stack) > 0 {
		k := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, j := range next[k] {
			if class[j] == 0 {
				class[j] = c
				stack = append(stack, j)
			}
		}
	}
}
