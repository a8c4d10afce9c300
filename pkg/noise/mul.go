package noise

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/internal/tall"
)

// MulVecTo stores D·v in dst, both of length d, without forming D:
//
//	Dv = (1/N) Σₖ (gₖ−g) ((gₖ−g)·v).
//
// It works in float64 whatever the precision of the gradients. dst may be v. It panics
// if dst or v has another length than d, and returns an error only if the context or
// the computation of the gradients fails. Cost O(N·d).
func (c *Covariance) MulVecTo(ctx context.Context, dst, v []float64) error {
	checkLen("dst", len(dst), c.dim)
	checkLen("v", len(v), c.dim)
	sum := make([]float64, c.dim)
	buf := make([]float64, blockRows*c.dim)
	var w [blockRows]float64
	const strip = 512 // columns of one task
	err := c.chunks(ctx, func(part chunk) error {
		for start := 0; start < part.n; start += blockRows {
			rows := min(blockRows, part.n-start)
			tall.Parallel(c.workers, rows, func(i int) {
				row := buf[i*c.dim : (i+1)*c.dim]
				c.centreTo(row, part, start+i, 0, c.dim)
				w[i] = floats.Dot(row, v)
			})
			tall.Parallel(c.workers, (c.dim+strip-1)/strip, func(task int) {
				lo, hi := task*strip, min(c.dim, (task+1)*strip)
				for i := range rows {
					floats.AddScaled(sum[lo:hi], w[i], buf[i*c.dim+lo:i*c.dim+hi])
				}
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	floats.ScaleTo(dst, 1/float64(c.Samples()), sum)
	return nil
}

// MulTo stores D·V in dst without forming D. The columns of V (d×m) are m vectors; an
// empty dst is made d×m. It reads the gradients once for all of them and is the way to
// multiply more than a few. It works in float64 whatever the precision of the
// gradients. dst may be v.
//
// It panics if dst or v has the wrong size, and returns an error only if the context or
// the computation of the gradients fails. Cost O(N·d·m), memory for 8d·(256 + 2m) bytes.
func (c *Covariance) MulTo(ctx context.Context, dst, v *mat.Dense) error {
	p := newProduct(c, checkBlock(dst, v, c.dim), tall.Cols64, tall.Inner64, tall.Outer64)
	vec := p.pad(v)
	sum := make([]float64, p.ld*p.lm) // (G−g)ᵀ(G−g)V
	err := c.blocks(ctx, func(part chunk, start, rows int) {
		p.timesVec(part, start, rows, vec)
		p.addTransposed(rows, sum)
	})
	if err != nil {
		return err
	}
	p.storeTo(dst, sum)
	return nil
}

// QuickMulTo is [Covariance.MulTo] in the precision [Covariance.Products]: for float32
// gradients, unless Settings.Float64Products is set, it multiplies in float32 and adds
// the sums over a thousand rows in float64. That is about twice as fast, and the result
// is off by about 10⁻⁷·‖D‖₂·‖v‖ for a vector v.
//
// Where ‖g‖² is far below tr D it multiplies the gradients where they are, not a centred
// copy: Dv = (1/N) Σₖ gₖ((gₖ−g)·v) as well, since the factors of gₖ have the sum 0.
func (c *Covariance) QuickMulTo(ctx context.Context, dst, v *mat.Dense) error {
	if c.Products() == Float64 {
		return c.MulTo(ctx, dst, v)
	}
	p := newProduct(c, checkBlock(dst, v, c.dim), tall.Cols32, tall.Inner32, tall.Outer32)
	vec := p.pad(v)
	if floats.Dot(c.mean, c.mean) <= negligible*c.trace {
		p.meanTimes = p.rowTimes(c.mean, v)
		clear(p.mean)
	}
	recent, sum := make([]float32, p.ld*p.lm), make([]float64, p.ld*p.lm)
	const many = 4 // blocks that are added in float32
	pending := 0
	flush := func() {
		const strip = 1 << 14
		tall.Parallel(c.workers, (len(sum)+strip-1)/strip, func(task int) {
			lo, hi := task*strip, min(len(sum), (task+1)*strip)
			for i, s := range recent[lo:hi] {
				sum[lo+i] += float64(s)
			}
			clear(recent[lo:hi])
		})
		pending = 0
	}
	err := c.blocks(ctx, func(part chunk, start, rows int) {
		p.timesVec(part, start, rows, vec)
		p.addTransposed(rows, recent)
		if pending++; pending == many {
			flush()
		}
	})
	if err != nil {
		return err
	}
	flush()
	p.storeTo(dst, sum)
	return nil
}

// GramMulTo stores K·V in dst without forming K, the Gram matrix of
// [Covariance.GramTo]. The columns of V (N×m) are m vectors; an empty dst is made N×m.
// It reads the gradients twice, and works in float64 whatever their precision. dst may
// be v.
//
// It panics if dst or v has the wrong size, and returns an error only if the context or
// the computation of the gradients fails. Cost O(N·d·m).
func (c *Covariance) GramMulTo(ctx context.Context, dst, v *mat.Dense) error {
	p := newProduct(c, checkBlock(dst, v, c.Samples()), tall.Cols64, tall.Inner64, tall.Outer64)
	vec := p.pad(v)
	combined := make([]float64, p.ld*p.lm) // (G−g)ᵀV
	product := make([]float64, c.Samples()*p.lm)
	done := 0
	err := c.blocks(ctx, func(part chunk, start, rows int) {
		p.load(part, start, rows)
		copy(p.w, vec[done*p.lm:(done+rows)*p.lm])
		p.addTransposed(rows, combined)
		done += rows
	})
	if err != nil {
		return err
	}
	done = 0
	err = c.blocks(ctx, func(part chunk, start, rows int) {
		p.timesVec(part, start, rows, combined)
		copy(product[done*p.lm:], p.w[:rows*p.lm])
		done += rows
	})
	if err != nil {
		return err
	}
	p.storeTo(dst, product)
	return nil
}

// blocks calls visit with all gradients in order, rows start ≤ i < start+rows of a chunk.
func (c *Covariance) blocks(ctx context.Context, visit func(part chunk, start, rows int)) error {
	return c.chunks(ctx, func(part chunk) error {
		for start := 0; start < part.n; start += blockRows {
			if err := ctx.Err(); err != nil {
				return err
			}
			visit(part, start, min(blockRows, part.n-start))
		}
		return nil
	})
}

// checkBlock returns the number of columns of v, which must have the given rows; an
// empty dst gets the size of v.
func checkBlock(dst, v *mat.Dense, rows int) int {
	r, m := v.Dims()
	checkLen("a column of v", r, rows)
	if dst.IsEmpty() {
		dst.ReuseAs(rows, m)
	}
	if dr, dc := dst.Dims(); dr != rows || dc != m {
		panic(fmt.Sprintf("noise: dimension mismatch: dst is %d×%d, want %d×%d", dr, dc, rows, m))
	}
	return m
}

// product multiplies blocks of centred gradients with m vectors. The kernels know no
// edges: rows, d and m are rounded up to whole tiles and the rest is zero.
//
// Copies of gradients lie in panels of panelCols columns, each contiguous, so that both
// products, along rows and along columns, find what they need next to each other.
type product[T float32 | float64] struct {
	c            *Covariance
	m            int
	cols         int       // of a tile
	ld, lm       int       // d and m, rounded up
	buf          []T       // panels, blockRows×panelCols
	w            []T       // one number for every row and vector, blockRows×lm
	mean         []float32 // to be subtracted from float32 gradients
	meanTimes    []T       // gᵀV if the gradients are not centred, but their products; or nil
	inner, outer func(n int, a []T, lda int, b []T, ldb int, c []T, ldc int)

	// The current block: element (i, j) is at rows[j/panelCols·nextPanel + i·nextRow + j%panelCols].
	rows               []T
	nextRow, nextPanel int
}

// negligible is ‖g‖²/tr D up to which gradients need not be centred: the errors of float32
// products, which grow with √(tr D + ‖g‖²), hardly notice, and gᵀv, rounded, moves Dv by at
// most 2⁻²⁴‖g‖²‖v‖ ≤ 6·10⁻¹⁰·tr D·‖v‖.
const negligible = 0.01

const (
	panelCols = 128
	panelSize = (blockRows + 1) * panelCols // one row more, or all panels compete for the same cache lines
)

func newProduct[T float32 | float64](c *Covariance, m, cols int, inner, outer func(n int, a []T, lda int, b []T, ldb int, c []T, ldc int)) *product[T] {
	p := &product[T]{c: c, m: m, cols: cols, ld: tall.RoundUp(c.dim, tall.Rows), lm: tall.RoundUp(m, cols), inner: inner, outer: outer}
	p.buf = make([]T, (c.dim+panelCols-1)/panelCols*panelSize)
	p.w = make([]T, blockRows*p.lm)
	p.mean = make([]float32, c.dim)
	for j, g := range c.mean {
		p.mean[j] = float32(g)
	}
	return p
}

// pad returns v with rows of length lm.
func (p *product[T]) pad(v *mat.Dense) []T {
	rows, _ := v.Dims()
	padded := make([]T, rows*p.lm)
	for i := range rows {
		for j, x := range v.RawRowView(i) {
			padded[i*p.lm+j] = T(x)
		}
	}
	return padded
}

// storeTo stores the first m columns of padded/N in dst.
func (p *product[T]) storeTo(dst *mat.Dense, padded []float64) {
	scale := 1 / float64(p.c.Samples())
	rows, _ := dst.Dims()
	for i := range rows {
		floats.ScaleTo(dst.RawRowView(i), scale, padded[i*p.lm:i*p.lm+p.m])
	}
}

// centre stores columns lo ≤ j < hi of row i of part, minus the mean, in dst. In float32
// the mean is rounded first. That moves all rows by the same δ, |δⱼ| ≤ 2⁻²⁵|gⱼ|, and D by
// δδᵀ: nothing.
func (p *product[T]) centre(dst []T, part chunk, i, lo, hi int) {
	switch dst := any(dst).(type) {
	case []float64:
		p.c.centreTo(dst, part, i, lo, hi)
	case []float32:
		tall.Sub32(dst[:hi-lo], part.f32[i*p.c.dim+lo:], p.mean[lo:])
	}
}

// tiles calls work for every group of rows of the block start ≤ i < start+rows of part, a
// multiple of a tile. The block is part itself where that need not be centred, else a
// copy. A block near the end of all gradients is always copied: a tile may reach beyond
// the last column, and there may be nothing to read behind it.
func (p *product[T]) tiles(part chunk, start, rows int, work func(first, end int)) {
	const group = 4 * tall.Rows
	behind := (p.c.Samples() - part.first - start - rows) * p.c.dim
	inPlace := p.meanTimes != nil && behind >= beyond
	if inPlace {
		all := any(part.f32[:cap(part.f32)]).([]T)
		p.rows, p.nextRow, p.nextPanel = all[start*p.c.dim:], p.c.dim, panelCols
	} else {
		p.rows, p.nextRow, p.nextPanel = p.buf, panelCols, panelSize
	}
	tall.Parallel(p.c.workers, (rows+group-1)/group, func(task int) {
		first, end := task*group, min((task+1)*group, tall.RoundUp(rows, tall.Rows))
		if !inPlace {
			p.fill(part, start, rows, first, end)
		}
		work(first, end)
	})
}

// fill copies rows first ≤ i < end of a block to the buffer, centred, and zeros beyond its
// last row.
func (p *product[T]) fill(part chunk, start, rows, first, end int) {
	for i := first; i < end; i++ {
		for lo := 0; lo < p.c.dim; lo += panelCols {
			at := lo/panelCols*panelSize + i*panelCols
			if row := p.buf[at : at+panelCols]; i < rows {
				p.centre(row, part, start+i, lo, min(lo+panelCols, p.c.dim))
			} else {
				clear(row)
			}
		}
	}
}

// rowTimes returns xᵀV, lm numbers, for a vector x.
func (p *product[T]) rowTimes(x []float64, v *mat.Dense) []T {
	sum := make([]float64, p.m)
	for i, t := range x {
		floats.AddScaled(sum, t, v.RawRowView(i))
	}
	result := make([]T, p.lm)
	for j, s := range sum {
		result[j] = T(s)
	}
	return result
}

// load fills the buffer.
func (p *product[T]) load(part chunk, start, rows int) {
	p.tiles(part, start, rows, func(int, int) {})
}

// timesVec sets w to the product of a block of gradients, centred, with vec (d×lm).
func (p *product[T]) timesVec(part chunk, start, rows int, vec []T) {
	p.tiles(part, start, rows, func(first, end int) {
		clear(p.w[first*p.lm : end*p.lm])
		for lo := 0; lo < p.c.dim; lo += panelCols {
			n := min(panelCols, p.c.dim-lo)
			for i := first; i < end; i += tall.Rows {
				for j := 0; j < p.lm; j += p.cols {
					p.inner(n, p.rows[lo/panelCols*p.nextPanel+i*p.nextRow:], p.nextRow, vec[lo*p.lm+j:], p.lm, p.w[i*p.lm+j:], p.lm)
				}
			}
		}
		if p.meanTimes != nil {
			for i := first; i < end; i++ {
				w := p.w[i*p.lm : (i+1)*p.lm]
				for j, m := range p.meanTimes {
					w[j] -= m
				}
			}
		}
	})
}

// addTransposed adds the transposed block times w to sum (ld×lm).
func (p *product[T]) addTransposed(rows int, sum []T) {
	const strip = 128 // rows of which one line each stays in the first cache
	tall.Parallel(p.c.workers, (p.ld+panelCols-1)/panelCols, func(task int) {
		lo := task * panelCols
		for k := 0; k < rows; k += strip {
			for i := lo; i < min(p.ld, lo+panelCols); i += tall.Rows {
				for j := 0; j < p.lm; j += p.cols {
					p.outer(min(strip, rows-k), p.rows[task*p.nextPanel+k*p.nextRow+i-lo:], p.nextRow, p.w[k*p.lm+j:], p.lm, sum[i*p.lm+j:], p.lm)
				}
			}
		}
	})
}
