//go:build !(goexperiment.simd && amd64)

package tall

import "gonum.org/v1/gonum/mat"

func narrower() map[string]map[string]func(n int, a, b, c *mat.Dense) { return nil }
