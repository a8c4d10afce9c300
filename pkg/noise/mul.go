package noise

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
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
			parallel(c.workers, rows, func(i int) {
				row := buf[i*c.dim : (i+1)*c.dim]
				c.centreTo(row, part, start+i, 0, c.dim)
				w[i] = floats.Dot(row, v)
			})
			parallel(c.workers, (c.dim+strip-1)/strip, func(task int) {
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
// the computation of the gradients fails. Cost O(N·d·m).
func (c *Covariance) MulTo(ctx context.Context, dst, v *mat.Dense) error {
	m := checkBlock(dst, v, c.dim)
	p := c.newProduct(m)
	vec := p.pad(v)
	sum := make([]float64, p.ld*p.lm) // (G−g)ᵀ(G−g)V
	err := c.chunks(ctx, func(part chunk) error {
		for start := 0; start < part.n; start += blockRows {
			rows := min(blockRows, part.n-start)
			p.timesVec(part, start, rows, vec)
			p.addTransposed(rows, sum)
		}
		return nil
	})
	if err != nil {
		return err
	}
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
	m := checkBlock(dst, v, c.Samples())
	p := c.newProduct(m)
	vec := p.pad(v)
	combined := make([]float64, p.ld*p.lm) // (G−g)ᵀV
	product := make([]float64, c.Samples()*p.lm)
	done := 0
	err := c.chunks(ctx, func(part chunk) error {
		for start := 0; start < part.n; start += blockRows {
			rows := min(blockRows, part.n-start)
			p.load(part, start, rows)
			copy(p.w, vec[done*p.lm:(done+rows)*p.lm])
			p.addTransposed(rows, combined)
			done += rows
		}
		return nil
	})
	if err != nil {
		return err
	}
	done = 0
	err = c.chunks(ctx, func(part chunk) error {
		for start := 0; start < part.n; start += blockRows {
			rows := min(blockRows, part.n-start)
			p.timesVec(part, start, rows, combined)
			copy(product[done*p.lm:], p.w[:rows*p.lm])
			done += rows
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.storeTo(dst, product)
	return nil
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
type product struct {
	c      *Covariance
	m      int
	ld, lm int       // d and m, rounded up
	buf    []float64 // centred gradients, blockRows×ld
	w      []float64 // one number for every row and vector, blockRows×lm
}

func (c *Covariance) newProduct(m int) *product {
	p := &product{c: c, m: m, ld: roundUp(c.dim, tileRows), lm: roundUp(m, tileCols)}
	p.buf = make([]float64, blockRows*p.ld)
	p.w = make([]float64, blockRows*p.lm)
	return p
}

// pad returns v with rows of length lm.
func (p *product) pad(v *mat.Dense) []float64 {
	rows, _ := v.Dims()
	padded := make([]float64, rows*p.lm)
	for i := range rows {
		copy(padded[i*p.lm:], v.RawRowView(i))
	}
	return padded
}

// storeTo stores the first m columns of padded/N in dst.
func (p *product) storeTo(dst *mat.Dense, padded []float64) {
	scale := 1 / float64(p.c.Samples())
	rows, _ := dst.Dims()
	for i := range rows {
		floats.ScaleTo(dst.RawRowView(i), scale, padded[i*p.lm:i*p.lm+p.m])
	}
}

// tiles calls work for every tile of rows of the buffer, after filling it with the
// centred gradients start ≤ i < start+rows of part.
func (p *product) tiles(part chunk, start, rows int, work func(first int)) {
	parallel(p.c.workers, roundUp(rows, tileRows)/tileRows, func(task int) {
		first := task * tileRows
		for i := first; i < first+tileRows; i++ {
			if i < rows {
				p.c.centreTo(p.buf[i*p.ld:], part, start+i, 0, p.c.dim)
			} else {
				clear(p.buf[i*p.ld : (i+1)*p.ld])
			}
		}
		work(first)
	})
}

// load fills the buffer.
func (p *product) load(part chunk, start, rows int) { p.tiles(part, start, rows, func(int) {}) }

// timesVec fills the buffer and sets w to its product with vec (d×lm).
func (p *product) timesVec(part chunk, start, rows int, vec []float64) {
	p.tiles(part, start, rows, func(first int) {
		clear(p.w[first*p.lm : (first+tileRows)*p.lm])
		for j := 0; j < p.lm; j += tileCols {
			inner(p.c.dim, p.buf[first*p.ld:], p.ld, vec[j:], p.lm, p.w[first*p.lm+j:], p.lm)
		}
	})
}

// addTransposed adds the transposed buffer times w to sum (ld×lm).
func (p *product) addTransposed(rows int, sum []float64) {
	const strip = 16 * tileRows // columns of one task
	parallel(p.c.workers, (p.ld+strip-1)/strip, func(task int) {
		for i := task * strip; i < min(p.ld, (task+1)*strip); i += tileRows {
			for j := 0; j < p.lm; j += tileCols {
				outer(rows, p.buf[i:], p.ld, p.w[j:], p.lm, sum[i*p.lm+j:], p.lm)
			}
		}
	})
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
