//go:build !amd64 || purego

package direct

// assembly returns nothing: there is none for this processor, or the build tag purego
// left it out.
func assembly[T Float]() []*kernels[T] { return nil }
