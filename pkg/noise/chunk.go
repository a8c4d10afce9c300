package noise

import (
	"context"

	"sgdlab/pkg/internal/tall"
	"sgdlab/pkg/problem"
)

// Gradients are processed in chunks of about chunkBytes, and within a chunk in blocks
// of blockRows rows that are centred and widened to float64 while they are in the cache.
// Chunks begin at the same rows whether the gradients are kept or computed again, so
// that both give the same bits.
const (
	chunkBytes = 64 << 20
	blockRows  = 256
)

// beyond is how many numbers after the end of a block of float32 gradients must be there
// to be read if it is multiplied in place: a tile is Rows columns wide. What they are does
// not matter.
const beyond = tall.Rows

// chunk is a run of gradients, row-major n×d, in exactly one of f64 and f32.
type chunk struct {
	first int // its first gradient among all of them
	n     int
	f64   []float64
	f32   []float32
}

// chunkRows returns the number of rows of a full chunk, a multiple of blockRows.
func (c *Covariance) chunkRows() int {
	rows := int(chunkBytes / (int64(c.dim) * c.dtype.bytes()))
	return max(1, rows/blockRows) * blockRows
}

// chunks calls visit with all gradients in order.
func (c *Covariance) chunks(ctx context.Context, visit func(chunk) error) error {
	if c.closed {
		return errClosed
	}
	size := c.chunkRows()
	if c.Kept() {
		for start := 0; start < c.Samples(); start += size {
			if err := ctx.Err(); err != nil {
				return err
			}
			part := chunk{first: start, n: min(size, c.Samples()-start)}
			lo, hi := start*c.dim, (start+part.n)*c.dim
			if c.f64 != nil {
				part.f64 = c.f64[lo:hi]
			} else {
				part.f32 = c.f32[lo:hi]
			}
			if err := visit(part); err != nil {
				return err
			}
		}
		return nil
	}

	var held chunk
	size = min(size, c.Samples())
	if c.dtype == Float64 {
		held.f64 = make([]float64, 0, size*c.dim)
	} else {
		held.f32 = make([]float32, 0, size*c.dim+beyond)
	}
	return c.pass(ctx, func(start int, b problem.Block) error {
		for first := 0; first < b.Rows(); {
			n := min(size-held.n, b.Rows()-first)
			lo, hi := first*c.dim, (first+n)*c.dim
			if c.dtype == Float64 {
				held.f64 = append(held.f64, b.F64[lo:hi]...)
			} else {
				held.f32 = append(held.f32, b.F32[lo:hi]...)
			}
			held.n += n
			first += n
			if held.n < size && start+first < c.Samples() {
				continue
			}
			if err := visit(held); err != nil {
				return err
			}
			held.first += held.n
			held.n, held.f64, held.f32 = 0, held.f64[:0], held.f32[:0]
		}
		return nil
	})
}

// centreTo stores columns lo ≤ j < hi of row i of part, minus the mean, in dst.
func (c *Covariance) centreTo(dst []float64, part chunk, i, lo, hi int) {
	mean := c.mean[lo:hi]
	dst = dst[:len(mean)]
	if part.f64 != nil {
		row := part.f64[i*c.dim+lo : i*c.dim+hi]
		for j, m := range mean {
			dst[j] = row[j] - m
		}
		return
	}
	row := part.f32[i*c.dim+lo : i*c.dim+hi]
	for j, m := range mean {
		dst[j] = float64(row[j]) - m
	}
}
