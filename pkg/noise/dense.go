package noise

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/syrk"
	"sgdlab/pkg/internal/tall"
)

// DenseTo stores D (d×d, centred, divided by N) in dst; an empty dst is made d×d.
//
// The products are in float64 if [Covariance.Products] says so. Otherwise the gradients
// are centred in float64, rounded to float32, multiplied in float32 in runs of 128
// rows, and the runs added in float64: an entry is off by about 10⁻⁷·√(DᵢᵢDⱼⱼ)
// or less, and the difference can be measured with [Covariance.MulTo].
//
// It panics if dst is not d×d, and returns an error only if the context or the
// computation of the gradients fails. Cost O(N·d²) and 8d² bytes, and up to 600 MB.
func (c *Covariance) DenseTo(ctx context.Context, dst *mat.SymDense) error {
	reuse(dst, c.dim)
	sum := lowerOf(dst)
	// Every update goes through all of sum, so it has the rows of several chunks.
	const chunks = 4
	rows := min(chunks*c.chunkRows(), c.Samples())
	var f64 []float64
	var f32 []float32
	if c.Products() == Float64 {
		f64 = make([]float64, rows*c.dim)
	} else {
		f32 = make([]float32, rows*c.dim)
	}
	held, left := 0, c.Samples()
	err := c.chunks(ctx, func(part chunk) error {
		tall.Parallel(c.workers, part.n, func(i int) {
			at := (held + i) * c.dim
			if f64 != nil {
				c.centreTo(f64[at:], part, i, 0, c.dim)
				return
			}
			for j, g := range part.f32[i*c.dim : (i+1)*c.dim] {
				f32[at+j] = float32(float64(g) - c.mean[j])
			}
		})
		held += part.n
		left -= part.n
		if held < rows && left > 0 {
			return nil
		}
		if f64 != nil {
			syrk.Lower64(sum, f64[:held*c.dim], held, c.dim, c.workers)
		} else {
			syrk.Lower32(sum, f32[:held*c.dim], held, c.dim, c.workers)
		}
		held = 0
		return nil
	})
	if err != nil {
		return err
	}
	c.finish(dst, sum)
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
	sum := lowerOf(dst)
	// K = Σⱼaⱼaⱼᵀ over the columns a of the centred gradients: columns are collected
	// in strips, transposed.
	width := c.maxBytes
	if c.Kept() {
		width = chunkBytes
	}
	width = min(int64(c.dim), max(1, width/(int64(n)*c.Products().bytes())))
	for lo := 0; lo < c.dim; lo += int(width) {
		hi := min(c.dim, lo+int(width))
		if err := c.addStrip(ctx, sum, lo, hi); err != nil {
			return err
		}
	}
	c.finish(dst, sum)
	return nil
}

// addStrip adds the products of columns lo ≤ j < hi of the centred gradients to the lower
// triangle of sum.
func (c *Covariance) addStrip(ctx context.Context, sum []float64, lo, hi int) error {
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
		tall.Parallel(c.workers, (part.n+tile-1)/tile, func(task int) {
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
	if f64 != nil {
		syrk.Lower64(sum, f64, hi-lo, n, c.workers)
	} else {
		syrk.Lower32(sum, f32, hi-lo, n, c.workers)
	}
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

// lowerOf returns n×n zeros, row-major, of which the lower triangle is to be filled: the
// memory of dst itself if its rows are adjacent.
func lowerOf(dst *mat.SymDense) []float64 {
	sym := dst.RawSymmetric()
	if sym.Stride != sym.N {
		return make([]float64, sym.N*sym.N)
	}
	sum := sym.Data[:sym.N*sym.N]
	clear(sum)
	return sum
}

// finish stores the lower triangle of sum, divided by N, in the upper triangle of dst.
func (c *Covariance) finish(dst *mat.SymDense, sum []float64) {
	sym := dst.RawSymmetric()
	n, scale := sym.N, 1/float64(c.Samples())
	const tile = 64
	tiles := (n + tile - 1) / tile
	tall.Parallel(c.workers, tiles*(tiles+1)/2, func(task int) {
		p, q := triangle(task)
		for i := p * tile; i < min(n, (p+1)*tile); i++ {
			for j := q * tile; j < min(i+1, (q+1)*tile); j++ {
				sym.Data[j*sym.Stride+i] = scale * sum[i*n+j]
			}
		}
	})
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
