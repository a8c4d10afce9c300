//go:build !amd64 || purego

package kernel

// assemblySets returns nothing: there is no assembly for this processor, or the build
// tag purego left it out.
func assemblySets() []*Set { return nil }
