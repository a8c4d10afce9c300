package noise

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"
)

// DenseTo stores D (d×d, centred, divided by N) in dst; an empty dst is made d×d.
//
// The products are in float64 if [Covariance.Products] says so. Otherwise the gradients
// are centred in float64, rounded to float32, multiplied in float32 in runs of a few
// hundred rows, and the runs added in float64: an entry is off by about 10⁻⁷·√(DᵢᵢDⱼⱼ)
// or less, and the difference can be measured with [Covariance.MulTo].
//
// It panics if dst is not d×d, and returns an error only if the context or the
// computation of the gradients fails. Cost O(N·d²) and 8d² bytes.
func (c *Covariance) DenseTo(ctx context.Context, dst *mat.SymDense) error {
	reuse(dst, c.dim)
	m := newLower(dst)
	err := c.chunks(ctx, func(part chunk) error {
		if c.Products() == Float64 {
			m.add64(part.n, c.workers, func(dst []float64, i, lo, hi int) { c.centreTo(dst, part, i, lo, hi) })
			return nil
		}
		centred := make([]float32, part.n*c.dim)
		parallel(c.workers, part.n, func(i int) {
			row := part.f32[i*c.dim : (i+1)*c.dim]
			for j, g := range row {
				centred[i*c.dim+j] = float32(float64(g) - c.mean[j])
			}
		})
		m.add32(centred, part.n, c.workers)
		return nil
	})
	if err != nil {
		return err
	}
	m.finish(1/float64(c.Samples()), c.workers)
	return nil
}

// GramTo stores the Gram matrix K of the centred gradients (N×N),
//
//	Kᵢⱼ = (1/N) (gᵢ−g)·(gⱼ−g),
//
// in dst; an empty dst is made N×N. K and D have the same eigenvalues but for zeros:
// K has d−N of them less, and the vector (1, …, 1) is in its null space. The products
// are as precise as those of [Covariance.DenseTo].
//
// If the gradients are not kept, it computes them ⌈N·d·bytes/MaxBytes⌉ times, and the
// last bits of K depend on MaxBytes. It panics
// if dst is not N×N, and returns an error only if the context or the computation of the
// gradients fails. Cost O(N²·d) and 8N² bytes.
func (c *Covariance) GramTo(ctx context.Context, dst *mat.SymDense) error {
	n := c.Samples()
	reuse(dst, n)
	m := newLower(dst)
	// K = Σⱼaⱼaⱼᵀ over the columns a of the centred gradients: columns are collected
	// in strips, transposed.
	width := c.maxBytes
	if c.Kept() {
		width = chunkBytes
	}
	width = min(int64(c.dim), max(1, width/(int64(n)*c.Products().bytes())))
	for lo := 0; lo < c.dim; lo += int(width) {
		hi := min(c.dim, lo+int(width))
		if err := c.addStrip(ctx, m, lo, hi); err != nil {
			return err
		}
	}
	m.finish(1/float64(n), c.workers)
	return nil
}

// addStrip adds the products of columns lo ≤ j < hi of the centred gradients to m.
func (c *Covariance) addStrip(ctx context.Context, m *lower, lo, hi int) error {
	n := c.Samples()
	var f64 []float64
	var f32 []float32
	if c.Products() == Float64 {
		f64 = make([]float64, (hi-lo)*n)
	} else {
		f32 = make([]float32, (hi-lo)*n)
	}
	done := 0
	err := c.chunks(ctx, func(part chunk) error {
		const tile = 16 // rows of one task: one cache line of float32
		parallel(c.workers, (part.n+tile-1)/tile, func(task int) {
			row := make([]float64, hi-lo)
			for i := task * tile; i < min(part.n, (task+1)*tile); i++ {
				c.centreTo(row, part, i, lo, hi)
				for j, g := range row {
					if f64 != nil {
						f64[j*n+done+i] = g
					} else {
						f32[j*n+done+i] = float32(g)
					}
				}
			}
		})
		done += part.n
		return nil
	})
	if err != nil {
		return err
	}
	if f32 != nil {
		m.add32(f32, hi-lo, c.workers)
		return nil
	}
	m.add64(hi-lo, c.workers, func(dst []float64, i, lo, hi int) { copy(dst, f64[i*n+lo:i*n+hi]) })
	return nil
}

// FrobeniusNorm returns ‖D‖_F = √(tr D²) exactly, from the smaller of D and the Gram
// matrix. The population standard deviation of the d eigenvalues is
// √(‖D‖²_F/d − (tr D/d)²). It costs as much as [Covariance.DenseTo] or
// [Covariance.GramTo] and returns an error where they do.
func (c *Covariance) FrobeniusNorm(ctx context.Context) (float64, error) {
	var small mat.SymDense
	var err error
	if c.Samples() < c.dim {
		err = c.GramTo(ctx, &small)
	} else {
		err = c.DenseTo(ctx, &small)
	}
	if err != nil {
		return math.NaN(), err
	}
	return mat.Norm(&small, 2), nil
}

// lower accumulates AᵀA in the lower triangle of the memory of a SymDense.
type lower struct {
	n   int
	sum []float64 // n×n row-major; the lower triangle counts
	dst *mat.SymDense
}

func newLower(dst *mat.SymDense) *lower {
	m := &lower{n: dst.SymmetricDim(), dst: dst}
	if sym := dst.RawSymmetric(); sym.Stride == m.n {
		m.sum = sym.Data[:m.n*m.n]
		clear(m.sum)
	} else {
		m.sum = make([]float64, m.n*m.n)
	}
	return m
}

// add32 adds gᵀg in float32 products; g has the given rows of length n.
func (m *lower) add32(g []float32, rows, workers int) {
	m.add64(rows, workers, func(dst []float64, i, lo, hi int) {
		for j, v := range g[i*m.n+lo : i*m.n+hi] {
			dst[j] = float64(v)
		}
	})
}

// add64 adds AᵀA in float64 products, where rowTo stores columns lo ≤ j < hi of row i
// of A in dst.
func (m *lower) add64(rows, workers int, rowTo func(dst []float64, i, lo, hi int)) {
	const panel = 96
	panels := (m.n + panel - 1) / panel
	packed := make([]float64, panels*blockRows*panel)
	for start := 0; start < rows; start += blockRows {
		k := min(blockRows, rows-start)
		parallel(workers, panels, func(p int) {
			lo, hi := p*panel, min(m.n, (p+1)*panel)
			for i := range k {
				dst := packed[(p*blockRows+i)*panel : (p*blockRows+i+1)*panel]
				clear(dst[hi-lo:])
				rowTo(dst[:hi-lo], start+i, lo, hi)
			}
		})
		parallel(workers, panels*(panels+1)/2, func(task int) {
			p, q := triangle(task)
			a, b := packed[p*blockRows*panel:], packed[q*blockRows*panel:]
			var tile [panel * panel]float64
			for i := 0; i < panel; i += tileRows {
				for j := 0; j < panel; j += tileCols {
					outer(k, a[i:], panel, b[j:], panel, tile[i*panel+j:], panel)
				}
			}
			for i := range min(panel, m.n-p*panel) {
				row := m.sum[(p*panel+i)*m.n+q*panel:]
				for j := range min(panel, m.n-q*panel) {
					row[j] += tile[i*panel+j]
				}
			}
		})
	}
}

// triangle returns the row and column of the task-th entry of a lower triangle, counted
// row by row.
func triangle(task int) (row, col int) {
	row = int((math.Sqrt(8*float64(task)+1) - 1) / 2)
	for row*(row+1)/2 > task {
		row--
	}
	for (row+1)*(row+2)/2 <= task {
		row++
	}
	return row, task - row*(row+1)/2
}

// finish scales the sum and stores it in the upper triangle of dst.
func (m *lower) finish(scale float64, workers int) {
	sym := m.dst.RawSymmetric()
	if sym.Uplo != blas.Upper {
		panic("noise: gonum keeps the upper triangle of a SymDense")
	}
	const tile = 64
	tiles := (m.n + tile - 1) / tile
	parallel(workers, tiles*(tiles+1)/2, func(task int) {
		p, q := triangle(task)
		for i := p * tile; i < min(m.n, (p+1)*tile); i++ {
			for j := q * tile; j < min(i+1, (q+1)*tile); j++ {
				sym.Data[j*sym.Stride+i] = scale * m.sum[i*m.n+j]
			}
		}
	})
}
