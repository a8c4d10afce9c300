package direct

// maxPool is the largest number of each window; the first of equal ones gets the gradient.
type maxPool[T Float] struct {
	k       *kernels[T]
	in, out Shape
	corners []int32 // offset of each window
	steps   []int32 // offset of each position in a window
	ones    []T
}

func newMaxPool[T Float](k *kernels[T], l Layer) *maxPool[T] {
	p := &maxPool[T]{k: k, in: l.In, out: l.Out, corners: corners(l.Out.H, l.Out.W, l.Kernel, l.In), ones: []T{1}}
	for y := range l.Kernel {
		for x := range l.Kernel {
			p.steps = append(p.steps, int32((y*l.In.W+x)*l.In.C))
		}
	}
	return p
}

func (p *maxPool[T]) Shape() Shape { return p.out }

func (p *maxPool[T]) Buffers() buffers[T] {
	return buffers[T]{kept: make([]T, p.out.size()+slack)}
}

func (p *maxPool[T]) Forward(out, in []T, b *buffers[T]) {
	channels := p.in.C
	for i, corner := range p.corners {
		at := i * channels
		p.k.window(out[at:][:channels], b.kept[at:][:channels], in[corner:], p.steps, p.ones)
	}
}

func (p *maxPool[T]) Backward(din, dout, _, _ []T, b *buffers[T]) {
	clear(din[:p.in.size()])
	channels := p.in.C
	for i, corner := range p.corners {
		to, d := din[corner:], dout[i*channels:][:channels]
		for c, chosen := range b.kept[i*channels:][:channels] {
			to[int(p.steps[int(chosen)])+c] = d[c]
		}
	}
}

// avgPool is the mean of each window.
type avgPool[T Float] struct {
	in, out Shape
	side    int
}

func (p avgPool[T]) Shape() Shape        { return p.out }
func (p avgPool[T]) Buffers() buffers[T] { return buffers[T]{} }

func (p avgPool[T]) Forward(out, in []T, _ *buffers[T]) {
	out = out[:p.out.size()]
	clear(out)
	for y := range p.in.H {
		for x := range p.in.W {
			sum := out[(y/p.side*p.out.W+x/p.side)*p.in.C:][:p.in.C]
			for c, v := range in[(y*p.in.W+x)*p.in.C:][:p.in.C] {
				sum[c] += v
			}
		}
	}
	share := 1 / T(p.side*p.side)
	for i := range out {
		out[i] *= share
	}
}

func (p avgPool[T]) Backward(din, dout, _, _ []T, _ *buffers[T]) {
	share := 1 / T(p.side*p.side)
	for y := range p.in.H {
		for x := range p.in.W {
			d := dout[(y/p.side*p.out.W+x/p.side)*p.in.C:][:p.in.C]
			to := din[(y*p.in.W+x)*p.in.C:]
			for c, v := range d {
				to[c] = v * share
			}
		}
	}
}
