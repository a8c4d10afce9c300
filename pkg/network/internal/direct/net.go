package direct

import (
	"fmt"
	"math"
)

// Float is the arithmetic of a net.
type Float interface{ float32 | float64 }

// Shape is that of one sample's activations: C channels at H×W positions. Flat ones have
// H = W = 1.
type Shape struct{ C, H, W int }

func (s Shape) positions() int { return s.H * s.W }
func (s Shape) size() int      { return s.C * s.H * s.W }

// Kind is what a layer does.
type Kind int

// The kinds of layers. Flatten puts channels first, as the weights of a dense layer expect.
// Dropout is for a Batch only.
const (
	Dense Kind = iota
	Conv
	BatchNorm
	ReLU
	Tanh
	MaxPool
	AvgPool
	Flatten
	Dropout
)

// Layer is one layer with its place in the vectors of weights and statistics.
type Layer struct {
	Kind    Kind
	In, Out Shape
	Kernel  int     // side of the kernel of Conv, or of the window of a pool
	Stride  int     // of Conv
	Pad     int     // of Conv
	P       float64 // probability of Dropout
	Weights int     // offset in x: weight (out×in×k×k) before bias, scale before shift
	Stats   int     // offset in stats of BatchNorm: means before variances
}

// op is a layer, or a convolution with the batch norm after it. Between two calls of Load it
// is immutable; what changes is in buffers.
type op[T Float] interface {
	Shape() Shape // of its output
	Buffers() buffers[T]
	Forward(out, in []T, b *buffers[T])
	// Backward turns dout, the gradient with respect to out, into din, that with respect to in.
	Backward(din, dout, in, out []T, b *buffers[T])
}

// weighted is an op with weights of its own for every sample.
type weighted[T Float] interface {
	op[T]
	// Load takes the weights from x and the batch-norm statistics from stats.
	Load(x, stats []float64)
	// RowTo writes the gradient of the weights into the row of a sample.
	RowTo(row, dout, in []T, b *buffers[T])
	// Add adds it to Sums() numbers in an order of its own, which Unpack undoes.
	Add(sums, dout, in []T, b *buffers[T])
	Sums() int
	Unpack(gradient []float64, sums []T)
}

var (
	_ weighted[float32] = (*conv[float32])(nil)
	_ weighted[float32] = (*dense[float32])(nil)
	_ weighted[float32] = (*batchNorm[float32])(nil)
	_ op[float32]       = (*norm[float32])(nil)
	_ op[float32]       = relu[float32]{}
	_ op[float32]       = tanh[float32]{}
	_ op[float32]       = (*maxPool[float32])(nil)
	_ op[float32]       = avgPool[float32]{}
	_ op[float32]       = flatten[float32]{}
	_ op[float32]       = dropout[float32]{}
)

// buffers is the working memory of an op.
type buffers[T Float] struct {
	padded  []T // convolution: its input in a border of zeros
	dilated []T // convolution: dout with zeros between and around
	dw      []T // convolution: gradients of the kernel, taps × channels, and of the bias
	kept    []T // for Backward: max pool, which number of each window is the largest; dropout, the mask
}

// slack is how far vectors may reach beyond the end of an activation.
const slack = maxWidth

// build makes the ops of layers. In training a batch norm is an op of its own, with the
// statistics of the batch.
func build[T Float](layers []Layer, epsilon float64, training bool) []op[T] {
	k := kernelsOf[T]()
	var ops []op[T]
	for i := 0; i < len(layers); i++ {
		l := layers[i]
		var o op[T]
		switch l.Kind {
		case Dense:
			o = newDense(k, l)
		case Conv:
			var norm *Layer
			if !training && i+1 < len(layers) && layers[i+1].Kind == BatchNorm {
				norm = &layers[i+1]
				i++
			}
			o = newConv(k, l, norm, epsilon)
		case BatchNorm:
			if training {
				o = newNorm(k, l, epsilon)
			} else {
				o = newBatchNorm[T](l, epsilon)
			}
		case ReLU:
			o = relu[T]{k: k, s: l.Out}
		case Tanh:
			o = tanh[T]{s: l.Out}
		case MaxPool:
			o = newMaxPool(k, l)
		case AvgPool:
			o = avgPool[T]{l.In, l.Out, l.Kernel}
		case Flatten:
			if l.In.C == 1 || l.In.positions() == 1 {
				continue // nothing moves
			}
			o = flatten[T]{in: l.In}
		case Dropout:
			if !training || l.P == 0 {
				continue
			}
			o = newDropout(k, l)
		default:
			panic(fmt.Sprintf("direct: layer %d has the unknown kind %d", i, l.Kind))
		}
		ops = append(ops, o)
	}
	return ops
}

// Net is a network at one point x, in evaluation mode. It is safe for concurrent use.
type Net[T Float] struct {
	ops     []op[T]
	weights []weighted[T] // ops with weights, nil for the others
	in      Shape
	first   int // the first op with weights; nothing before it needs a gradient
	dim     int
	classes int
}

// New lays out layers with the weights x and the batch-norm statistics stats; the batch
// norm ε is epsilon. The layers must fit each other, end flat, and have their weights
// within x.
func New[T Float](layers []Layer, x, stats []float64, epsilon float64) *Net[T] {
	n := &Net[T]{in: layers[0].In, dim: len(x), classes: layers[len(layers)-1].Out.size(), first: -1}
	n.ops = build[T](layers, epsilon, false)
	for i, o := range n.ops {
		w, ok := o.(weighted[T])
		n.weights = append(n.weights, w)
		if !ok {
			continue
		}
		w.Load(x, stats)
		if n.first < 0 {
			n.first = i
		}
	}
	return n
}

// Worker is the working memory for one sample at a time. It is not safe for concurrent use.
type Worker[T Float] struct {
	net     *Net[T]
	act     [][]T // act[i] is the input of op i; the last one holds the logits
	delta   [][]T // gradients with respect to act
	buffers []buffers[T]
	sums    [][]T // of every op with weights, since the last Drain
}

// Worker returns new working memory for n.
func (n *Net[T]) Worker() *Worker[T] {
	w := &Worker[T]{net: n}
	add := func(s Shape) {
		w.act = append(w.act, make([]T, s.size()+slack))
		w.delta = append(w.delta, make([]T, s.size()+slack))
	}
	add(n.in)
	for _, o := range n.ops {
		add(o.Shape())
		w.buffers = append(w.buffers, o.Buffers())
	}
	w.sums = sumsOf(n.weights)
	return w
}

func sumsOf[T Float](weights []weighted[T]) [][]T {
	sums := make([][]T, len(weights))
	for i, o := range weights {
		if o != nil {
			sums[i] = make([]T, o.Sums())
		}
	}
	return sums
}

// Logits returns the outputs for one sample, valid until the next call. pixels is channels ×
// height × width. It panics if their number is wrong.
func (w *Worker[T]) Logits(pixels []float32) []T {
	n := w.net
	if len(pixels) != n.in.size() {
		panic(fmt.Sprintf("direct: dimension mismatch: %d pixels; want %d", len(pixels), n.in.size()))
	}
	toPositions(w.act[0], pixels, n.in)
	for i, o := range n.ops {
		o.Forward(w.act[i+1], w.act[i], &w.buffers[i])
	}
	return w.act[len(n.ops)][:n.classes]
}

// GradientTo stores the gradient of the cross-entropy of one sample in row, all of which it
// writes. It panics if a length is wrong.
func (w *Worker[T]) GradientTo(row []T, pixels []float32, label int) {
	if len(row) != w.net.dim {
		panic(fmt.Sprintf("direct: dimension mismatch: row %d; want %d", len(row), w.net.dim))
	}
	w.run(pixels, label, func(i int, o weighted[T]) {
		o.RowTo(row, w.delta[i+1], w.act[i], &w.buffers[i])
	})
}

// Add adds the gradient of the cross-entropy of one sample to what Drain will return and
// returns the cross-entropy in nats.
func (w *Worker[T]) Add(pixels []float32, label int) float64 {
	return w.run(pixels, label, func(i int, o weighted[T]) {
		o.Add(w.sums[i], w.delta[i+1], w.act[i], &w.buffers[i])
	})
}

// DrainTo stores the sum of the gradients added since the last call in gradient.
func (w *Worker[T]) DrainTo(gradient []float64) {
	for i, o := range w.net.weights {
		if o != nil {
			o.Unpack(gradient, w.sums[i])
			clear(w.sums[i])
		}
	}
}

// run goes forth and back; every op with weights is handed to use when the gradient of its
// output is there.
func (w *Worker[T]) run(pixels []float32, label int, use func(i int, o weighted[T])) (loss float64) {
	n := w.net
	if label < 0 || label >= n.classes {
		panic(fmt.Sprintf("direct: label %d of %d classes", label, n.classes))
	}
	logits := w.Logits(pixels)
	last := len(n.ops)
	loss = softmaxGradientTo(w.delta[last][:n.classes], logits, label)
	for i := last - 1; i >= n.first; i-- {
		if n.weights[i] != nil {
			use(i, n.weights[i])
		}
		if i > n.first {
			n.ops[i].Backward(w.delta[i], w.delta[i+1], w.act[i], w.act[i+1], &w.buffers[i])
		}
	}
	return loss
}

// softmaxGradientTo stores softmax(z) − e_label in d and returns the cross-entropy, in
// float64 from z.
func softmaxGradientTo[T Float](d, z []T, label int) float64 {
	top := z[0]
	for _, v := range z[1:] {
		top = max(top, v)
	}
	sum := 0.0
	for i, v := range z {
		e := math.Exp(float64(v - top))
		d[i] = T(e)
		sum += e
	}
	scale := T(1 / sum)
	for i := range d {
		d[i] *= scale
	}
	d[label]--
	return math.Log(sum) + float64(top) - float64(z[label])
}

// toPositions turns channels × positions into positions × channels.
func toPositions[T, U Float](dst []T, src []U, s Shape) {
	p := s.positions()
	for c := range s.C {
		for i, v := range src[c*p : (c+1)*p] {
			dst[i*s.C+c] = T(v)
		}
	}
}
