package direct

import "math"

// unweighted is what ops without weights have in common.
type unweighted[T Float] struct{}

func (unweighted[T]) Weights() bool       { return false }
func (unweighted[T]) Buffers() buffers[T] { return buffers[T]{} }

// relu is max(a, 0), with slope 0 at 0.
type relu[T Float] struct {
	unweighted[T]
	k *kernels[T]
	s Shape
}

func (r relu[T]) Shape() Shape { return r.s }

func (r relu[T]) Forward(out, in []T, _ *buffers[T]) { r.k.relu(out[:r.s.size()], in[:r.s.size()]) }

func (r relu[T]) Backward(_, din, dout, _, out []T, _ *buffers[T]) {
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

func (t tanh[T]) Backward(_, din, dout, _, out []T, _ *buffers[T]) {
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

func (f flatten[T]) Backward(_, din, dout, _, _ []T, _ *buffers[T]) {
	toPositions(din, dout, f.in)
}

// batchNorm is batch norm that does not follow a convolution: y = γ·x̂ + β per channel, with
// x̂ = (a−μ)/√(σ²+ε).
type batchNorm[T Float] struct {
	l                                  Layer
	mean, inverse, scale, shift, slope []T // slope is γ/√(σ²+ε)
}

func newBatchNorm[T Float](l Layer, x, stats []float64, epsilon float64) *batchNorm[T] {
	n := &batchNorm[T]{l: l}
	for c := range l.In.C {
		inverse := 1 / math.Sqrt(stats[l.Stats+l.In.C+c]+epsilon)
		scale := x[l.Weights+c]
		n.mean = append(n.mean, T(stats[l.Stats+c]))
		n.inverse = append(n.inverse, T(inverse))
		n.scale = append(n.scale, T(scale))
		n.shift = append(n.shift, T(x[l.Weights+l.In.C+c]))
		n.slope = append(n.slope, T(scale*inverse))
	}
	return n
}

func (n *batchNorm[T]) Shape() Shape        { return n.l.Out }
func (n *batchNorm[T]) Weights() bool       { return true }
func (n *batchNorm[T]) Buffers() buffers[T] { return buffers[T]{} }

func (n *batchNorm[T]) Forward(out, in []T, _ *buffers[T]) {
	channels := n.l.In.C
	for i := 0; i < n.l.In.size(); i += channels {
		for c, v := range in[i:][:channels] {
			out[i+c] = n.scale[c]*((v-n.mean[c])*n.inverse[c]) + n.shift[c]
		}
	}
}

func (n *batchNorm[T]) Backward(row, din, dout, in, _ []T, _ *buffers[T]) {
	channels := n.l.In.C
	scale, shift := row[n.l.Weights:][:channels], row[n.l.Weights+channels:][:channels]
	clear(scale)
	clear(shift)
	for i := 0; i < n.l.In.size(); i += channels {
		for c, d := range dout[i:][:channels] {
			scale[c] += d * ((in[i+c] - n.mean[c]) * n.inverse[c])
			shift[c] += d
		}
	}
	if din == nil {
		return
	}
	for i := 0; i < n.l.In.size(); i += channels {
		for c, d := range dout[i:][:channels] {
			din[i+c] = d * n.slope[c]
		}
	}
}
