// Package network describes the paper's networks as values and computes their loss,
// gradients, per-sample gradients, training steps and Hessian products.
//
//   - An [Architecture] is a list of layers with an exact weight count: [SmallFC],
//     [TinyFC], [SmallLeNet], [SmallAllCNN], or one of the user's own.
//   - A [Network] is an architecture on a data set with frozen batch-norm statistics
//     (evaluation mode). It is a finite sum: f(x) = (1/N) Σₖ fₖ(x), with the
//     per-sample gradients ∇fₖ that D(x) of [chaudhari2018] eq. (2) is made of.
//   - A [Training] is what stochastic gradient descent sees: batch statistics and
//     dropout. Its gradient is not an average of per-sample gradients (erratum E21).
//   - A [TinyChain] is tiny-fc for runs of millions of steps, by kernels of its own.
//
// # Conventions
//
// All weights live in one flat vector x of length d; [Architecture.Views] names its
// parts. Layers come in order, and in each layer the weight before the bias, the
// batch-norm scale before the shift. A dense weight is out×in, a convolution's
// out×in×k×k, row-major. The running statistics of batch norm are a second flat
// vector, mean before variance, which is not trained and not counted in d.
//
// fₖ is the cross-entropy of sample k in nats; losses and gradients are means over
// samples, never sums. A row of per-sample gradients is ∇fₖ, not ∇fₖ/N. Images are
// channels × height × width.
//
// A max-pool window passes its gradient to the first of its largest inputs, and ReLU
// has the slope 0 at 0, as in the common frameworks. Batch norm uses ε = 10⁻⁵, the
// biased batch variance to normalise, and the unbiased one in running averages with
// momentum 0.1.
//
// Float32 is the default precision; weights and gradients cross the API as float64.
// Results do not depend on the number of workers.
//
// # How
//
// Losses and gradients, of samples, of all samples and of training steps, are computed
// directly in Go, sample by sample in the cache of the processor, on assembly kernels where
// it has AVX2. The same by automatic differentiation with GoMLX is there for comparison
// (Settings.Autodiff); Hessian products are always computed so. Dropout masks are the same
// on every road.
//
// # Example
//
//	a := network.SmallFC()
//	x, stats := a.Init(rand.NewPCG(42, 0))
//	n, err := network.New(a, train, stats, nil)
//	loss, err := n.GradTo(ctx, g, x)
//
// # Not here
//
// The optimiser (package sgd), D(x) (package noise), reading images (package dataset).
//
// References:
//
//	[chaudhari2018]  Chaudhari, Soatto. Stochastic gradient descent performs variational inference,
//	                 converges to limit cycles for deep networks. ICLR 2018.
//	[ioffe2015]      Ioffe, Szegedy. Batch normalization. ICML 2015.
package network
