//go:build !(goexperiment.simd && amd64)

package tinyfc

func newVector(*Data) Engine { return nil }
