// Package direct computes gradients of feed-forward networks: of every sample in evaluation
// mode, straight into the row of the caller or into a sum ([Worker]), and of whole batches in
// training mode ([Batch]).
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
// which a tile keeps in vector registers, twelve of AVX2 or up to 24 of AVX-512:
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
// In training, samples meet in batch norm. A [Batch] goes forth from one batch norm to the
// next and back again, chunk by chunk of eight samples on all cores; at each it waits for the
// moments of all chunks, which are put together in order:
//
//	chunk 0  conv ┐          ┌ norm, ReLU, conv ┐          ┌ norm, …, loss, …, ReLU ┐          ┌ norm, conv …
//	chunk 1  conv ┼ mean, σ² ┼ norm, ReLU, conv ┼ mean, σ² ┼ norm, …, loss, …, ReLU ┼ Σd, Σdx̂  ┼ norm, conv …
//	…        conv ┘          └ norm, ReLU, conv ┘          └ norm, …, loss, …, ReLU ┘          └ norm, conv …
//
// Gradients of weights are summed over a chunk in an order that suits the kernels, then over
// the chunks, and put into the order of x at the end.
//
// # Precision and speed
//
// Vectors are used where the processor has AVX2 and FMA, wider ones for products where it has
// AVX-512, unless the build tag purego is set;
// otherwise plain Go computes the same sums in the same order, without fused multiply-adds.
// Sums over positions and over a chunk are formed in the precision of the net, moments of a
// batch, which come from differences to a value of the batch, are put together in float64.
// A row does not depend on other samples, and nothing on the number of workers.
package direct
