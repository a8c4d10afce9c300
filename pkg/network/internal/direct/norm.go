package direct

import "math"

// norm is batch norm in training: y = γ·x̂ + β per channel, x̂ = (z−μ)/√(σ²+ε), with mean and
// biased variance of the batch, through which the gradient goes as well:
//
//	dz = s·(d − mean(d) − x̂·mean(d·x̂)),   s = γ/√(σ²+ε),   dγ = Σ d·x̂,   dβ = Σ d.
//
// Vectors of one number per channel are repeated to the length period, a multiple of lanes, so
// that they run along the activations of a sample.
type norm[T Float] struct {
	k       *kernels[T]
	l       Layer
	epsilon float64
	period  int
	none    []T

	scale, shift      []T // y = scale·z + shift
	centre            []T // μ
	along, back, move []T // dz = along·d + back·z + move

	mean, inverse []float64 // μ, 1/√(σ²+ε)
	m2            []float64 // Σ (z−μ)²
	count         int       // numbers per channel
}

// partial is what a part of the batch adds to the sums of a norm.
type partial[T Float] struct {
	count         int       // numbers per channel
	from          []T       // first position: deviations are taken from it, repeated to period
	first, second []float64 // per channel
	s1, s2        []T       // memory, period
}

func newNorm[T Float](k *kernels[T], l Layer, epsilon float64) *norm[T] {
	n := &norm[T]{k: k, l: l, epsilon: epsilon}
	channels := l.In.C
	n.period = roundUp(channels)
	if l.In.positions() > 1 {
		for n.period = channels; n.period%lanes != 0; n.period += channels {
		}
		for fit := n.period; n.period < maxWidth; n.period += fit { // the width that moments likes best
		}
	}
	for _, v := range []*[]T{&n.none, &n.scale, &n.shift, &n.centre, &n.along, &n.back, &n.move} {
		*v = make([]T, n.period)
	}
	for _, v := range []*[]float64{&n.mean, &n.inverse, &n.m2} {
		*v = make([]float64, channels)
	}
	return n
}

func (n *norm[T]) partial() partial[T] {
	channels := n.l.In.C
	return partial[T]{
		from: make([]T, n.period), first: make([]float64, channels), second: make([]float64, channels),
		s1: make([]T, n.period), s2: make([]T, n.period),
	}
}

func (n *norm[T]) Shape() Shape        { return n.l.Out }
func (n *norm[T]) Buffers() buffers[T] { return buffers[T]{} }

func (n *norm[T]) Forward(out, in []T, _ *buffers[T]) {
	size := n.l.In.size()
	n.k.affine(out[:size], in[:size], n.scale, n.shift)
}

func (n *norm[T]) Backward(din, dout, in, _ []T, _ *buffers[T]) {
	size := n.l.In.size()
	n.k.affinePair(din[:size], dout[:size], in[:size], n.along, n.back, n.move)
}

// repeat stores v, one number per channel, in dst as often as it fits.
func repeat[T Float](dst, v []T) {
	for i := range dst {
		dst[i] = v[i%len(v)]
	}
}

// gather sets p to the sums of d − level and (d − level)·(z − centre) over samples that are
// stride apart.
func (n *norm[T]) gather(p *partial[T], d, z []T, samples, stride int, level, centre []T) {
	channels, size := n.l.In.C, n.l.In.size()
	clear(p.first)
	clear(p.second)
	p.count = samples * n.l.In.positions()
	fold := func(d, z []T, ld, rows, columns int) {
		clear(p.s1)
		clear(p.s2)
		n.k.moments(p.s1, p.s2, d, z, ld, rows, level, centre)
		for i := 0; i < columns; i += channels {
			for c := range channels {
				p.first[c] += float64(p.s1[i+c])
				p.second[c] += float64(p.s2[i+c])
			}
		}
	}
	if size == channels { // samples are the rows
		fold(d, z, stride, samples, channels)
		return
	}
	rows := size / n.period
	for s := range samples {
		d, z := d[s*stride:], z[s*stride:]
		if rows > 0 {
			fold(d, z, n.period, rows, n.period)
		}
		for i := rows * n.period; i < size; i += channels {
			for c := range channels {
				v := d[i+c] - level[c]
				p.first[c] += float64(v)
				p.second[c] += float64(v * (z[i+c] - centre[c]))
			}
		}
	}
}

// measure sets p to the moments of z about its first position, which is near enough to the
// mean for the sums to lose nothing.
func (n *norm[T]) measure(p *partial[T], z []T, samples, stride int) {
	repeat(p.from, z[:n.l.In.C])
	n.gather(p, z, z, samples, stride, p.from, p.from)
}

// normalise takes the moments of all parts of the batch, in order, and x.
func (n *norm[T]) normalise(parts []partial[T], x []float64) {
	channels := n.l.In.C
	clear(n.mean)
	clear(n.m2)
	n.count = 0
	for _, p := range parts {
		size, all := float64(p.count), float64(n.count+p.count)
		share := size / all
		for c := range channels {
			mean := float64(p.from[c]) + p.first[c]/size
			m2 := max(p.second[c]-p.first[c]*p.first[c]/size, 0)
			delta := mean - n.mean[c]
			n.mean[c] += share * delta
			n.m2[c] += m2 + delta*delta*share*float64(n.count)
		}
		n.count += p.count
	}
	for c := range channels {
		n.inverse[c] = 1 / math.Sqrt(n.m2[c]/float64(n.count)+n.epsilon)
		s := x[n.l.Weights+c] * n.inverse[c]
		n.scale[c], n.shift[c], n.centre[c] = T(s), T(x[n.l.Weights+channels+c]-s*n.mean[c]), T(n.mean[c])
	}
	for _, v := range [][]T{n.scale, n.shift, n.centre} {
		repeat(v, v[:channels])
	}
}

// sumUp sets p to the sums of d and d·(z−μ).
func (n *norm[T]) sumUp(p *partial[T], d, z []T, samples, stride int) {
	n.gather(p, d, z, samples, stride, n.none, n.centre)
}

// turn takes the sums of all parts, in order, writes dγ and dβ into gradient and gets ready for
// Backward.
func (n *norm[T]) turn(parts []partial[T], gradient []float64) {
	channels := n.l.In.C
	count := float64(n.count)
	for c := range channels {
		var first, second float64
		for _, p := range parts {
			first += p.first[c]
			second += p.second[c]
		}
		inverse := n.inverse[c]
		gradient[n.l.Weights+c] = inverse * second
		gradient[n.l.Weights+channels+c] = first
		s := float64(n.scale[c])
		back := -s * inverse * inverse * second / count
		n.along[c], n.back[c], n.move[c] = n.scale[c], T(back), T(-s*first/count-back*n.mean[c])
	}
	for _, v := range [][]T{n.along, n.back, n.move} {
		repeat(v, v[:channels])
	}
}

// StatisticsTo stores mean and unbiased variance of the batch in stats.
func (n *norm[T]) statisticsTo(stats []float64) {
	channels := n.l.In.C
	for c := range channels {
		stats[n.l.Stats+c] = n.mean[c]
		stats[n.l.Stats+channels+c] = n.m2[c] / float64(n.count-1)
	}
}
