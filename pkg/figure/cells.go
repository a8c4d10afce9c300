package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

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

// Sample returns nx×ny cells with the values of f at their centres.
//
//	c := figure.Sample(problem.Box{XMin: -1, XMax: 1, YMin: -1, YMax: 1}, 96, 96, func(x []float64) float64 { return x[0] * x[1] })
func Sample(box problem.Box, nx, ny int, f func(x []float64) float64) Cells {
	c := Cells{Box: box, NX: nx, NY: ny, Values: make([]float64, nx*ny)}
	hx, hy := (box.XMax-box.XMin)/float64(nx), (box.YMax-box.YMin)/float64(ny)
	for k := range c.Values {
		c.Values[k] = f([]float64{box.XMin + (float64(k%nx)+0.5)*hx, box.YMin + (float64(k/nx)+0.5)*hy})
	}
	return c
}

// Bin returns the density of points (rows of two columns) in nx×ny cells: their share of
// all points, those outside the box included, over the area of a cell.
//
//	c := figure.Bin(problem.Box{XMin: -1, XMax: 1, YMin: -1, YMax: 1}, 2, 2, mat.NewDense(3, 2, []float64{-.5, .5, .2, .1, .3, .4}))
func Bin(box problem.Box, nx, ny int, points mat.Matrix) Cells {
	c := Cells{Box: box, NX: nx, NY: ny, Values: make([]float64, nx*ny)}
	hx, hy := (box.XMax-box.XMin)/float64(nx), (box.YMax-box.YMin)/float64(ny)
	rows, _ := points.Dims()
	for r := range rows {
		i, j := int(math.Floor((points.At(r, 0)-box.XMin)/hx)), int(math.Floor((points.At(r, 1)-box.YMin)/hy))
		if 0 <= i && i < nx && 0 <= j && j < ny {
			c.Values[j*nx+i] += 1 / (float64(rows) * hx * hy)
		}
	}
	return c
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
