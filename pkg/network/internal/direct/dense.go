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

func newDense[T Float](k *kernels[T], l Layer, x []float64) *dense[T] {
	in, out := l.In.size(), l.Out.size()
	d := &dense[T]{k: k, l: l, forth: make([]T, in*roundUp(out)), bias: make([]T, roundUp(out)), back: make([]T, out*roundUp(in)), none: make([]T, roundUp(in))}
	for o := range out {
		for i, w := range x[l.Weights+o*in:][:in] {
			d.forth[i*roundUp(out)+o] = T(w)
			d.back[o*roundUp(in)+i] = T(w)
		}
		d.bias[o] = T(x[l.Weights+out*in+o])
	}
	return d
}

func (d *dense[T]) Shape() Shape        { return d.l.Out }
func (d *dense[T]) Weights() bool       { return true }
func (d *dense[T]) Buffers() buffers[T] { return buffers[T]{} }

func (d *dense[T]) Forward(out, in []T, _ *buffers[T]) {
	n := roundUp(d.l.Out.size())
	d.k.vector(out[:n], in[:d.l.In.size()], d.forth, n, d.bias)
}

func (d *dense[T]) Backward(row, din, dout, in, _ []T, _ *buffers[T]) {
	inputs, outputs := d.l.In.size(), d.l.Out.size()
	dout = dout[:outputs]
	to := row[d.l.Weights:][:outputs*inputs+outputs]
	d.k.outer(to[:outputs*inputs], dout, in[:inputs])
	copy(to[outputs*inputs:], dout)
	if din != nil {
		n := roundUp(inputs)
		d.k.vector(din[:n], dout, d.back, n, d.none)
	}
}
