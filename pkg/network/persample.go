package network

import (
	"context"

	"sgdlab/pkg/network/internal/direct"
	"sgdlab/pkg/problem"
)

// PerSampleGradients calls yield with the rows ∇fₖ(x) for k in idx, in this order, in
// blocks of at most Settings.BlockSize; nil means all samples. The block is float32 or
// float64 as Settings.DType says, row-major, and valid only during the call. About
// Settings.Workers blocks are in memory at a time.
//
// It panics if x has another length than d or an index is out of range. It stops with
// yield's error, with ctx's, and with one that names the part of x where a number is not
// finite.
func (n *Network) PerSampleGradients(ctx context.Context, x []float64, idx []int, yield func(problem.Block) error) error {
	if err := n.checkWeights(x); err != nil {
		return err
	}
	return n.rows(ctx, x, n.blocks(idx), yield)
}

func blockOf[T direct.Float](idx []int, dim int, rows []T) problem.Block {
	b := problem.Block{Index: idx, Dim: dim}
	switch r := any(rows[:len(idx)*dim]).(type) {
	case []float32:
		b.F32 = r
	case []float64:
		b.F64 = r
	}
	return b
}
