// Package tinyfc computes the loss and the gradient of a batch of tiny-fc: 49 inputs, 16
// hidden units with batch norm and ReLU, 5 classes, cross-entropy. It is for the long runs:
// a tensor library spends 300 µs on a step of this network, of which ten are arithmetic.
//
// # Layout
//
// A vector of 16 float32 holds the hidden units of one sample. The first weight is kept
// transposed, an image is a row of 64 numbers, and everything that a batch of 128 needs
// stays in the caches. The products are tiles of 8 rows of package direct, in assembly, what
// is between them are vectors of package archsimd:
//
//	forward    z[n]   = Σₖ x[n,k] W1ᵀ[k]            rows: samples, columns: 16 hidden units
//	head       l[n]   = b2 + Σⱼ h[n,j] W2ᵀ[j]       rows: samples, columns: 5 of 8 classes
//	backward   dW1[j] = Σₙ dz[n,j] x[n]             rows: hidden units, columns: 3 × 16 inputs
//
// The last of the 49 inputs is stored apart from the others, which are three cache lines: a
// fourth line would be a third more of what a step waits for, its random images.
//
// A larger batch is cut into blocks of 128; batch norm still uses the statistics of the
// whole batch. Sums over a block are float32, sums over blocks float64.
//
// # Precision and speed
//
// The vector engine needs GOEXPERIMENT=simd, AVX-512 and assembly (no build tag purego). The
// portable one computes in float64 with plain loops, fourteen times slower; it is the
// reference. A step of sgd.Run on the vector engine takes a third of the processor time of one
// of JAX's lax.scan, and 1/21 of one by automatic differentiation on XLA
// (BenchmarkTinyChain); a sixth of it is waiting for images.
//
// # Not here
//
// Batch-norm statistics over time, and checks of the input: package network.
package tinyfc
