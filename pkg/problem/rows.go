package problem

import (
	"context"
	"fmt"
)

// blockRows is the number of rows of a full block of the systems of this package.
const blockRows = 1024

// yieldRows delivers the float64 rows that rowTo computes for the samples idx (nil:
// all n of them) in blocks.
func yieldRows(ctx context.Context, dim, n int, idx []int, rowTo func(dst []float64, k int), yield func(Block) error) error {
	if idx == nil {
		idx = make([]int, n)
		for k := range idx {
			idx[k] = k
		}
	}
	for _, k := range idx {
		checkSample(k, n)
	}
	rows := make([]float64, min(len(idx), blockRows)*dim)
	for len(idx) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		block := Block{Index: idx[:min(len(idx), blockRows)], Dim: dim}
		block.F64 = rows[:block.Rows()*dim]
		for i, k := range block.Index {
			rowTo(block.F64[i*dim:(i+1)*dim], k)
		}
		if err := yield(block); err != nil {
			return err
		}
		idx = idx[block.Rows():]
	}
	return nil
}

// checkSample panics unless k is one of n samples.
func checkSample(k, n int) {
	if k < 0 || k >= n {
		panic(fmt.Sprintf("problem: sample %d is outside 0..%d", k, n-1))
	}
}

// checkLen panics unless the slice called name has length want.
func checkLen(name string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("problem: dimension mismatch: %s has length %d, want %d", name, got, want))
	}
}

// checkStep panics unless a chain with curvature at most curvature is stable.
func checkStep(eta float64, b int, curvature float64) {
	if b < 1 {
		panic(fmt.Sprintf("problem: batch size must be positive: got %d", b))
	}
	if !(eta > 0 && eta*curvature < 2) {
		panic(fmt.Sprintf("problem: no stationary law at learning rate %v: it must lie in (0, %v)", eta, 2/curvature))
	}
}
