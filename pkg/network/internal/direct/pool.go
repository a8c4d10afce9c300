package direct

// maxPool is the largest number of each window; the first of equal ones gets the gradient.
type maxPool[T Float] struct {
	in, out Shape
	side    int
}

func (p maxPool[T]) Shape() Shape  { return p.out }
func (p maxPool[T]) Weights() bool { return false }

func (p maxPool[T]) Buffers() buffers[T] { return buffers[T]{chosen: make([]int32, p.out.size())} }

func (p maxPool[T]) Forward(out, in []T, b *buffers[T]) {
	channels := p.in.C
	for y := range p.out.H {
		for x := range p.out.W {
			at := (y*p.out.W + x) * channels
			best, chosen := out[at:][:channels], b.chosen[at:][:channels]
			corner := (y*p.in.W + x) * p.side * channels
			copy(best, in[corner:])
			for c := range chosen {
				chosen[c] = int32(corner + c)
			}
			for w := 1; w < p.side*p.side; w++ {
				from := corner + (w/p.side*p.in.W+w%p.side)*channels
				for c, v := range in[from:][:channels] {
					if v > best[c] {
						best[c], chosen[c] = v, int32(from+c)
					}
				}
			}
		}
	}
}

func (p maxPool[T]) Backward(_, din, dout, _, _ []T, b *buffers[T]) {
	clear(din[:p.in.size()])
	for i, from := range b.chosen {
		din[from] = dout[i]
	}
}

// avgPool is the mean of each window.
type avgPool[T Float] struct {
	in, out Shape
	side    int
}

func (p avgPool[T]) Shape() Shape        { return p.out }
func (p avgPool[T]) Weights() bool       { return false }
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

func (p avgPool[T]) Backward(_, din, dout, _, _ []T, _ *buffers[T]) {
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
