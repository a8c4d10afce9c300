//go:build !(goexperiment.simd && amd64)

package tall

func useArchsimd() {}
