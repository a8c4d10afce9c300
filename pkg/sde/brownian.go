package sde

import (
	"fmt"
	"math"
	"math/bits"
)

// Brownian is one path of d-dimensional Brownian motion on [0, T] that can be looked at
// in ever finer steps without changing it, by Lévy's construction: halving a step of
// length Δ adds ±½√Δ·z to its half increments, with a normal z of its own.
//
// Use [NewBrownian]. A Brownian is never changed and may be shared.
type Brownian struct {
	dim          int
	horizon      float64
	seed, walker uint64
}

// NewBrownian returns the path number walker of the given seed. It panics unless d ≥ 1
// and T > 0 is finite.
func NewBrownian(dim int, horizon float64, seed, walker uint64) *Brownian {
	if dim < 1 || !(horizon > 0) || math.IsInf(horizon, 1) {
		panic(fmt.Sprintf("sde: a Brownian path needs d ≥ 1 and a finite T > 0: got d = %d, T = %v", dim, horizon))
	}
	return &Brownian{dim, horizon, seed, walker}
}

// Step returns the length of a step at a level, T/2^level.
func (b *Brownian) Step(level int) float64 { return math.Ldexp(b.horizon, -level) }

// Increments returns the increments over the 2^level equal steps of [0, T], row-major
// 2^level×d. Two steps of a level add up to the step of the level above, to rounding.
// The cost is O(2^level·d). It panics unless 0 ≤ level ≤ 30.
func (b *Brownian) Increments(level int) []float64 {
	if level < 0 || level > 30 {
		panic(fmt.Sprintf("sde: a Brownian path has the levels 0 to 30: got %d", level))
	}
	dw := make([]float64, b.dim<<level)
	s := b.normals(0)
	for i := range b.dim {
		dw[i] = math.Sqrt(b.horizon) * s.normal()
	}
	for l := 1; l <= level; l++ {
		s := b.normals(l)
		spread := math.Sqrt(b.Step(l-1)) / 2
		// In place, from the end: step k becomes the steps 2k and 2k+1. The normals are
		// drawn in the order of the steps within the level, so from a list.
		half := b.dim << (l - 1)
		z := make([]float64, half)
		for i := range z {
			z[i] = spread * s.normal()
		}
		for k := half/b.dim - 1; k >= 0; k-- {
			for i := b.dim - 1; i >= 0; i-- {
				mean, dev := dw[k*b.dim+i]/2, z[k*b.dim+i]
				dw[2*k*b.dim+i], dw[(2*k+1)*b.dim+i] = mean+dev, mean-dev
			}
		}
	}
	return dw
}

// normals is the stream of a level, apart from those of other levels and of the walkers
// of an ensemble with the same seed.
func (b *Brownian) normals(level int) *stream {
	return newStream(bits.RotateLeft64(b.seed^0x9e3779b97f4a7c15, level+1), b.walker<<5|uint64(level))
}
