package dense

import (
	"math"

	"sgdlab/pkg/internal/syrk/kernel"
)

// negligible is what squares are taken for zero below, in a matrix whose largest entry
// is between 2⁻¹⁰⁰ and 2¹⁰⁰: a reflector made from subnormal squares would not be
// orthogonal, and dropping entries of 2⁻⁴⁵⁰ is far within round-off.
const negligible = 0x1p-900

// panelQR factors P = QR, Q = I − VTVᵀ, where P is a panel of rows·48 numbers, rows a
// multiple of 48, as a product of 48 Householder reflectors I − τvvᵀ.
type panelQR struct {
	r    [area]float64      // R, row-major, zero below the diagonal
	tau  [width]float64     // τ of each reflector
	gram [area]float64      // VᵀV
	part [2][]kernel.Vector // sums over chunks, for odd and even columns
	sq   [][]float64        // VᵀV over chunks
}

// factor replaces p by V: unit lower trapezoidal, with explicit zeros and ones.
//
// The rows are cut into at most 16 chunks, independent of the number of workers, and
// sums over all rows are sums over chunks, in order. Every goroutine goes over its own
// chunks once per column: it applies the reflector of the column before and adds up
// the products of the next column x with all that follow, xᵀx among them. These give
// the next reflector v = x/(α−β), and what it takes from column j,
//
//	w[j] = τ(p[c,j] + xᵀp[·,j]/(α−β)).
//
// All goroutines compute it, and wait for each other once per column.
func (f *panelQR) factor(k *kernel.Set, p []float64, team *team) {
	rows := len(p) / width
	chunk := (rows/width + 15) / 16 * width
	chunks := (rows + chunk - 1) / chunk
	if len(f.sq) < chunks {
		f.part = [2][]kernel.Vector{make([]kernel.Vector, 16), make([]kernel.Vector, 16)}
		f.sq = make([][]float64, 16)
		for q := range f.sq {
			f.sq[q] = make([]float64, area)
		}
	}
	clear(f.r[:])
	workers := min(team.size, chunks)
	var meet barrier
	team.run(workers, func(_, id int) { f.work(k, p, chunk, chunks, id, workers, &meet) })
	clear(f.gram[:])
	for _, s := range f.sq[:chunks] {
		for i, x := range s {
			f.gram[i] += x
		}
	}
}

// work is the part of one of the goroutines: the chunks id, id+workers, ...
func (f *panelQR) work(k *kernel.Set, p []float64, chunk, chunks, id, workers int, meet *barrier) {
	rows := len(p) / width
	var w kernel.Vector       // what the reflector of column c takes from row c
	var scales [width]float64 // v = scale·(what is in the column)
	for c := range width {
		part := f.part[c%2]
		last := max(c-1, 0)
		for q := id; q < chunks; q += workers {
			begin, end := q*chunk, min((q+1)*chunk, rows)
			if q == 0 {
				// Rows up to c−1 are done; row c is updated, but no part of x.
				if c > 0 {
					row := p[c*width : (c+1)*width]
					v := row[last] * scales[last]
					for j := c; j < width; j++ {
						row[j] -= v * w[j]
					}
				}
				begin = c + 1
			}
			part[q] = kernel.Vector{}
			if begin < end {
				k.PanelStep(end-begin, p[begin*width:], last, c, scales[last], &w, &part[q])
			}
		}
		meet.wait(workers, c+1)

		var sum kernel.Vector
		for q := range chunks {
			for j := c; j < width; j++ {
				sum[j] += part[q][j]
			}
		}
		row := p[c*width : (c+1)*width]
		alpha, beta, tau, scale := row[c], row[c], 0.0, 0.0
		if sum[c] > negligible {
			beta = -math.Copysign(math.Sqrt(alpha*alpha+sum[c]), alpha)
			tau = (beta - alpha) / beta
			scale = 1 / (alpha - beta)
		}
		w = kernel.Vector{}
		for j := c + 1; j < width; j++ {
			w[j] = tau * (row[j] + scale*sum[j])
		}
		scales[c] = scale
		if id == 0 {
			f.tau[c] = tau
			r := f.r[c*width : (c+1)*width]
			r[c] = beta
			for j := c + 1; j < width; j++ {
				r[j] = row[j] - w[j]
			}
		}
	}
	// Nobody writes to the first 48 rows before all have read the last of them.
	meet.wait(workers, width+1)
	for q := id; q < chunks; q += workers {
		begin, end := q*chunk, min((q+1)*chunk, rows)
		for r := begin; r < end; r++ {
			row := (*kernel.Vector)(p[r*width:])
			for j := range row {
				switch {
				case r > j:
					row[j] *= scales[j]
				case r == j:
					row[j] = 1
				default:
					row[j] = 0
				}
			}
		}
		clear(f.sq[q])
		k.MulTN64(end-begin, p[begin*width:], p[begin*width:], f.sq[q], nil)
	}
}

// triangle returns T, upper triangular, of the compact form Q = I − VTVᵀ.
func (f *panelQR) triangle(t []float64) {
	clear(t)
	for j := range width {
		t[j*width+j] = f.tau[j]
		for i := range j {
			var s float64
			for l := i; l < j; l++ {
				s += t[i*width+l] * f.gram[l*width+j]
			}
			t[i*width+j] = -f.tau[j] * s
		}
	}
}
