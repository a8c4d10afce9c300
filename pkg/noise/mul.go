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
	r, m := v.Dims()
	checkLen("a column of v", r, c.dim)
	if dst.IsEmpty() {
		dst.ReuseAs(c.dim, m)
	}
	if rows, cols := dst.Dims(); rows != c.dim || cols != m {
		panic(fmt.Sprintf("noise: dimension mismatch: dst is %d×%d, want %d×%d", rows, cols, c.dim, m))
	}

	// The kernels know no edges: rows, d and m are rounded up to whole tiles and the
	// rest is zero.
	ld, lm := roundUp(c.dim, tileRows), roundUp(m, tileCols)
	buf := make([]float64, blockRows*ld) // centred gradients
	vec := make([]float64, c.dim*lm)     // V
	w := make([]float64, blockRows*lm)   // (G−g)V
	sum := make([]float64, ld*lm)        // (G−g)ᵀ(G−g)V
	for i := range c.dim {
		copy(vec[i*lm:], v.RawRowView(i))
	}
	const strip = 16 * tileRows // columns of one task
	err := c.chunks(ctx, func(part chunk) error {
		for start := 0; start < part.n; start += blockRows {
			rows := min(blockRows, part.n-start)
			parallel(c.workers, roundUp(rows, tileRows)/tileRows, func(task int) {
				first := task * tileRows
				for i := first; i < first+tileRows; i++ {
					if i < rows {
						c.centreTo(buf[i*ld:], part, start+i, 0, c.dim)
					} else {
						clear(buf[i*ld : (i+1)*ld])
					}
				}
				clear(w[first*lm : (first+tileRows)*lm])
				for j := 0; j < lm; j += tileCols {
					inner(c.dim, buf[first*ld:], ld, vec[j:], lm, w[first*lm+j:], lm)
				}
			})
			parallel(c.workers, (ld+strip-1)/strip, func(task int) {
				for i := task * strip; i < min(ld, (task+1)*strip); i += tileRows {
					for j := 0; j < lm; j += tileCols {
						outer(rows, buf[i:], ld, w[j:], lm, sum[i*lm+j:], lm)
					}
				}
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	scale := 1 / float64(c.Samples())
	for i := range c.dim {
		floats.ScaleTo(dst.RawRowView(i), scale, sum[i*lm:i*lm+m])
	}
	return nil
}

func roundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
