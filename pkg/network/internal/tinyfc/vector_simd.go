//go:build goexperiment.simd && amd64 && !purego

package tinyfc

import (
	"math"
	"simd/archsimd"
	"unsafe"

	"sgdlab/pkg/network/internal/direct"
)

const (
	block  = 128 // rows that are computed at a time
	stride = 64  // the length of an image in a block: whole cache lines
	height = 8   // rows of a tile of package direct
)

type (
	lanes = [Hidden]float32 // the hidden units of a sample
	pair  = [8]float32      // the classes of a sample, padded; two of them make a vector
	vec   = archsimd.Float32x16
)

// vector is float32 with AVX-512. Its arrays are whole cache lines, and it is large enough
// for the allocator to align it. Its methods clear the upper bits of the registers before
// scalar arithmetic, theirs or of whoever comes next, which otherwise is several times slower.
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
	dw1    [Hidden][body]float32
	dlast  lanes // the rest of dW1: of the last input
	b2     pair
	labels [block]uint8

	z  []lanes // rows, up to whole tiles: before batch norm, then normalised, then the gradient with respect to it
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
		whole := (rows + height - 1) / height * height
		e.z, e.dy = make([]lanes, whole), make([]lanes, whole)
	}
	z, dy := e.z[:rows], e.dy[:rows]

	for from := 0; from < rows; from += block {
		to := min(from+block, rows)
		e.load(idx, from, to)
		e.forward(z[from:to])
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
			e.load(idx, from, to)
		}
		e.throughNorm(z[from:to], dy[from:to])
		e.backward(dst, z[from:to])
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

// load copies the images idx[from:to], block of them at most, to e.x; a nil idx means all
// images.
func (e *vector) load(idx []int, from, to int) {
	x := e.x[:to-from]
	for n := range x {
		k := from + n
		if idx != nil {
			k = idx[k]
		}
		image, row := &e.data.images[k], &x[n]
		for i := 0; i < body; i += 16 {
			archsimd.LoadFloat32x16((*lanes)(image[i:])).Store((*lanes)(row[i:]))
		}
		archsimd.BroadcastFloat32x16(e.data.last[k]).Store((*lanes)(row[body:]))
	}
}

// labelsOf returns the labels of those images.
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

// Multiples of a distance between the rows or the terms of a tile, from 0 on.
var (
	inputs = multiples(1, Inputs)
	units  = multiples(Hidden, block)
	images = multiples(stride, height)
	none   lanes
)

func multiples(of int32, n int) []int32 {
	m := make([]int32, n)
	for i := range m {
		m[i] = int32(i) * of
	}
	return m
}

// firstRows returns those of a tile.
func firstRows(offsets []int32) *[height]int32 { return (*[height]int32)(offsets) }

// forward computes z, without bias, of as many images in e.x, and beyond up to a whole tile.
func (e *vector) forward(z []lanes) {
	for n := 0; n < len(z); n += height {
		direct.Tile16(z[n][:], Hidden, firstRows(images), e.x[n][:], inputs, e.w1[0][:], Hidden, &none)
	}
}

// moments stores the mean and the biased variance of z in m.
func moments(m *Moments, z []lanes) {
	*m = Moments{}
	each := func(dst *[Hidden]float64, term func(z []lanes) vec) {
		for from := 0; from < len(z); from += block {
			addTo(dst[:], term(z[from:min(from+block, len(z))]))
		}
		archsimd.ClearAVXUpperBits()
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
	for n := 0; n < len(labels); n += height { // rows past the end are computed and not used
		direct.Tile8(e.delta[n][:], len(pair{}), firstRows(units), e.h[n][:], inputs[:Hidden], e.w2t[0][:], len(pair{}), &e.b2)
	}
	one, two, four := archsimd.LoadUint32x16(&swapOnes), archsimd.LoadUint32x16(&swapTwos), archsimd.LoadUint32x16(&swapFours)
	scales := archsimd.BroadcastFloat32x16(scale)
	for n := 0; n < len(labels); n += 2 {
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
	archsimd.ClearAVXUpperBits()
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
	archsimd.ClearAVXUpperBits()
	for c := range Classes {
		dst[atB2+c] += float64(b[c])
	}
}

// throughNorm replaces x̂ in z by the gradient dz with respect to the input of batch norm,
// and computes that with respect to the weights of the last input.
func (e *vector) throughNorm(z, dy []lanes) {
	center, tilt := archsimd.LoadFloat32x16(&e.center), archsimd.LoadFloat32x16(&e.tilt)
	slope := archsimd.LoadFloat32x16(&e.gamma).Mul(archsimd.LoadFloat32x16(&e.inverse))
	var last vec
	x, dy := e.x[:len(z)], dy[:len(z)]
	for n := range z {
		xhat := archsimd.LoadFloat32x16(&z[n])
		dz := archsimd.LoadFloat32x16(&dy[n]).Sub(center).Sub(xhat.Mul(tilt)).Mul(slope)
		dz.Store(&z[n])
		last = dz.MulAdd(archsimd.BroadcastFloat32x16(x[n][body]), last)
	}
	last.Store(&e.dlast)
}

// backward adds to dst the gradient with respect to the first weight.
func (e *vector) backward(dst []float64, dz []lanes) {
	for j := 0; j < Hidden; j += height {
		for k := 0; k < body; k += 16 {
			direct.Tile16(e.dw1[j][k:], body, firstRows(inputs[j:]), dz[0][:], units[:len(dz)], e.x[0][k:], stride, &none)
		}
	}
	for j := range e.dw1 {
		for k := 0; k < body; k += 16 {
			addTo(dst[j*Inputs+k:], archsimd.LoadFloat32x16((*lanes)(e.dw1[j][k:])))
		}
	}
	archsimd.ClearAVXUpperBits()
	for j, v := range e.dlast {
		dst[j*Inputs+body] += float64(v)
	}
}
