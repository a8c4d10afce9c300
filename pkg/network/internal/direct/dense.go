package direct

// dense is a fully connected layer: z = Wa + b.
type dense[T Float] struct {
	k     *kernels[T]
	l     Layer
	forth []T // Wᵀ, inputs × outputs, columns rounded up to lanes
	bias  []T // outputs, rounded up
	back  []T // W, outputs × inputs, columns rounded up
	none  []T // zeros, inputs rounded up
}

func roundUp(n int) int { return (n + lanes - 1) / lanes * lanes }

func newDense[T Float](k *kernels[T], l Layer) *dense[T] {
	in, out := l.In.size(), l.Out.size()
	return &dense[T]{k: k, l: l, forth: make([]T, in*roundUp(out)), bias: make([]T, roundUp(out)), back: make([]T, out*roundUp(in)), none: make([]T, roundUp(in))}
}

func (d *dense[T]) Load(x, _ []float64) {
	in, out := d.l.In.size(), d.l.Out.size()
	for o := range out {
		back := d.back[o*roundUp(in):]
		for i, w := range x[d.l.Weights+o*in:][:in] {
			d.forth[i*roundUp(out)+o] = T(w)
			back[i] = T(w)
		}
		d.bias[o] = T(x[d.l.Weights+out*in+o])
	}
}

func (d *dense[T]) Shape() Shape        { return d.l.Out }
func (d *dense[T]) Buffers() buffers[T] { return buffers[T]{} }

func (d *dense[T]) Forward(out, in []T, _ *buffers[T]) {
	n := roundUp(d.l.Out.size())
	d.k.vector(out[:n], in[:d.l.In.size()], d.forth, n, d.bias)
}

func (d *dense[T]) Backward(din, dout, _, _ []T, _ *buffers[T]) {
	n := roundUp(d.l.In.size())
	d.k.vector(din[:n], dout[:d.l.Out.size()], d.back, n, d.none)
}

func (d *dense[T]) RowTo(row, dout, in []T, _ *buffers[T]) {
	inputs, outputs := d.l.In.size(), d.l.Out.size()
	to := row[d.l.Weights:][:d.Sums()]
	d.k.outer(to[:outputs*inputs], dout[:outputs], in[:inputs])
	copy(to[outputs*inputs:], dout)
}

func (d *dense[T]) Sums() int { return d.l.Out.size() * (d.l.In.size() + 1) }

func (d *dense[T]) Add(sums, dout, in []T, _ *buffers[T]) {
	inputs, outputs := d.l.In.size(), d.l.Out.size()
	d.k.outerPlus(sums[:outputs*inputs], dout[:outputs], in[:inputs])
	d.k.plus(sums[outputs*inputs:], dout[:outputs])
}

func (d *dense[T]) Unpack(gradient []float64, sums []T) {
	for i, v := range sums {
		gradient[d.l.Weights+i] = float64(v)
	}
}
