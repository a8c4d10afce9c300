//go:build !(goexperiment.simd && amd64)

package sgd

func (c *chain) stepVectors([]float64, float64) (int, bool) { return 0, true }
