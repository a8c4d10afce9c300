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
const (
	Dense Kind = iota
	Conv
	BatchNorm
	ReLU
	Tanh
	MaxPool
	AvgPool
	Flatten
)

// Layer is one layer with its place in the vectors of weights and statistics.
type Layer struct {
	Kind    Kind
	In, Out Shape
	Kernel  int // side of the kernel of Conv, or of the window of a pool
	Stride  int // of Conv
	Pad     int // of Conv
	Weights int // offset in x: weight (out×in×k×k) before bias, scale before shift
	Stats   int // offset in stats of BatchNorm: means before variances
}

// op is a layer, or a convolution with the batch norm after it, with its weights. It is
// immutable; what changes is in buffers.
type op[T Float] interface {
	Shape() Shape // of its output
	Buffers() buffers[T]
	Forward(out, in []T, b *buffers[T])
	// Backward turns dout, the gradient with respect to out, into din, that with respect
	// to in, unless din is nil, and writes the gradient of its weights into row.
	Backward(row, din, dout, in, out []T, b *buffers[T])
	Weights() bool
}

var (
	_ op[float32] = (*conv[float32])(nil)
	_ op[float32] = (*dense[float32])(nil)
	_ op[float32] = (*batchNorm[float32])(nil)
	_ op[float32] = relu[float32]{}
	_ op[float32] = tanh[float32]{}
	_ op[float32] = (*maxPool[float32])(nil)
	_ op[float32] = avgPool[float32]{}
	_ op[float32] = flatten[float32]{}
)

// buffers is the working memory of an op.
type buffers[T Float] struct {
	padded  []T // convolution: its input in a border of zeros
	dilated []T // convolution: dout with zeros between and around
	dw      []T // convolution: gradient of the kernel, taps × channels
	sums    []T // convolution: of dout, per channel
	chosen  []T // max pool: which number of each window is the largest
}

// slack is how far vectors may reach beyond the end of an activation.
const slack = maxWidth

// Net is a network at one point x. It is safe for concurrent use.
type Net[T Float] struct {
	ops     []op[T]
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
	k := kernelsOf[T]()
	for i := 0; i < len(layers); i++ {
		l := layers[i]
		var o op[T]
		switch l.Kind {
		case Dense:
			o = newDense(k, l, x)
		case Conv:
			var norm *Layer
			if i+1 < len(layers) && layers[i+1].Kind == BatchNorm {
				norm = &layers[i+1]
				i++
			}
			o = newConv(k, l, norm, x, stats, epsilon)
		case BatchNorm:
			o = newBatchNorm[T](l, x, stats, epsilon)
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
		default:
			panic(fmt.Sprintf("direct: layer %d has the unknown kind %d", i, l.Kind))
		}
		n.ops = append(n.ops, o)
		if n.first < 0 && o.Weights() {
			n.first = len(n.ops) - 1
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
	return w
}

// GradientTo stores the gradient of the cross-entropy of one sample in row, all of which it
// writes. pixels is channels × height × width. It panics if a length is wrong.
func (w *Worker[T]) GradientTo(row []T, pixels []float32, label int) {
	n := w.net
	if len(row) != n.dim || len(pixels) != n.in.size() || label < 0 || label >= n.classes {
		panic(fmt.Sprintf("direct: dimension mismatch: row %d, %d pixels, label %d; want %d, %d, below %d", len(row), len(pixels), label, n.dim, n.in.size(), n.classes))
	}
	toPositions(w.act[0], pixels, n.in)
	for i, o := range n.ops {
		o.Forward(w.act[i+1], w.act[i], &w.buffers[i])
	}
	last := len(n.ops)
	softmaxGradientTo(w.delta[last][:n.classes], w.act[last][:n.classes], label)
	for i := last - 1; i >= n.first; i-- {
		din := w.delta[i]
		if i == n.first {
			din = nil
		}
		n.ops[i].Backward(row, din, w.delta[i+1], w.act[i], w.act[i+1], &w.buffers[i])
	}
}

// softmaxGradientTo stores softmax(z) − e_label in d.
func softmaxGradientTo[T Float](d, z []T, label int) {
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
