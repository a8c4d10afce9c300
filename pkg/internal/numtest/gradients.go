package numtest

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"sgdlab/pkg/problem"
)

// Gradients is a [problem.FiniteSum] with given per-sample gradients, the same at
// every x: the rows of G (N×d). It delivers them in blocks of BlockRows rows (0 means
// all at once), in float32 if Single is set.
type Gradients struct {
	G         *mat.Dense
	BlockRows int
	Single    bool
	Err       error // returned after the first block, if not nil
	Passes    int   // number of calls so far
}

var _ problem.FiniteSum = (*Gradients)(nil)

// Dim returns d.
func (p *Gradients) Dim() int { _, d := p.G.Dims(); return d }

// Samples returns N.
func (p *Gradients) Samples() int { n, _ := p.G.Dims(); return n }

// PerSampleGradients delivers the rows idx of G, see [problem.FiniteSum]. The memory
// of a block is overwritten after yield returns.
func (p *Gradients) PerSampleGradients(ctx context.Context, x []float64, idx []int, yield func(problem.Block) error) error {
	p.Passes++
	d := p.Dim()
	if len(x) != d {
		panic(fmt.Sprintf("numtest: dimension mismatch: x has length %d, want %d", len(x), d))
	}
	if idx == nil {
		for k := range p.Samples() {
			idx = append(idx, k)
		}
	}
	size := p.BlockRows
	if size == 0 {
		size = max(1, len(idx))
	}
	block := problem.Block{Dim: d}
	f64, f32 := make([]float64, size*d), make([]float32, size*d)
	for len(idx) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		block.Index = idx[:min(size, len(idx))]
		for i, k := range block.Index {
			for j, v := range p.G.RawRowView(k) {
				f64[i*d+j], f32[i*d+j] = v, float32(v)
			}
		}
		if p.Single {
			block.F32 = f32[:block.Rows()*d]
		} else {
			block.F64 = f64[:block.Rows()*d]
		}
		if err := yield(block); err != nil {
			return err
		}
		if p.Err != nil {
			return p.Err
		}
		idx = idx[block.Rows():]
	}
	return nil
}
