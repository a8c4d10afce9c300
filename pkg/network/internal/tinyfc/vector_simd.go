//go:build goexperiment.simd && amd64

package tinyfc

import (
	"math"
	"simd/archsimd"
	"unsafe"
)

// block is the number of rows that are computed at a time.
const block = 128

type (
	lanes = [Hidden]float32 // the hidden units of a sample
	pair  = [8]float32      // the classes of a sample, padded; two of them make a vector
	vec   = archsimd.Float32x16
)

// vector is float32 with AVX-512. Its arrays are whole cache lines, and it is large enough
// for the allocator to align it.
type vector struct {
	w1           [Inputs]lanes // transposed
	gamma, beta  lanes
	w2           [Classes]lanes
	w2t          [Hidden]pair
	shift        lanes // what is subtracted before batch norm: mean − b1
	inverse      lanes // of the standard deviation
	center, tilt lanes // means over the batch of dy and of x̂·dy; 0 if frozen

	x      [block][stride]float32
	h      [block]lanes
	delta  [block]pair // logits, then the gradient with respect to them
	below  [block]pair // logits − the largest
	total  [block]pair // Σ exp of those, in every place
	dw1    [Inputs]lanes
	b2     pair
	labels [block]uint8

	z  []lanes // rows: before batch norm, then normalised, then the gradient with respect to it
	dy []lanes // rows: the gradient with respect to the output of batch norm

	data *Data
}

func newVector(d *Data) Engine {
	if !archsimd.X86.AVX512() {
		return nil
	}
	return &vector{data: d}
}

func (*vector) String() string { return "archsimd AVX-512, float32" }

func (e *vector) GradTo(dst, x []float64, idx []int, frozen bool, m *Moments) float64 {
	e.setWeights(x)
	rows := len(e.data.labels)
	if idx != nil {
		rows = len(idx)
	}
	if len(e.z) < rows {
		e.z, e.dy = make([]lanes, rows), make([]lanes, rows)
	}
	z, dy := e.z[:rows], e.dy[:rows]

	var images [][stride]float32 // of the block
	for from := 0; from < rows; from += block {
		to := min(from+block, rows)
		images = e.images(idx, from, to)
		e.forward(z[from:to], images)
	}
	if !frozen {
		moments(m, z)
		for j := range e.shift {
			e.shift[j] = float32(m.Mean[j])
			m.Mean[j] += x[atB1+j]
		}
	} else {
		for j := range e.shift {
			e.shift[j] = float32(m.Mean[j] - x[atB1+j])
		}
	}
	for j, v := range m.Variance {
		e.inverse[j] = float32(1 / math.Sqrt(v+e.data.epsilon))
	}

	clear(dst)
	var loss float64
	scale := 1 / float64(rows)
	for from := 0; from < rows; from += block {
		to := min(from+block, rows)
		e.normalise(z[from:to])
		loss += e.head(e.labelsOf(idx, from, to), float32(scale))
		e.backHead(dst, z[from:to], dy[from:to])
	}
	e.center, e.tilt = lanes{}, lanes{}
	dbeta, dgamma := dst[atBeta:atW2], dst[atGamma:atBeta]
	if !frozen { // the mean and the variance depend on every sample; their sums over dz are 0
		for j := range e.center {
			e.center[j], e.tilt[j] = float32(dbeta[j]*scale), float32(dgamma[j]*scale)
		}
	} else {
		for j, v := range dbeta {
			dst[atB1+j] = v * x[atGamma+j] * float64(e.inverse[j])
		}
	}
	for from := 0; from < rows; from += block {
		to := min(from+block, rows)
		if rows > block {
			images = e.images(idx, from, to)
		}
		e.throughNorm(z[from:to], dy[from:to])
		e.backward(z[from:to], images)
		for j := range Hidden {
			row := dst[j*Inputs:][:Inputs]
			for k := range row {
				row[k] += float64(e.dw1[k][j])
			}
		}
	}
	return loss * scale
}

// setWeights converts and lays out x.
func (e *vector) setWeights(x []float64) {
	for j := range Hidden {
		for k, v := range x[j*Inputs:][:Inputs] {
			e.w1[k][j] = float32(v)
		}
		e.gamma[j], e.beta[j] = float32(x[atGamma+j]), float32(x[atBeta+j])
	}
	for c := range Classes {
		for j, v := range x[atW2+c*Hidden:][:Hidden] {
			e.w2[c][j], e.w2t[j][c] = float32(v), float32(v)
		}
		e.b2[c] = float32(x[atB2+c])
	}
	for c := Classes; c < len(e.b2); c++ {
		e.b2[c] = -1e30 // no class: its probability is 0
	}
}

// images returns the images idx[from:to], block of them at most, next to each other. They
// are copied to e.x, unless idx is nil, which means all images.
func (e *vector) images(idx []int, from, to int) [][stride]float32 {
	if idx == nil {
		return e.data.images[from:to]
	}
	x := e.x[:to-from]
	for n, k := range idx[from:to] {
		image := &e.data.images[k]
		for i := 0; i < stride; i += 16 {
			archsimd.LoadFloat32x16((*lanes)(image[i:])).Store((*lanes)(x[n][i:]))
		}
	}
	return x
}

// labelsOf is images for labels.
func (e *vector) labelsOf(idx []int, from, to int) []uint8 {
	if idx == nil {
		return e.data.labels[from:to]
	}
	labels := e.labels[:to-from]
	for n, k := range idx[from:to] {
		labels[n] = e.data.labels[k]
	}
	return labels
}

// forward computes z, without bias, of the images x, as many.
func (e *vector) forward(z []lanes, x [][stride]float32) {
	x = x[:len(z)]
	n := 0
	for ; n+6 <= len(z); n += 6 {
		p := unsafe.Pointer(&x[n])
		var s0, s1, s2, s3, s4, s5 vec
		for k := range e.w1 {
			w := archsimd.LoadFloat32x16(&e.w1[k])
			s0 = w.MulAdd(spread(p, 0), s0)
			s1 = w.MulAdd(spread(p, 1), s1)
			s2 = w.MulAdd(spread(p, 2), s2)
			s3 = w.MulAdd(spread(p, 3), s3)
			s4 = w.MulAdd(spread(p, 4), s4)
			s5 = w.MulAdd(spread(p, 5), s5)
			p = unsafe.Add(p, 4)
		}
		out := (*[6]lanes)(z[n:])
		s0.Store(&out[0])
		s1.Store(&out[1])
		s2.Store(&out[2])
		s3.Store(&out[3])
		s4.Store(&out[4])
		s5.Store(&out[5])
	}
	for ; n < len(z); n++ {
		var even, odd vec
		x := &x[n]
		for k := 0; k+1 < Inputs; k += 2 {
			even = archsimd.LoadFloat32x16(&e.w1[k]).MulAdd(archsimd.BroadcastFloat32x16(x[k]), even)
			odd = archsimd.LoadFloat32x16(&e.w1[k+1]).MulAdd(archsimd.BroadcastFloat32x16(x[k+1]), odd)
		}
		last := archsimd.LoadFloat32x16(&e.w1[Inputs-1])
		last.MulAdd(archsimd.BroadcastFloat32x16(x[Inputs-1]), even).Add(odd).Store(&z[n])
	}
}

// spread fills a vector with the number at p in the given image after that of p.
func spread(p unsafe.Pointer, image int) vec {
	return archsimd.BroadcastFloat32x16(*(*float32)(unsafe.Add(p, image*4*stride)))
}

// moments stores the mean and the biased variance of z in m.
func moments(m *Moments, z []lanes) {
	*m = Moments{}
	each := func(dst *[Hidden]float64, term func(z []lanes) vec) {
		for from := 0; from < len(z); from += block {
			addTo(dst[:], term(z[from:min(from+block, len(z))]))
		}
		for j := range dst {
			dst[j] /= float64(len(z))
		}
	}
	each(&m.Mean, func(z []lanes) vec {
		var even, odd vec
		for len(z) >= 2 {
			even = even.Add(archsimd.LoadFloat32x16(&z[0]))
			odd = odd.Add(archsimd.LoadFloat32x16(&z[1]))
			z = z[2:]
		}
		if len(z) > 0 {
			even = even.Add(archsimd.LoadFloat32x16(&z[0]))
		}
		return even.Add(odd)
	})
	var mean lanes
	for j, v := range m.Mean {
		mean[j] = float32(v)
	}
	center := archsimd.LoadFloat32x16(&mean)
	each(&m.Variance, func(z []lanes) vec {
		var even, odd vec
		for len(z) >= 2 {
			a := archsimd.LoadFloat32x16(&z[0]).Sub(center)
			b := archsimd.LoadFloat32x16(&z[1]).Sub(center)
			even, odd = a.MulAdd(a, even), b.MulAdd(b, odd)
			z = z[2:]
		}
		if len(z) > 0 {
			a := archsimd.LoadFloat32x16(&z[0]).Sub(center)
			even = a.MulAdd(a, even)
		}
		return even.Add(odd)
	})
}

// addTo adds the numbers of v to dst.
func addTo(dst []float64, v vec) {
	low, high := (*[8]float64)(dst), (*[8]float64)(dst[8:])
	archsimd.LoadFloat64x8(low).Add(v.GetLo().ConvertToFloat64()).Store(low)
	archsimd.LoadFloat64x8(high).Add(v.GetHi().ConvertToFloat64()).Store(high)
}

// normalise replaces z by x̂ and computes h = max(γx̂ + β, 0).
func (e *vector) normalise(z []lanes) {
	shift, inverse := archsimd.LoadFloat32x16(&e.shift), archsimd.LoadFloat32x16(&e.inverse)
	gamma, beta := archsimd.LoadFloat32x16(&e.gamma), archsimd.LoadFloat32x16(&e.beta)
	var zero vec
	h := e.h[:len(z)]
	for n := range z {
		xhat := archsimd.LoadFloat32x16(&z[n]).Sub(shift).Mul(inverse)
		xhat.Store(&z[n])
		zero.Max(xhat.MulAdd(gamma, beta)).Store(&h[n])
	}
}

// head computes the logits of the rows of h, the sum of their losses, and scale times the
// gradient of that sum with respect to the logits.
func (e *vector) head(labels []uint8, scale float32) float64 {
	rows := len(labels)
	b2 := archsimd.LoadFloat32x8(&e.b2)
	for n := 0; n < rows; n += 4 { // rows past the end are computed and not used
		p := unsafe.Pointer(&e.h[n])
		s0, s1, s2, s3 := b2, b2, b2, b2
		for j := range e.w2t {
			w := archsimd.LoadFloat32x8(&e.w2t[j])
			s0 = w.MulAdd(archsimd.BroadcastFloat32x8(*(*float32)(p)), s0)
			s1 = w.MulAdd(archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(p, 4*Hidden))), s1)
			s2 = w.MulAdd(archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(p, 8*Hidden))), s2)
			s3 = w.MulAdd(archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(p, 12*Hidden))), s3)
			p = unsafe.Add(p, 4)
		}
		out := (*[4]pair)(e.delta[n:])
		s0.Store(&out[0])
		s1.Store(&out[1])
		s2.Store(&out[2])
		s3.Store(&out[3])
	}
	one, two, four := archsimd.LoadUint32x16(&swapOnes), archsimd.LoadUint32x16(&swapTwos), archsimd.LoadUint32x16(&swapFours)
	scales := archsimd.BroadcastFloat32x16(scale)
	for n := 0; n < rows; n += 2 {
		delta := both(&e.delta, n)
		l := archsimd.LoadFloat32x16(delta)
		largest := l.Max(l.Permute(one))
		largest = largest.Max(largest.Permute(two))
		largest = largest.Max(largest.Permute(four))
		below := l.Sub(largest)
		below.Store(both(&e.below, n))
		p := exp(below)
		sum := p.Add(p.Permute(one))
		sum = sum.Add(sum.Permute(two))
		sum = sum.Add(sum.Permute(four))
		sum.Store(both(&e.total, n))
		p.Div(sum).Mul(scales).Store(delta)
	}
	var at [2]float64
	product := [2]float64{1, 1} // of at most 64 numbers between 1 and 8 each
	for n, label := range labels {
		label %= 8 // it is; the compiler does not know
		e.delta[n][label] -= scale
		at[n%2] += float64(e.below[n][label])
		product[n%2] *= float64(e.total[n][0])
	}
	return math.Log(product[0]) + math.Log(product[1]) - at[0] - at[1]
}

// both views the rows n and n+1 as one vector.
func both(rows *[block]pair, n int) *lanes { return (*lanes)(unsafe.Pointer(&rows[n])) }

// Exchanges of neighbours, of pairs and of fours within each half of a vector.
var (
	swapOnes  = [16]uint32{1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14}
	swapTwos  = [16]uint32{2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13}
	swapFours = [16]uint32{4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11}
)

// exp is e^v for v ≤ 0, with a relative error below 3e-7; below −70 it is e^−70, which is
// nothing beside the largest, 1, and so large that its products stay normal numbers: a
// subnormal one costs more than the rest of the row.
func exp(v vec) vec {
	const (
		log2e = 1 / math.Ln2
		high  = 0.693359375 // ln 2 in two parts, the first of 10 bits, so that n·high is exact
		low   = math.Ln2 - high
	)
	v = v.Max(archsimd.BroadcastFloat32x16(-70))
	n := v.Mul(archsimd.BroadcastFloat32x16(log2e)).RoundToEvenScaled(0)
	r := n.MulAdd(archsimd.BroadcastFloat32x16(-high), v)
	r = n.MulAdd(archsimd.BroadcastFloat32x16(-low), r)
	// The Taylor series: |r| ≤ ln 2 / 2 leaves r⁸/8! < 5.2e-9.
	s := archsimd.BroadcastFloat32x16(1. / 5040)
	s = s.MulAdd(r, archsimd.BroadcastFloat32x16(1./720))
	s = s.MulAdd(r, archsimd.BroadcastFloat32x16(1./120))
	s = s.MulAdd(r, archsimd.BroadcastFloat32x16(1./24))
	s = s.MulAdd(r, archsimd.BroadcastFloat32x16(1./6))
	s = s.MulAdd(r, archsimd.BroadcastFloat32x16(1./2))
	s = s.MulAdd(r, archsimd.BroadcastFloat32x16(1))
	s = s.MulAdd(r, archsimd.BroadcastFloat32x16(1))
	return s.Scale(n)
}

// backHead computes dy of the rows with the normalised z, and adds to dst the gradients of
// everything behind the first layer.
func (e *vector) backHead(dst []float64, z, dy []lanes) {
	h, delta := e.h[:len(z)], e.delta[:len(z)]
	var s0, s1, s2, s3, s4 vec
	var bias archsimd.Float32x8
	for n := range h {
		v, d := archsimd.LoadFloat32x16(&h[n]), &delta[n]
		s0 = v.MulAdd(archsimd.BroadcastFloat32x16(d[0]), s0)
		s1 = v.MulAdd(archsimd.BroadcastFloat32x16(d[1]), s1)
		s2 = v.MulAdd(archsimd.BroadcastFloat32x16(d[2]), s2)
		s3 = v.MulAdd(archsimd.BroadcastFloat32x16(d[3]), s3)
		s4 = v.MulAdd(archsimd.BroadcastFloat32x16(d[4]), s4)
		bias = bias.Add(archsimd.LoadFloat32x8(d))
	}
	dw2 := dst[atW2:]
	addTo(dw2, s0)
	addTo(dw2[Hidden:], s1)
	addTo(dw2[2*Hidden:], s2)
	addTo(dw2[3*Hidden:], s3)
	addTo(dw2[4*Hidden:], s4)
	var b pair
	bias.Store(&b)
	for c := range Classes {
		dst[atB2+c] += float64(b[c])
	}

	w0, w1, w2 := archsimd.LoadFloat32x16(&e.w2[0]), archsimd.LoadFloat32x16(&e.w2[1]), archsimd.LoadFloat32x16(&e.w2[2])
	w3, w4 := archsimd.LoadFloat32x16(&e.w2[3]), archsimd.LoadFloat32x16(&e.w2[4])
	var zero, sum, tilted vec
	dy = dy[:len(z)]
	for n := range z {
		d := &delta[n]
		a := archsimd.BroadcastFloat32x16(d[0]).Mul(w0)
		b := archsimd.BroadcastFloat32x16(d[1]).Mul(w1)
		a = archsimd.BroadcastFloat32x16(d[2]).MulAdd(w2, a)
		b = archsimd.BroadcastFloat32x16(d[3]).MulAdd(w3, b)
		a = archsimd.BroadcastFloat32x16(d[4]).MulAdd(w4, a)
		v := a.Add(b).Masked(archsimd.LoadFloat32x16(&h[n]).Greater(zero))
		v.Store(&dy[n])
		sum = sum.Add(v)
		tilted = archsimd.LoadFloat32x16(&z[n]).MulAdd(v, tilted)
	}
	addTo(dst[atBeta:], sum)
	addTo(dst[atGamma:], tilted)
}

// throughNorm replaces x̂ in z by the gradient with respect to the input of batch norm.
func (e *vector) throughNorm(z, dy []lanes) {
	center, tilt := archsimd.LoadFloat32x16(&e.center), archsimd.LoadFloat32x16(&e.tilt)
	slope := archsimd.LoadFloat32x16(&e.gamma).Mul(archsimd.LoadFloat32x16(&e.inverse))
	dy = dy[:len(z)]
	for n := range z {
		xhat := archsimd.LoadFloat32x16(&z[n])
		archsimd.LoadFloat32x16(&dy[n]).Sub(center).Sub(xhat.Mul(tilt)).Mul(slope).Store(&z[n])
	}
}

// backward computes dw1 of the images x.
func (e *vector) backward(dz []lanes, x [][stride]float32) {
	x = x[:len(dz)]
	for k := 0; k < Inputs; k += 7 {
		first := unsafe.Pointer(&x[0][k])
		var s0, s1, s2, s3, s4, s5, s6 vec
		for n := range dz {
			p := unsafe.Add(first, 4*stride*n) // never past the images, which the collector would mind
			v := archsimd.LoadFloat32x16(&dz[n])
			s0 = v.MulAdd(number(p, 0), s0)
			s1 = v.MulAdd(number(p, 1), s1)
			s2 = v.MulAdd(number(p, 2), s2)
			s3 = v.MulAdd(number(p, 3), s3)
			s4 = v.MulAdd(number(p, 4), s4)
			s5 = v.MulAdd(number(p, 5), s5)
			s6 = v.MulAdd(number(p, 6), s6)
		}
		out := (*[7]lanes)(e.dw1[k:])
		s0.Store(&out[0])
		s1.Store(&out[1])
		s2.Store(&out[2])
		s3.Store(&out[3])
		s4.Store(&out[4])
		s5.Store(&out[5])
		s6.Store(&out[6])
	}
}

// number fills a vector with the i-th number after p.
func number(p unsafe.Pointer, i int) vec {
	return archsimd.BroadcastFloat32x16(*(*float32)(unsafe.Add(p, 4*i)))
}
