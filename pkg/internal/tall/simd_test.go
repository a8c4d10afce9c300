//go:build goexperiment.simd && amd64

package tall

import (
	"simd/archsimd"

	"gonum.org/v1/gonum/mat"
)

// narrower returns the kernels of machines without AVX-512, where this one can run them.
func narrower() map[string]map[string]func(n int, a, b, c *mat.Dense) {
	if !archsimd.X86.AVX2() || !archsimd.X86.FMA() {
		return nil
	}
	return map[string]map[string]func(n int, a, b, c *mat.Dense){"AVX2": with(halves(mul64x4), halves(mul32x8))}
}
