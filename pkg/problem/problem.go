package problem

import (
	"context"
	"fmt"
)

// Block holds per-sample gradients, one row per sample, in the convention of the
// mean loss: row i is ∇fₖ for k = Index[i], not ∇fₖ/N.
//
// The rows are row-major, Rows()×Dim, in exactly one of F64 and F32; the other is
// nil. A Block is valid only during the yield call that delivers it: copy what
// must live longer.
//
//	err := problem.T1().PerSampleGradients(ctx, []float64{1, 1}, nil, func(b problem.Block) error {
//		fmt.Println(b.Index, b.RowTo(nil, 0))
//		return nil
//	})
type Block struct {
	Index []int     // sample of each row
	Dim   int       // d, the length of a row
	F64   []float64 // Rows()×Dim, or nil
	F32   []float32 // Rows()×Dim, or nil
}

// Rows returns the number of samples in b.
func (b Block) Rows() int { return len(b.Index) }

// RowTo stores row i of b, widened to float64, in dst and returns dst. A nil dst
// is allocated. It panics if dst has another length than b.Dim or i is not a row.
func (b Block) RowTo(dst []float64, i int) []float64 {
	if dst == nil {
		dst = make([]float64, b.Dim)
	}
	if len(dst) != b.Dim {
		panic(fmt.Sprintf("problem: dimension mismatch: dst has length %d, want %d", len(dst), b.Dim))
	}
	if i < 0 || i >= b.Rows() {
		panic(fmt.Sprintf("problem: row %d of a block of %d rows", i, b.Rows()))
	}
	if b.F64 != nil {
		copy(dst, b.F64[i*b.Dim:(i+1)*b.Dim])
		return dst
	}
	for j, g := range b.F32[i*b.Dim : (i+1)*b.Dim] {
		dst[j] = float64(g)
	}
	return dst
}

// FiniteSum is a loss f(x) = (1/N) Σₖ fₖ(x) that delivers its per-sample
// gradients: a network on a data set or one of the toys of this package.
// [chaudhari2018] eq. (1).
//
//	var f problem.FiniteSum = problem.T1()
//	D, err := noise.NewCovariance(ctx, f, []float64{1, 1}, nil)
type FiniteSum interface {
	// Dim is d, the number of weights.
	Dim() int
	// Samples is N, the number of terms.
	Samples() int
	// PerSampleGradients computes ∇fₖ(x) for every k in idx, in the order of
	// idx, and hands them over in blocks; nil idx means 0..N−1. Repeated samples
	// are allowed. The blocks partition the rows, in order; their sizes are the
	// implementation's choice. An error of yield or of ctx stops the work and is
	// returned.
	PerSampleGradients(ctx context.Context, x []float64, idx []int, yield func(Block) error) error
}
