package network

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

const (
	bnEpsilon  = 1e-5 // added to the variance by batch norm
	bnMomentum = 0.1  // weight of the batch in the running statistics
)

// forward is the graph of one pass through the layers. Activations are [B, features],
// or [B, channels, height, width] before Flatten.
type forward struct {
	plan   []planned
	params []*graph.Node // parts of x, each in its own shape; the inputs of gradients
	stats  *graph.Node   // frozen batch-norm statistics; nil in training mode
	masks  []*graph.Node // dropout masks in the order of the layers; nil in evaluation mode

	logits   *graph.Node   // [B, classes]
	taps     []tap         // what per-sample gradients need, one per layer with weights
	newStats []*graph.Node // training mode: mean and unbiased variance of the batch, layer by layer
}

// tap keeps, for a layer with weights, its output and what its gradient is a product with.
type tap struct {
	layer planned
	in    *graph.Node // dense: a [B, in]; conv: patches [B, in·k·k, positions]; batch norm: the normalised input
	out   *graph.Node // [B, out…]
}

func newForward(plan []planned, x, stats *graph.Node, masks []*graph.Node, images *graph.Node) *forward {
	f := &forward{plan: plan, stats: stats, masks: masks}
	training := stats == nil
	a := images
	nextMask := 0
	for _, p := range plan {
		var params []*graph.Node
		offset := p.offset
		for _, dims := range p.dims {
			n := product(dims)
			params = append(params, graph.Reshape(graph.Slice(x, graph.AxisRange(offset, offset+n)), dims...))
			offset += n
		}
		f.params = append(f.params, params...)
		batch := a.Shape().Dimensions[0]
		in := a
		switch l := p.Layer.(type) {
		case Dense:
			a = graph.Add(graph.DotGeneral(a, []int{1}, nil, params[0], []int{1}, nil), graph.Reshape(params[1], 1, l.Out))
			f.taps = append(f.taps, tap{p, in, a})
		case Conv2D:
			in = patches(a, l, p.out)
			// One product per sample, kernels × patches, keeps the layout [B, channels, positions].
			k := product(p.dims[0]) / l.Out
			w := graph.BroadcastToDims(graph.Reshape(params[0], 1, l.Out, k), batch, l.Out, k)
			z := graph.DotGeneral(w, []int{2}, []int{0}, in, []int{1}, []int{0})
			z = graph.Add(z, graph.Reshape(params[1], 1, l.Out, 1))
			a = graph.Reshape(z, batch, p.out.c, p.out.h, p.out.w)
			f.taps = append(f.taps, tap{p, in, a})
		case BatchNorm:
			var mean, variance *graph.Node
			if training {
				mean, variance = f.batchStatistics(a, p)
			} else {
				mean = perChannel(graph.Slice(stats, graph.AxisRange(p.at, p.at+p.out.c)), a)
				variance = perChannel(graph.Slice(stats, graph.AxisRange(p.at+p.out.c, p.at+2*p.out.c)), a)
			}
			in = graph.Div(graph.Sub(a, mean), graph.Sqrt(graph.AddScalar(variance, bnEpsilon)))
			a = graph.Add(graph.Mul(in, perChannel(params[0], a)), perChannel(params[1], a))
			f.taps = append(f.taps, tap{p, in, a})
		case ReLU:
			positive := graph.ConvertDType(graph.GreaterThan(a, graph.ScalarZero(a.Graph(), a.DType())), a.DType())
			a = graph.Mul(a, graph.StopGradient(positive))
		case Tanh:
			a = graph.Tanh(a)
		case MaxPool:
			a = maxPool(a, l.Size)
		case AvgPool:
			d := a.Shape().Dimensions
			a = graph.ReduceMean(graph.Reshape(a, d[0], d[1], d[2]/l.Size, l.Size, d[3]/l.Size, l.Size), 3, 5)
		case Dropout:
			if masks != nil {
				a = graph.Mul(a, graph.Reshape(masks[nextMask], a.Shape().Dimensions...))
				nextMask++
			}
		case Flatten:
			a = graph.Reshape(a, batch, p.out.c)
		default:
			panic("network: no graph for the layer " + p.Layer.String())
		}
	}
	f.logits = a
	return f
}

// batchStatistics returns mean and biased variance of a over all axes but the channel,
// ready to broadcast, and notes mean and unbiased variance for the running statistics.
func (f *forward) batchStatistics(a *graph.Node, p planned) (mean, variance *graph.Node) {
	axes := []int{0}
	if !p.out.flat() {
		axes = []int{0, 2, 3}
	}
	m := graph.ReduceMean(a, axes...)
	mean = perChannel(m, a)
	v := graph.ReduceMean(graph.Square(graph.Sub(a, mean)), axes...)
	n := float64(a.Shape().Dimensions[0] * p.out.positions())
	f.newStats = append(f.newStats, graph.StopGradient(m), graph.StopGradient(graph.MulScalar(v, n/(n-1))))
	return mean, perChannel(v, a)
}

// perChannel reshapes v, one number per channel, so that it broadcasts over a.
func perChannel(v, a *graph.Node) *graph.Node {
	dims := make([]int, a.Rank())
	for i := range dims {
		dims[i] = 1
	}
	dims[1] = v.Shape().Dimensions[0]
	return graph.Reshape(v, dims...)
}

// patches is im2col: [B, C, H, W] to [B, C·k·k, positions of the output]. A convolution
// is then a matrix product, which the Go backend does 10 to 50 times faster than its
// own convolution.
func patches(a *graph.Node, l Conv2D, out shape) *graph.Node {
	d := a.Shape().Dimensions
	if l.Kernel == 1 && l.stride() == 1 && l.Pad == 0 {
		return graph.Reshape(a, d[0], d[1], d[2]*d[3])
	}
	if l.Pad > 0 { // by concatenation: Pad has no gradient in GoMLX
		zeros := func(dims ...int) *graph.Node { return graph.Zeros(a.Graph(), shapes.Make(a.DType(), dims...)) }
		rows := zeros(d[0], d[1], l.Pad, d[3])
		a = graph.Concatenate([]*graph.Node{rows, a, rows}, 2)
		columns := zeros(d[0], d[1], d[2]+2*l.Pad, l.Pad)
		a = graph.Concatenate([]*graph.Node{columns, a, columns}, 3)
	}
	s := l.stride()
	var parts []*graph.Node
	for i := range l.Kernel {
		for j := range l.Kernel {
			part := graph.Slice(a, graph.AxisRange(), graph.AxisRange(),
				graph.AxisRange(i, i+(out.h-1)*s+1).Stride(s), graph.AxisRange(j, j+(out.w-1)*s+1).Stride(s))
			parts = append(parts, graph.Reshape(part, d[0], d[1], 1, out.h*out.w))
		}
	}
	return graph.Reshape(graph.Concatenate(parts, 2), d[0], d[1]*l.Kernel*l.Kernel, out.h*out.w)
}

// maxPool takes maxima of size×size windows pair by pair. The gradient of Max goes to the
// left operand on a tie, so the first of equal maxima gets all of it, as in the common
// frameworks; a reduction would give each tied input the full gradient.
func maxPool(a *graph.Node, size int) *graph.Node {
	d := a.Shape().Dimensions
	windows := graph.Reshape(a, d[0], d[1], d[2]/size, size, d[3]/size, size)
	var largest *graph.Node
	for i := range size {
		for j := range size {
			one := graph.Slice(windows, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisRange(i, i+1), graph.AxisRange(), graph.AxisRange(j, j+1))
			one = graph.Reshape(one, d[0], d[1], d[2]/size, d[3]/size)
			if largest == nil {
				largest = one
			} else {
				largest = graph.Max(largest, one)
			}
		}
	}
	return largest
}

// sumLoss is Σₖ fₖ over the batch: the cross-entropy in nats. target is one-hot [B, classes];
// a row of zeros contributes nothing.
func (f *forward) sumLoss(target *graph.Node) *graph.Node {
	return graph.Neg(graph.ReduceAllSum(graph.Mul(target, graph.LogSoftmax(f.logits))))
}

// flatGradient is the gradient of a scalar with respect to x, [d], in the order of x.
func (f *forward) flatGradient(loss *graph.Node) *graph.Node {
	return flatten(graph.Gradient(loss, f.params...))
}

// flatten concatenates the parts of x.
func flatten(parts []*graph.Node) *graph.Node {
	flat := make([]*graph.Node, len(parts))
	for i, p := range parts {
		flat[i] = graph.Reshape(p, p.Shape().Size())
	}
	if len(flat) == 1 {
		return flat[0]
	}
	return graph.Concatenate(flat, 0)
}

// perSampleGradients returns [B, d]: row k is ∇fₖ. One reverse pass through the summed
// loss gives ∂fₖ/∂(output of sample k) at every tap, because samples do not meet in
// evaluation mode; the rest is one product per sample and layer.
func (f *forward) perSampleGradients(target *graph.Node) *graph.Node {
	outs := make([]*graph.Node, len(f.taps))
	for i, t := range f.taps {
		outs[i] = t.out
	}
	deltas := graph.Gradient(f.sumLoss(target), outs...)
	var parts []*graph.Node
	for i, t := range f.taps {
		delta := deltas[i]
		batch := delta.Shape().Dimensions[0]
		c, positions := t.layer.out.c, t.layer.out.positions()
		rows := func(n *graph.Node) *graph.Node { return graph.Reshape(n, batch, n.Shape().Size()/batch) }
		flat := t.layer.out.flat()
		sum := func(n *graph.Node) *graph.Node { // over positions, by a product: cheaper than a reduction on the Go backend
			if flat {
				return n
			}
			ones := graph.Ones(n.Graph(), shapes.Make(n.DType(), positions))
			return graph.DotGeneral(graph.Reshape(n, batch, c, positions), []int{2}, nil, ones, []int{0}, nil)
		}
		var weight *graph.Node
		switch t.layer.Layer.(type) {
		case Dense:
			in := t.layer.in.c
			weight = graph.DotGeneral(graph.Reshape(delta, batch, c, 1), []int{2}, []int{0}, graph.Reshape(t.in, batch, 1, in), []int{1}, []int{0})
		case Conv2D:
			weight = graph.DotGeneral(graph.Reshape(delta, batch, c, positions), []int{2}, []int{0}, t.in, []int{2}, []int{0})
		case BatchNorm:
			weight = sum(graph.Mul(delta, t.in))
		}
		parts = append(parts, rows(weight), sum(delta))
	}
	return graph.Concatenate(parts, 1)
}
