package figure

import (
	"gonum.org/v1/plot/plotter"

	"sgdlab/pkg/problem"
)

// contourCells is the number of cells along the shorter side of the grid on which level
// lines are found.
const contourCells = 120

// nodes holds a function at the (nx+1)×(ny+1) corners of the cells of a box.
type nodes struct {
	box    problem.Box
	nx, ny int
	values []float64 // index j·(nx+1)+i
}

// sample evaluates f at the corners of square cells, contourCells along the shorter side.
func sample(f func(x []float64) float64, box problem.Box) nodes {
	w, h := box.XMax-box.XMin, box.YMax-box.YMin
	n := nodes{box: box}
	n.nx = int(contourCells * w / min(w, h))
	n.ny = int(contourCells * h / min(w, h))
	n.values = make([]float64, 0, (n.nx+1)*(n.ny+1))
	x := make([]float64, 2)
	for j := range n.ny + 1 {
		for i := range n.nx + 1 {
			x[0], x[1] = n.at(float64(i), float64(j))
			n.values = append(n.values, f(x))
		}
	}
	return n
}

// at returns the point i cells from the left and j from below.
func (n nodes) at(i, j float64) (x, y float64) {
	return n.box.XMin + (n.box.XMax-n.box.XMin)*i/float64(n.nx), n.box.YMin + (n.box.YMax-n.box.YMin)*j/float64(n.ny)
}

// levelLines returns the curves on which the function, linear along the sides of cells,
// has the value level: marching squares, with the segments joined. Curves end at the
// border or are closed.
func (n nodes) levelLines(level float64) []plotter.XYs {
	// A side of a cell is named by the corner at its left or lower end: 2·corner is the
	// one that runs to the right, 2·corner + 1 the one that runs up.
	stride := n.nx + 1
	var segments [][2]int
	ends := map[int][]int{} // side → the segments that end on it
	join := func(a, b int) {
		ends[a] = append(ends[a], len(segments))
		ends[b] = append(ends[b], len(segments))
		segments = append(segments, [2]int{a, b})
	}
	for j := range n.ny {
		for i := range n.nx {
			corner := j*stride + i
			sw, se := n.values[corner], n.values[corner+1]
			nw, ne := n.values[corner+stride], n.values[corner+stride+1]
			bottom, left, top, right := 2*corner, 2*corner+1, 2*(corner+stride), 2*(corner+1)+1
			var cut []int // crossed sides, in the order around the cell
			for _, side := range []struct {
				a, b float64
				name int
			}{{sw, se, bottom}, {se, ne, right}, {ne, nw, top}, {nw, sw, left}} {
				if (side.a < level) != (side.b < level) {
					cut = append(cut, side.name)
				}
			}
			switch {
			case len(cut) == 2:
				join(cut[0], cut[1])
			case len(cut) == 4 && ((sw+se+nw+ne)/4 < level) == (sw < level):
				join(bottom, right) // the middle belongs with sw and ne
				join(top, left)
			case len(cut) == 4:
				join(left, bottom)
				join(right, top)
			}
		}
	}

	point := func(side int) plotter.XY {
		corner := side / 2
		i, j := float64(corner%stride), float64(corner/stride)
		a, b := n.values[corner], 0.0
		if side%2 == 0 {
			b = n.values[corner+1]
			i += (level - a) / (b - a)
		} else {
			b = n.values[corner+stride]
			j += (level - a) / (b - a)
		}
		x, y := n.at(i, j)
		return plotter.XY{X: x, Y: y}
	}
	used := make([]bool, len(segments))
	follow := func(segment, side int) plotter.XYs { // from side on, beginning with segment
		line := plotter.XYs{point(side)}
		for segment >= 0 {
			used[segment] = true
			side = segments[segment][0] + segments[segment][1] - side
			line = append(line, point(side))
			segment = -1
			for _, next := range ends[side] {
				if !used[next] {
					segment = next
				}
			}
		}
		return line
	}
	var lines []plotter.XYs
	for s, sides := range segments { // open curves from one of their ends
		for _, side := range sides {
			if !used[s] && len(ends[side]) == 1 {
				lines = append(lines, follow(s, side))
			}
		}
	}
	for s, sides := range segments { // what is left is closed
		if !used[s] {
			lines = append(lines, follow(s, sides[0]))
		}
	}
	return lines
}
