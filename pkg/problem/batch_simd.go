//go:build goexperiment.simd && amd64

package problem

import (
	"math"
	"simd/archsimd"
)

// The systems of this package for eight points at a time with AVX-512: the operations of
// their functions of one point in the same order, none fused, so that the bits are the same.

type vec = archsimd.Float64x8

var tensorWellBatch, xdBatch, cvBatch func(b *Batch)

func init() {
	if archsimd.X86.AVX512() {
		tensorWellBatch, xdBatch, cvBatch = tensorWell8, xd8, cv8
	}
}

// part views the eight numbers from i on.
func part(a *[Lanes]float64, i int) *[8]float64 { return (*[8]float64)(a[i:]) }

func load(a *[Lanes]float64, i int) vec { return archsimd.LoadFloat64x8(part(a, i)) }

func num(x float64) vec { return archsimd.BroadcastFloat64x8(x) }

func tensorWell8(b *Batch) {
	for i := 0; i < Lanes; i += 8 {
		x, y := load(&b.X1, i), load(&b.X2, i)
		sx, cx := sincos8(x)
		sy, cy := sincos8(y)
		one, p3, p4 := num(1), num(.3), num(.4)
		sc, cs, cc, ss := sx.Mul(cy), cx.Mul(sy), cx.Mul(cy), sx.Mul(sy)
		xx, xy, yy := one.Add(p3.Mul(sc)), p3.Mul(cc.Add(ss)), one.Add(p4.Mul(sc.Add(cs)))
		slope := p3.Mul(sc.Sub(cs))
		div1, div2 := p3.Mul(cc).Add(slope), p4.Mul(cc.Sub(ss)).Sub(slope)
		g1 := x.Mul(x.Mul(x).Sub(one))
		div1.Sub(xx.Mul(g1).Add(xy.Mul(y))).Store(part(&b.U1, i))
		div2.Sub(xy.Mul(g1).Add(yy.Mul(y))).Store(part(&b.U2, i))
		xx.Store(part(&b.XX, i))
		xy.Store(part(&b.XY, i))
		yy.Store(part(&b.YY, i))
	}
}

func xd8(b *Batch) {
	for i := 0; i < Lanes; i += 8 {
		x, y := load(&b.X1, i), load(&b.X2, i)
		sx, cx := sincos8(x)
		sy, cy := sincos8(y)
		one, p3, p4, p5, p8, five := num(1), num(.3), num(.4), num(.5), num(.8), num(5)
		xx, yy := one.Add(p3.Mul(sx).Mul(cy)), one.Add(p4.Mul(sx.Mul(cy).Add(cx.Mul(sy))))
		q := p8.Mul(cx).Add(p5.Mul(sy))
		g1, g2 := x.Add(x.Mul(x).Mul(x).Div(five)), y.Add(y.Mul(y).Mul(y).Div(five))
		var zero vec
		zero.Sub(xx.Mul(g1)).Sub(q.Mul(g2)).Add(p3.Mul(cx).Mul(cy)).Add(p5.Mul(cy)).Store(part(&b.U1, i))
		zero.Sub(yy.Mul(g2)).Add(q.Mul(g1)).Add(p4.Mul(cx.Mul(cy).Sub(sx.Mul(sy)))).Add(p8.Mul(sx)).Store(part(&b.U2, i))
		xx.Store(part(&b.XX, i))
		zero.Store(part(&b.XY, i))
		yy.Store(part(&b.YY, i))
	}
}

func cv8(b *Batch) {
	for i := 0; i < Lanes; i += 8 {
		x, y := load(&b.X1, i), load(&b.X2, i)
		one, two := num(1), num(2)
		var zero vec
		across := y.Sub(x.Mul(x).Div(two))
		zero.Sub(x).Mul(x.Mul(x).Sub(one)).Add(two.Mul(x).Mul(across)).Store(part(&b.U1, i))
		num(-2).Mul(across).Store(part(&b.U2, i))
		one.Store(part(&b.XX, i))
		zero.Store(part(&b.XY, i))
		num(.1).Store(part(&b.YY, i))
	}
}

// example19Batch is for [EX19]. It is not inlined, nor is the next: in a large function the
// compiler leaves num a call, whose argument travels through an old instruction.
//
//go:noinline
func example19Batch(lambda float64) func(b *Batch) {
	if !archsimd.X86.AVX512() {
		return nil
	}
	return func(b *Batch) {
		strength := num(lambda)
		for i := 0; i < Lanes; i += 8 {
			x, y := load(&b.X1, i), load(&b.X2, i)
			xx, yy, one, half := x.Mul(x), y.Mul(y), num(1), num(.5)
			e := num(.25).Sub(xx.Mul(half)).Add(yy.Mul(half)).Sub(xx.Mul(yy).Mul(half)).Sub(yy.Mul(yy).Mul(num(.25)))
			e = strength.Mul(exp8(e))
			var zero vec
			zero.Sub(x).Mul(xx.Sub(one)).Sub(e.Mul(y)).Store(part(&b.U1, i))
			e.Mul(x).Sub(y).Store(part(&b.U2, i))
			one.Store(part(&b.XX, i))
			zero.Store(part(&b.XY, i))
			one.Store(part(&b.YY, i))
		}
	}
}

// repairedBatch is for [EX19R].
//
//go:noinline
func repairedBatch(lambda float64) func(b *Batch) {
	if !archsimd.X86.AVX512() {
		return nil
	}
	return func(b *Batch) {
		strength := num(lambda)
		for i := 0; i < Lanes; i += 8 {
			x, y := load(&b.X1, i), load(&b.X2, i)
			one := num(1)
			var zero vec
			slope := x.Mul(x.Mul(x).Sub(one))
			zero.Sub(slope).Sub(strength.Mul(y)).Store(part(&b.U1, i))
			zero.Sub(y).Add(strength.Mul(slope)).Store(part(&b.U2, i))
			one.Store(part(&b.XX, i))
			zero.Store(part(&b.XY, i))
			one.Store(part(&b.YY, i))
		}
	}
}

// exp8 is [exp] of eight numbers.
func exp8(x vec) vec {
	const (
		perLn2  = 32 / math.Ln2
		high    = 0x1.62e42fefp-1 / 32
		low     = 0x1.473de6af278edp-34 / 32
		rounder = 0x1.8p52
	)
	shifted := x.Mul(num(perLn2)).Add(num(rounder))
	twelve := archsimd.BroadcastInt64x8(12)
	n := shifted.AsInt64x8().ShiftLeft(twelve).ShiftRight(twelve).Sub(archsimd.BroadcastInt64x8(1 << 51))
	whole := shifted.Sub(num(rounder))
	r := x.Sub(whole.Mul(num(high)))
	r = r.Sub(whole.Mul(num(low)))
	r2 := r.Mul(r)
	p := num(1. / 24).Add(r.Mul(num(1. / 120))).Add(r2.Mul(num(1. / 720)))
	p = r.Add(r2.Mul(num(1. / 2).Add(r.Mul(num(1. / 6))))).Add(r2.Mul(r2).Mul(p))
	index := n.AsUint64x8()
	table := func(i int) vec { return archsimd.LoadFloat64x8((*[8]float64)(powers[i:])) }
	t := table(0).ConcatPermute(table(8), index)
	upper := archsimd.BroadcastUint64x8(16)
	t = table(16).ConcatPermute(table(24), index).Merge(t, index.And(upper).Equal(upper))
	e := n.ShiftRight(archsimd.BroadcastInt64x8(5)).ShiftLeft(archsimd.BroadcastInt64x8(52))
	e = t.Add(t.Mul(p)).AsInt64x8().Add(e)
	if x.Less(num(708)).And(x.Greater(num(-708))).ToBits() != 0xff {
		return farExp(x, e.AsFloat64x8())
	}
	return e.AsFloat64x8()
}

// farExp repairs the exponentials of numbers too large for exp8.
//
//go:noinline
func farExp(x, e vec) vec {
	var at, to [8]float64
	x.Store(&at)
	e.Store(&to)
	archsimd.ClearAVXUpperBits()
	for i, v := range at {
		if !(v > -708 && v < 708) {
			to[i] = exp(v)
		}
	}
	return archsimd.LoadFloat64x8(&to)
}

// sincos8 is [sincos] of eight numbers.
func sincos8(x vec) (sin, cos vec) {
	const (
		perRight = 2 / math.Pi
		high     = 0x1.921fb544p+0
		low      = 0x1.0b4611a626331p-34
		rounder  = 0x1.8p52
	)
	shifted := x.Mul(num(perRight)).Add(num(rounder))
	k := shifted.AsUint64x8()
	whole := shifted.Sub(num(rounder))
	r := x.Sub(whole.Mul(num(high)))
	r = r.Sub(whole.Mul(num(low)))
	z := r.Mul(r)
	z2 := z.Mul(z)
	s := num(-1. / 39916800).Add(z.Mul(num(1. / 6227020800))).Sub(z2.Mul(num(1. / 1307674368000)))
	s = num(-1. / 5040).Add(z.Mul(num(1. / 362880))).Add(z2.Mul(s))
	s = num(-1. / 6).Add(z.Mul(num(1. / 120))).Add(z2.Mul(s))
	s = r.Add(r.Mul(z).Mul(s))
	c := num(1. / 479001600).Sub(z.Mul(num(1. / 87178291200))).Add(z2.Mul(num(1. / 20922789888000)))
	c = num(1. / 40320).Sub(z.Mul(num(1. / 3628800))).Add(z2.Mul(c))
	c = num(1. / 24).Sub(z.Mul(num(1. / 720))).Add(z2.Mul(c))
	c = num(1).Sub(z.Mul(num(.5))).Add(z2.Mul(c))
	u, v := s.AsUint64x8(), c.AsUint64x8()
	// Counts of shifts in vectors: one in a number goes through an old scalar instruction.
	one, top := archsimd.BroadcastUint64x8(1), archsimd.BroadcastUint64x8(63)
	var zero archsimd.Uint64x8
	swap := u.Xor(v).And(zero.Sub(k.And(one)))
	sin = u.Xor(swap).Xor(k.ShiftRight(one).ShiftLeft(top)).AsFloat64x8()
	cos = v.Xor(swap).Xor(k.Add(one).ShiftRight(one).ShiftLeft(top)).AsFloat64x8()
	if x.Less(num(1e5)).And(x.Greater(num(-1e5))).ToBits() != 0xff {
		return far(x, sin, cos)
	}
	return sin, cos
}

// far repairs the sines and cosines of numbers too large for sincos8.
//
//go:noinline
func far(x, sin, cos vec) (vec, vec) {
	var at, s, c [8]float64
	x.Store(&at)
	sin.Store(&s)
	cos.Store(&c)
	archsimd.ClearAVXUpperBits()
	for i, v := range at {
		if !(v > -1e5 && v < 1e5) {
			s[i], c[i] = math.Sincos(v)
		}
	}
	return archsimd.LoadFloat64x8(&s), archsimd.LoadFloat64x8(&c)
}
