//go:build goexperiment.simd && amd64

package sgd

import "simd/archsimd"

// stepVectors takes the step of the first coordinates, in whole vectors, and returns how many
// and whether they stayed finite. The operations are those of stepRest one by one, with the
// same bits.
func (c *chain) stepVectors(g []float64, eta float64) (n int, finite bool) {
	if !archsimd.X86.AVX512() {
		return 0, true
	}
	type eight = [8]float64
	load := func(v []float64) archsimd.Float64x8 { return archsimd.LoadFloat64x8((*eight)(v[n:])) }
	rate, mu, decay := archsimd.BroadcastFloat64x8(eta), archsimd.BroadcastFloat64x8(c.momentum.Mu), archsimd.BroadcastFloat64x8(c.decay)
	var bad archsimd.Int64x8 // not 0 where x−x ever was not
	for ; n+8 <= len(c.x); n += 8 {
		x := load(c.x)
		by := load(g).Add(decay.Mul(x))
		if c.momentum.Kind != None {
			v := by.Add(mu.Mul(load(c.v)))
			v.Store((*eight)(c.nextV[n:]))
			if c.momentum.Kind == Nesterov {
				v = by.Add(mu.Mul(v))
			}
			by = v
		}
		x = x.Sub(rate.Mul(by))
		x.Store((*eight)(c.nextX[n:]))
		bad = bad.Or(x.Sub(x).AsInt64x8())
	}
	var bits [8]int64
	bad.Store(&bits)
	archsimd.ClearAVXUpperBits()
	return n, bits == [8]int64{}
}
