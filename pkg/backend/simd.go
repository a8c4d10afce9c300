//go:build goexperiment.simd

package backend

func warnWithoutSIMD() {}
