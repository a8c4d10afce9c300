//go:build !amd64 || purego

package direct

// useAssembly does nothing: there is no assembly for this processor, or the build tag
// purego left it out.
func useAssembly[T Float](*kernels[T]) {}
