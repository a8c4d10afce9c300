package noise

import (
	"context"
	"math"

	"sgdlab/pkg/problem"
)

// differences is the finite sum whose gradients are (g₂ₘ₋₁−g₂ₘ)/√2 of a covariance, in
// its precision. It delivers all of them, whatever x and idx.
type differences struct{ c *Covariance }

func (s differences) Dim() int     { return s.c.dim }
func (s differences) Samples() int { return s.c.Samples() / 2 }

func (s differences) PerSampleGradients(ctx context.Context, _ []float64, idx []int, yield func(problem.Block) error) error {
	d := s.c.dim
	const rows = blockRows / 2
	var f64 []float64
	var f32 []float32
	if s.c.dtype == Float64 {
		f64 = make([]float64, rows*d)
	} else {
		f32 = make([]float32, rows*d)
	}
	// Chunks have an even number of rows, but for the last.
	return s.c.chunks(ctx, func(part chunk) error {
		for start := 0; start+1 < part.n; start += blockRows {
			n := min(rows, (part.n-start)/2)
			for i := range n {
				even, odd := (start+2*i)*d, (start+2*i+1)*d
				for j := range d {
					if f64 != nil {
						f64[i*d+j] = (part.f64[even+j] - part.f64[odd+j]) * math.Sqrt2 / 2
					} else {
						f32[i*d+j] = float32((float64(part.f32[even+j]) - float64(part.f32[odd+j])) * math.Sqrt2 / 2)
					}
				}
			}
			block := problem.Block{Index: idx[:n], Dim: d}
			if f64 != nil {
				block.F64 = f64[:n*d]
			} else {
				block.F32 = f32[:n*d]
			}
			idx = idx[n:]
			if err := yield(block); err != nil {
				return err
			}
		}
		return nil
	})
}
