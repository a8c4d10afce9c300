// Package direct computes per-sample gradients of feed-forward networks in evaluation
// mode, one sample at a time, straight into the row of the caller.
//
// A general tensor library is slow at this: the gradient of one sample is made of many
// small products (small-fc: outer products of 64 and 49 numbers), and a library spends its
// time on moving them. Here one sample stays in the first-level cache from its pixels to
// its row, and every product is one register tile.
//
// # Layout
//
// Activations are positions × channels, channels next to each other:
//
//	a[(y·W + x)·C + c]
//
// so that the patch under a k×k kernel is k runs of k·C numbers, and no patches are copied.
// With the offsets t of the numbers of a patch (taps) and p of its corner (positions), all
// three products of a convolution are the same loop with the roles exchanged:
//
//	output     z[p, o]  = b[o] + Σₜ a[p+t] W[t, o]    rows: positions, steps: taps
//	weight    dW[t, o]  =        Σₚ a[t+p] dz[p, o]   rows: taps, steps: positions
//	input     da[q, c]  =        Σₛ dz[q+s] W'[s, c]  rows: positions of the input in the padded and
//	                                                 dilated dz, steps: taps of the turned kernel W'
//
// which a tile keeps in twelve vector registers:
//
//	          8 to 24 columns (channels)
//	        ┌─────────────────────────────┐
//	rows[0] │ ++++++++ ++++++++ ++++++++  │
//	rows[1] │ ++++++++ ++++++++ ++++++++  │   += a[rows[r]+steps[j]] · b[j, column]
//	…       │                             │
//	        └─────────────────────────────┘
//
// # Batch norm
//
// In evaluation mode batch norm is affine. After a convolution it is folded into kernel and
// bias, W′ = sW and b′ = s(b−μ)+β with s = γ/√(σ²+ε) per channel, and the gradient unfolds
// exactly: dW = s·dW′, db = s·db′, dβ = db′, dγ = (⟨dW′, W⟩ + (b−μ)·db′)/√(σ²+ε).
//
// # Precision and speed
//
// float32 uses vectors where the build has GOEXPERIMENT=simd and the processor AVX2 and FMA;
// otherwise, and for float64, plain Go computes the same sums in the same order, without
// fused multiply-adds. A row does not depend on other samples or on the number of workers.
//
// # Not here
//
// Training mode, where samples meet in batch norm; sums over samples.
package direct
