package problem

import "math"

// exp returns e^x with an error of one unit in the last place, and 0 below the normal
// numbers (x < −708). It is about five times as fast as math.Exp on amd64, which would be
// most of the cost of a step of Example 19.
//
// With x = (k + j/32)·ln 2 + r, |r| ≤ ln 2/64, e^x = 2^k · 2^(j/32) · e^r by a table of
// 32 and six terms of the series, whose remainder is below r⁷/5040 < 1e-17.
func exp(x float64) float64 {
	if !(x > -708 && x < 708) {
		if x <= -708 {
			return 0
		}
		return math.Exp(x)
	}
	const (
		perLn2  = 32 / math.Ln2
		high    = 0x1.62e42fefp-1 / 32       // the upper bits of ln 2/32: k·high is exact
		low     = 0x1.473de6af278edp-34 / 32 // the rest
		rounder = 0x1.8p52                   // added to a number, leaves its nearest integer in the low bits
	)
	shifted := float64(x*perLn2) + rounder
	n := int64(math.Float64bits(shifted)) << 12 >> 12
	n -= 1 << 51
	whole := shifted - rounder
	r := x - whole*high
	r -= whole * low
	r2 := r * r
	p := r + r2*(1./2+r*(1./6)) + r2*r2*(1./24+r*(1./120)+r2*(1./720))
	t := powers[n&31]
	return math.Float64frombits(math.Float64bits(t+t*p) + uint64(n>>5)<<52)
}

// powers holds 2^(j/32).
var powers = func() (t [32]float64) {
	for j := range t {
		t[j] = math.Exp2(float64(j) / 32)
	}
	return t
}()

// sincos returns sin x and cos x with an absolute error of 2⁻⁵², without branches, three
// times as fast as math.Sincos. Beyond |x| = 1e5 it is math.Sincos.
//
// With x = kπ/2 + r, |r| ≤ π/4, and the series of sine to r¹⁵ and of cosine to r¹⁶, whose
// remainders are below 1e-16.
func sincos(x float64) (sin, cos float64) {
	if !(x > -1e5 && x < 1e5) {
		return math.Sincos(x)
	}
	const (
		perRight = 2 / math.Pi
		high     = 0x1.921fb544p+0       // the upper bits of π/2: k·high is exact
		low      = 0x1.0b4611a626331p-34 // the rest
		rounder  = 0x1.8p52
	)
	shifted := float64(x*perRight) + rounder
	k := math.Float64bits(shifted)
	whole := shifted - rounder
	r := x - whole*high
	r -= whole * low
	z := r * r
	z2 := z * z
	s := r + r*z*((-1./6+z*(1./120))+z2*((-1./5040+z*(1./362880))+z2*(-1./39916800+z*(1./6227020800)-z2*(1./1307674368000))))
	c := 1 - z*.5 + z2*((1./24-z*(1./720))+z2*((1./40320-z*(1./3628800))+z2*(1./479001600-z*(1./87178291200)+z2*(1./20922789888000))))
	// Quarter k: odd ones swap sine and cosine, by bits; the signs follow.
	a, b := math.Float64bits(s), math.Float64bits(c)
	swap := (a ^ b) & -(k & 1)
	a, b = a^swap, b^swap
	return math.Float64frombits(a ^ k>>1<<63), math.Float64frombits(b ^ (k+1)>>1<<63)
}
