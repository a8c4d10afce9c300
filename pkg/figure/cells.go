package figure

import (
	"fmt"

	"sgdlab/pkg/problem"
)

// Cells holds one number for each cell of a regular grid, as package fokkerplanck orders
// them: index j·NX+i, i counting x from the left and j counting y from below.
type Cells struct {
	Box    problem.Box
	NX, NY int
	Values []float64 // NX·NY
}

// At returns the value at x (2): the number of the cell at its centre, bilinear between
// centres, constant beyond the outermost ones.
func (c Cells) At(x []float64) float64 {
	i, u := between(x[0], c.Box.XMin, c.Box.XMax, c.NX)
	j, v := between(x[1], c.Box.YMin, c.Box.YMax, c.NY)
	right, up := min(i+1, c.NX-1), min(j+1, c.NY-1)
	at := func(i, j int) float64 { return c.Values[j*c.NX+i] }
	return (1-v)*((1-u)*at(i, j)+u*at(right, j)) + v*((1-u)*at(i, up)+u*at(right, up))
}

// between returns the cell whose centre is the last one not beyond x, and the distance
// from there to x in cells, between 0 and 1.
func between(x, lo, hi float64, n int) (i int, frac float64) {
	t := min(max((x-lo)/(hi-lo)*float64(n)-0.5, 0), float64(n-1))
	i = min(int(t), n-1)
	return i, t - float64(i)
}

// VectorField returns the field with the components u and v, a function as
// [LandscapeFigure] and [DensityFigure] take it.
func VectorField(u, v Cells) func(dst, x []float64) {
	return func(dst, x []float64) { dst[0], dst[1] = u.At(x), v.At(x) }
}

func (c Cells) check(field string) error {
	if c.NX < 1 || c.NY < 1 {
		return fmt.Errorf("figure: %s has %d×%d cells: at least one each way is needed", field, c.NX, c.NY)
	}
	if len(c.Values) != c.NX*c.NY {
		return fmt.Errorf("figure: %s.Values has %d numbers, the grid %d×%d = %d cells: they must agree", field, len(c.Values), c.NX, c.NY, c.NX*c.NY)
	}
	return firstError(checkBox(field+".Box", c.Box), finite(field+".Values", c.Values...))
}

// checkBox returns an error that names the field unless b is a finite box with an inside.
func checkBox(field string, b problem.Box) error {
	if err := finite(field, b.XMin, b.XMax, b.YMin, b.YMax); err != nil {
		return err
	}
	if !(b.XMin < b.XMax && b.YMin < b.YMax) {
		return fmt.Errorf("figure: %s is %v: its sides must have a length", field, b)
	}
	return nil
}
