package direct

import "math"

// conv is a convolution, with the batch norm after it folded in if there is one.
type conv[T Float] struct {
	k *kernels[T]
	l Layer

	// Forward, and the gradient of the kernel.
	padded  Shape      // of the input in its border of zeros
	points  []int32    // corner in the padded input of the patch of each output position
	taps    []int32    // offset of each number of a patch, in the order (row, column, channel)
	forth   []panel[T] // W′, taps × output channels, and b′
	ones    []T        // one per output position
	none    []T        // zeros
	weight  []T        // W as in x: (output channel, channel, row, column)
	scale   []T        // s, or 1
	norm    bool       // whether a batch norm is folded in
	normAt  int        // offset of its scale and shift in x
	inverse []T        // 1/√(σ²+ε)
	centred []T        // b − μ

	// The gradient of the input.
	dilated    Shape      // of dout with zeros between and around
	backPoints []int32    // corner in it of the patch of each position of the input
	backTaps   []int32    // offset of each number of such a patch, in the order (row, column, channel)
	back       []panel[T] // W′ turned by half a turn, backTaps × input channels
}

func newConv[T Float](k *kernels[T], l Layer, norm *Layer, x, stats []float64, epsilon float64) *conv[T] {
	in, out, side := l.In, l.Out, l.Kernel
	c := &conv[T]{k: k, l: l, norm: norm != nil}
	count := in.C * side * side
	w := x[l.Weights : l.Weights+out.C*count]
	bias := append([]float64(nil), x[l.Weights+out.C*count:][:out.C]...)
	s := make([]float64, out.C)
	for o := range s {
		s[o] = 1
	}
	if norm != nil {
		c.normAt = norm.Weights
		for o := range s {
			inverse := 1 / math.Sqrt(stats[norm.Stats+out.C+o]+epsilon)
			centred := bias[o] - stats[norm.Stats+o]
			s[o] = x[norm.Weights+o] * inverse
			bias[o] = s[o]*centred + x[norm.Weights+out.C+o]
			c.inverse = append(c.inverse, T(inverse))
			c.centred = append(c.centred, T(centred))
		}
	}
	c.ones = make([]T, out.positions())
	for i := range c.ones {
		c.ones[i] = 1
	}
	c.none = make([]T, max(roundUp(out.C), maxWidth))
	for _, v := range w {
		c.weight = append(c.weight, T(v))
	}
	for _, v := range s {
		c.scale = append(c.scale, T(v))
	}

	c.padded = Shape{in.C, in.H + 2*l.Pad, in.W + 2*l.Pad}
	c.points = corners(out.H, out.W, l.Stride, c.padded)
	c.taps = patch(side, c.padded)
	folded := func(o, ch, i, j int) float64 { return s[o] * w[((o*in.C+ch)*side+i)*side+j] }
	c.forth = panels[T](count, out.C, func(t, o int) float64 {
		return folded(o, t%in.C, t/in.C/side, t/in.C%side)
	}, bias)

	// A position of the input sees dout through the turned kernel: stride − 1 zeros between
	// the positions of dout, side − 1 − pad of them around it.
	c.dilated = Shape{out.C, in.H + side - 1, in.W + side - 1}
	c.backPoints = corners(in.H, in.W, 1, c.dilated)
	c.backTaps = patch(side, c.dilated)
	c.back = panels[T](out.C*side*side, in.C, func(t, ch int) float64 {
		o, i, j := t%out.C, t/out.C/side, t/out.C%side
		return folded(o, ch, side-1-i, side-1-j)
	}, make([]float64, in.C))
	return c
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

func (c *conv[T]) Shape() Shape  { return c.l.Out }
func (c *conv[T]) Weights() bool { return true }

func (c *conv[T]) Buffers() buffers[T] {
	b := buffers[T]{
		dilated: make([]T, c.dilated.size()+slack),
		dw:      make([]T, len(c.taps)*width(c.forth)),
		sums:    make([]T, roundUp(c.l.Out.C)),
	}
	if c.l.Pad > 0 {
		b.padded = make([]T, c.padded.size()+slack)
	}
	return b
}

// patches returns in with its border of zeros.
func (c *conv[T]) patches(in []T, b *buffers[T]) []T {
	if c.l.Pad == 0 {
		return in
	}
	return b.padded
}

func (c *conv[T]) Forward(out, in []T, b *buffers[T]) {
	if p := c.l.Pad; p > 0 {
		run := c.l.In.W * c.l.In.C
		for y := range c.l.In.H {
			copy(b.padded[((y+p)*c.padded.W+p)*c.padded.C:], in[y*run:(y+1)*run])
		}
	}
	for _, p := range c.forth {
		c.k.product(out[p.first:], c.l.Out.C, c.points, c.patches(in, b), c.taps, p, len(c.forth) > 1)
	}
}

func (c *conv[T]) Backward(row, din, dout, in, _ []T, b *buffers[T]) {
	c.kernelGradient(row, dout, in, b)
	if din == nil {
		return
	}
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

// kernelGradient writes the gradients of kernel, bias and the folded batch norm.
func (c *conv[T]) kernelGradient(row, dout, in []T, b *buffers[T]) {
	channels, count, stride := c.l.Out.C, len(c.taps), width(c.forth)
	at := 0
	for _, p := range c.forth {
		p.b, p.ldb, p.init = dout[p.first:], channels, c.none
		p.used = p.width
		c.k.product(b.dw[at:], stride, c.taps, c.patches(in, b), c.points, p, false)
		at += p.width
	}
	sums := b.sums
	c.k.vector(sums, c.ones, dout, channels, c.none)
	area := c.l.Kernel * c.l.Kernel
	for o := range channels {
		s, dot := c.scale[o], T(0)
		to, w := row[c.l.Weights+o*count:][:count], c.weight[o*count:][:count]
		for ch := range c.l.In.C {
			from := ch*stride + o
			for t := ch * area; t < (ch+1)*area; t++ {
				v := b.dw[from]
				dot += v * w[t]
				to[t] = s * v
				from += c.l.In.C * stride
			}
		}
		row[c.l.Weights+channels*count+o] = s * sums[o]
		if c.norm {
			row[c.normAt+o] = (dot + c.centred[o]*sums[o]) * c.inverse[o]
			row[c.normAt+channels+o] = sums[o]
		}
	}
}
