//go:build !amd64 || !goexperiment.simd

package kernel

// archsimdSets returns nothing: the build has no vector types.
func archsimdSets() []*Set { return nil }
