package direct

import "math"

// conv is a convolution, with the batch norm after it folded in if there is one.
type conv[T Float] struct {
	k       *kernels[T]
	l       Layer
	norm    *Layer // folded in, or nil
	epsilon float64

	// Forward, and the gradient of the kernel.
	padded  Shape      // of the input in its border of zeros
	points  []int32    // corner in the padded input of the patch of each output position
	taps    []int32    // offset of each number of a patch, in the order (row, column, channel)
	forth   []panel[T] // W′, taps × output channels, and b′
	ones    []T        // one per output position
	none    []T        // zeros
	weight  []T        // W as in x: (output channel, channel, row, column)
	scale   []T        // s, or 1
	inverse []T        // 1/√(σ²+ε)
	centred []T        // b − μ

	// The gradient of the input.
	dilated    Shape      // of dout with zeros between and around
	backPoints []int32    // corner in it of the patch of each position of the input
	backTaps   []int32    // offset of each number of such a patch, in the order (row, column, channel)
	back       []panel[T] // W′ turned by half a turn, backTaps × input channels
}

func newConv[T Float](k *kernels[T], l Layer, norm *Layer, epsilon float64) *conv[T] {
	in, out, side := l.In, l.Out, l.Kernel
	count := in.C * side * side
	c := &conv[T]{
		k: k, l: l, norm: norm, epsilon: epsilon,
		forth: panels[T](count, out.C), back: panels[T](out.C*side*side, in.C),
		ones: make([]T, out.positions()), none: make([]T, max(roundUp(out.C), maxWidth)),
		weight: make([]T, out.C*count), scale: make([]T, out.C), inverse: make([]T, out.C), centred: make([]T, out.C),
	}
	for i := range c.ones {
		c.ones[i] = 1
	}
	c.padded = Shape{in.C, in.H + 2*l.Pad, in.W + 2*l.Pad}
	c.points = corners(out.H, out.W, l.Stride, c.padded)
	c.taps = patch(side, c.padded)
	// A position of the input sees dout through the turned kernel: stride − 1 zeros between
	// the positions of dout, side − 1 − pad of them around it.
	c.dilated = Shape{out.C, in.H + side - 1, in.W + side - 1}
	c.backPoints = corners(in.H, in.W, 1, c.dilated)
	c.backTaps = patch(side, c.dilated)
	return c
}

func (c *conv[T]) Load(x, stats []float64) {
	in, out, side := c.l.In.C, c.l.Out.C, c.l.Kernel
	area := side * side
	w, biases := x[c.l.Weights:][:out*in*area], x[c.l.Weights+out*in*area:]
	for o := range out {
		s, bias := 1.0, biases[o]
		if c.norm != nil {
			inverse := 1 / math.Sqrt(stats[c.norm.Stats+out+o]+c.epsilon)
			centred := bias - stats[c.norm.Stats+o]
			s = x[c.norm.Weights+o] * inverse
			bias = s*centred + x[c.norm.Weights+out+o]
			c.inverse[o], c.centred[o] = T(inverse), T(centred)
		}
		c.scale[o] = T(s)
		forth := &c.forth[o/maxWidth]
		forth.init[o%maxWidth] = T(bias)
		to := forth.b[o%maxWidth:]
		for ch := range in {
			back := &c.back[ch/maxWidth]
			turned := back.b[ch%maxWidth:]
			at := (o*in + ch) * area
			for t, v := range w[at : at+area] {
				folded := T(s * v)
				c.weight[at+t] = T(v)
				to[(t*in+ch)*forth.ldb] = folded
				turned[((area-1-t)*out+o)*back.ldb] = folded
			}
		}
	}
}

// corners returns the offsets of h×w positions, stride apart, in activations of shape s.
func corners(h, w, stride int, s Shape) []int32 {
	var out []int32
	for y := range h {
		for x := range w {
			out = append(out, int32((y*s.W+x)*stride*s.C))
		}
	}
	return out
}

// patch returns the offsets of a side×side patch in activations of shape s.
func patch(side int, s Shape) []int32 {
	var out []int32
	for y := range side {
		for x := range side {
			for c := range s.C {
				out = append(out, int32((y*s.W+x)*s.C+c))
			}
		}
	}
	return out
}

func (c *conv[T]) Shape() Shape { return c.l.Out }

func (c *conv[T]) Buffers() buffers[T] {
	b := buffers[T]{
		dilated: make([]T, c.dilated.size()+slack),
		dw:      make([]T, c.Sums()),
	}
	if c.l.Pad > 0 {
		b.padded = make([]T, c.padded.size()+slack)
	}
	return b
}

// patches returns in with its border of zeros.
func (c *conv[T]) patches(in []T, b *buffers[T]) []T {
	p := c.l.Pad
	if p == 0 {
		return in
	}
	run := c.l.In.W * c.l.In.C
	for y := range c.l.In.H {
		copy(b.padded[((y+p)*c.padded.W+p)*c.padded.C:], in[y*run:(y+1)*run])
	}
	return b.padded
}

func (c *conv[T]) Forward(out, in []T, b *buffers[T]) {
	patches := c.patches(in, b)
	for _, p := range c.forth {
		c.k.product(out[p.first:], c.l.Out.C, c.points, patches, c.taps, p, len(c.forth) > 1)
	}
}

func (c *conv[T]) Backward(din, dout, _, _ []T, b *buffers[T]) {
	out, from := c.l.Out, c.l.Kernel-1-c.l.Pad
	for y := range out.H {
		for x := range out.W {
			i, j := y*c.l.Stride+from, x*c.l.Stride+from
			if i >= 0 && i < c.dilated.H && j >= 0 && j < c.dilated.W { // else it saw only zeros
				copy(b.dilated[(i*c.dilated.W+j)*out.C:], dout[(y*out.W+x)*out.C:][:out.C])
			}
		}
	}
	for _, p := range c.back {
		c.k.product(din[p.first:], c.l.In.C, c.backPoints, b.dilated, c.backTaps, p, len(c.back) > 1)
	}
}

// kernelGradient leaves the gradient of W′ in b.dw, taps × columns, and that of b′ after it.
func (c *conv[T]) kernelGradient(dout, in []T, b *buffers[T]) {
	channels, stride := c.l.Out.C, width(c.forth)
	patches := c.patches(in, b)
	at := 0
	for _, p := range c.forth {
		p.b, p.ldb, p.init = dout[p.first:], channels, c.none
		p.used = p.width
		c.k.product(b.dw[at:], stride, c.taps, patches, c.points, p, false)
		at += p.width
	}
	c.k.vector(b.dw[len(c.taps)*stride:][:roundUp(channels)], c.ones, dout, channels, c.none)
}

// unfold hands the gradients of kernel, bias and the folded batch norm, one output channel
// after the other, to the row or vector that they belong to. It is linear in dw, the result
// of kernelGradient.
func unfold[T, U Float](c *conv[T], row []U, dw []T) {
	channels, count, stride := c.l.Out.C, len(c.taps), width(c.forth)
	sums := dw[count*stride:]
	area := c.l.Kernel * c.l.Kernel
	for o := range channels {
		s, dot := c.scale[o], T(0)
		to, w := row[c.l.Weights+o*count:][:count], c.weight[o*count:][:count]
		for ch := range c.l.In.C {
			from := ch*stride + o
			for t := ch * area; t < (ch+1)*area; t++ {
				v := dw[from]
				dot += v * w[t]
				to[t] = U(s * v)
				from += c.l.In.C * stride
			}
		}
		row[c.l.Weights+channels*count+o] = U(s * sums[o])
		if c.norm != nil {
			row[c.norm.Weights+o] = U((dot + c.centred[o]*sums[o]) * c.inverse[o])
			row[c.norm.Weights+channels+o] = U(sums[o])
		}
	}
}

func (c *conv[T]) RowTo(row, dout, in []T, b *buffers[T]) {
	c.kernelGradient(dout, in, b)
	unfold(c, row, b.dw)
}

func (c *conv[T]) Sums() int { return len(c.taps)*width(c.forth) + roundUp(c.l.Out.C) }

func (c *conv[T]) Add(sums, dout, in []T, b *buffers[T]) {
	c.kernelGradient(dout, in, b)
	c.k.plus(sums, b.dw)
}

func (c *conv[T]) Unpack(gradient []float64, sums []T) { unfold(c, gradient, sums) }
