// Package tall multiplies long thin matrices: thousands of rows or columns of gradients
// with a few dozen vectors. It is what the products of package noise with many vectors
// and the bases of package spectrum are made of.
//
// # Layout
//
// Everything is row-major with a distance between rows. A tile of the result has Rows
// rows and Cols64 or Cols32 columns; the kernels know no edges, so that callers round
// their sizes up to whole tiles ([RoundUp]) and fill with zeros.
//
//	Outer: c[i·ldc+j] += Σₖ a[k·lda+i]·b[k·ldb+j]     (aᵀb)
//	Inner: c[i·ldc+j] += Σₖ a[i·lda+k]·b[k·ldb+j]     (ab)
//
// with k < n. The sum over k is formed first, in order and in the precision of its
// arguments, and then added to c, so that a result depends on how a sum is cut into
// pieces but not on who computes a tile. It depends, in the last bits, on whether the
// machine has fused multiply-add.
//
// The kernels are assembly for AVX-512, written by sgdlab/pkg/internal/syrk/gen; Go with
// vector types for AVX2, under GOEXPERIMENT=simd; and plain Go. The build tag purego leaves
// the assembly out.
//
// [Parallel] shares tasks out to goroutines.
//
// # What it does not do
//
// Square matrices and symmetric results: package syrk is faster there.
package tall
