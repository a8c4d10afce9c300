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
