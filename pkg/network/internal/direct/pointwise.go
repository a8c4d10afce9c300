package direct

import (
	"math"
	"math/rand/v2"
)

// unweighted is what ops without weights have in common.
type unweighted[T Float] struct{}

func (unweighted[T]) Buffers() buffers[T] { return buffers[T]{} }

// relu is max(a, 0), with slope 0 at 0.
type relu[T Float] struct {
	unweighted[T]
	k *kernels[T]
	s Shape
}

func (r relu[T]) Shape() Shape { return r.s }

func (r relu[T]) Forward(out, in []T, _ *buffers[T]) { r.k.relu(out[:r.s.size()], in[:r.s.size()]) }

func (r relu[T]) Backward(din, dout, _, out []T, _ *buffers[T]) {
	r.k.gate(din[:r.s.size()], dout[:r.s.size()], out)
}

type tanh[T Float] struct {
	unweighted[T]
	s Shape
}

func (t tanh[T]) Shape() Shape { return t.s }

func (t tanh[T]) Forward(out, in []T, _ *buffers[T]) {
	for i, v := range in[:t.s.size()] {
		out[i] = T(math.Tanh(float64(v)))
	}
}

func (t tanh[T]) Backward(din, dout, _, out []T, _ *buffers[T]) {
	for i, y := range out[:t.s.size()] {
		din[i] = dout[i] * (1 - y*y)
	}
}

// flatten puts channels first.
type flatten[T Float] struct {
	unweighted[T]
	in Shape
}

func (f flatten[T]) Shape() Shape { return Shape{f.in.size(), 1, 1} }

func (f flatten[T]) Forward(out, in []T, _ *buffers[T]) {
	p := f.in.positions()
	for i := range p {
		for c, v := range in[i*f.in.C:][:f.in.C] {
			out[c*p+i] = v
		}
	}
}

func (f flatten[T]) Backward(din, dout, _, _ []T, _ *buffers[T]) {
	toPositions(din, dout, f.in)
}

// batchNorm is batch norm that does not follow a convolution: y = γ·x̂ + β per channel, with
// x̂ = (a−μ)/√(σ²+ε).
type batchNorm[T Float] struct {
	l                                  Layer
	epsilon                            float64
	mean, inverse, scale, shift, slope []T // slope is γ/√(σ²+ε)
}

func newBatchNorm[T Float](l Layer, epsilon float64) *batchNorm[T] {
	n := &batchNorm[T]{l: l, epsilon: epsilon}
	for _, v := range []*[]T{&n.mean, &n.inverse, &n.scale, &n.shift, &n.slope} {
		*v = make([]T, l.In.C)
	}
	return n
}

func (n *batchNorm[T]) Load(x, stats []float64) {
	channels := n.l.In.C
	for c := range channels {
		inverse := 1 / math.Sqrt(stats[n.l.Stats+channels+c]+n.epsilon)
		scale := x[n.l.Weights+c]
		n.mean[c], n.inverse[c] = T(stats[n.l.Stats+c]), T(inverse)
		n.scale[c], n.shift[c], n.slope[c] = T(scale), T(x[n.l.Weights+channels+c]), T(scale*inverse)
	}
}

func (n *batchNorm[T]) Shape() Shape        { return n.l.Out }
func (n *batchNorm[T]) Buffers() buffers[T] { return buffers[T]{} }

func (n *batchNorm[T]) Forward(out, in []T, _ *buffers[T]) {
	channels := n.l.In.C
	for i := 0; i < n.l.In.size(); i += channels {
		for c, v := range in[i:][:channels] {
			out[i+c] = n.scale[c]*((v-n.mean[c])*n.inverse[c]) + n.shift[c]
		}
	}
}

func (n *batchNorm[T]) Backward(din, dout, _, _ []T, _ *buffers[T]) {
	channels := n.l.In.C
	for i := 0; i < n.l.In.size(); i += channels {
		for c, d := range dout[i:][:channels] {
			din[i+c] = d * n.slope[c]
		}
	}
}

func (n *batchNorm[T]) RowTo(row, dout, in []T, b *buffers[T]) {
	to := row[n.l.Weights:][:n.Sums()]
	clear(to)
	n.Add(to, dout, in, b)
}

func (n *batchNorm[T]) Sums() int { return 2 * n.l.In.C }

func (n *batchNorm[T]) Add(sums, dout, in []T, _ *buffers[T]) {
	channels := n.l.In.C
	scale, shift := sums[:channels], sums[channels:2*channels]
	for i := 0; i < n.l.In.size(); i += channels {
		for c, d := range dout[i:][:channels] {
			scale[c] += d * ((in[i+c] - n.mean[c]) * n.inverse[c])
			shift[c] += d
		}
	}
}

func (n *batchNorm[T]) Unpack(gradient []float64, sums []T) {
	for i, v := range sums {
		gradient[n.l.Weights+i] = float64(v)
	}
}

// dropout multiplies by a mask, 0 or 1/(1−P), that the Batch has put into kept.
type dropout[T Float] struct {
	k    *kernels[T]
	l    Layer
	none []T // zeros
}

func newDropout[T Float](k *kernels[T], l Layer) dropout[T] {
	return dropout[T]{k: k, l: l, none: make([]T, roundUp(l.Out.size()))}
}

func (d dropout[T]) Shape() Shape        { return d.l.Out }
func (d dropout[T]) Buffers() buffers[T] { return buffers[T]{kept: d.none} }

func (d dropout[T]) Forward(out, in []T, b *buffers[T]) {
	n := d.l.Out.size()
	d.k.affine(out[:n], in[:n], b.kept[:len(d.none)], d.none)
}

func (d dropout[T]) Backward(din, dout, _, _ []T, b *buffers[T]) {
	n := d.l.Out.size()
	d.k.affine(din[:n], dout[:n], b.kept[:len(d.none)], d.none)
}

// drawTo draws the mask of one sample, channels first.
func (d dropout[T]) drawTo(mask []T, r *rand.Rand) {
	keep, positions := T(1/(1-d.l.P)), d.l.Out.positions()
	for c := range d.l.Out.C {
		for p := range positions {
			v := keep
			if r.Float64() < d.l.P {
				v = 0
			}
			mask[p*d.l.Out.C+c] = v
		}
	}
}
