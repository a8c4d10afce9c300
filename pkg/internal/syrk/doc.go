// Package syrk adds GᵀG to the lower triangle of a symmetric matrix: the rank-k
// update behind every covariance matrix, D = (1/N) Σ gₖgₖᵀ − ggᵀ.
//
// # Conventions
//
// G is rows×d, row-major: one sample per row. The result is d×d, row-major, float64;
// only its lower triangle is read or written. Nothing is centred or divided by N.
// Results do not depend on the number of workers, bit for bit; they do depend, within
// round-off, on the kernels that the processor can run ([Kernels]).
//
// # How
//
// A block of rows is copied into panels of 48 columns, so that everything the inner
// loops touch is contiguous. A job is a 4×4 group of tiles of the result; it runs
// over the block 128 rows at a time, while the next 128 are fetched, and adds its sums to
// dst at the end: memory is slower than the products are.
//
//	    G, 4096 rows × d            packed: d/48 panels        dst, lower triangle
//	┌────┬────┬────┬────┬──┐       ┌──┐ ┌──┐ ┌──┐ ┌──┐        ┌──┐
//	│    │    │    │    │  │       │  │ │  │ │  │ │  │        │  │ 48×48
//	│ 48 │ 48 │ 48 │ 48 │..│  ───▶ │P₀│ │P₁│ │P₂│ │P₃│ ...    ├──┼──┐
//	│    │    │    │    │  │       │  │ │  │ │  │ │  │        │  │  │
//	└────┴────┴────┴────┴──┘       └──┘ └──┘ └──┘ └──┘        ├──┼──┼──┐
//	                                contiguous, padded        │  │  │  │ ◀── P₂ᵀP₁
//	                                with zeros                └──┴──┴──┘
//
// In [Lower32] products and sums over 128 rows are float32, sums over these blocks
// float64: the error of an entry is at most about 128·2⁻²⁴·Σₖ|gₖᵢgₖⱼ|, and in practice
// about √128·2⁻²⁴ of it per block. [Lower64] uses float64 throughout.
//
// # What it does not do
//
// No upper triangle, no scaling, no update with a general product AᵀB.
package syrk
