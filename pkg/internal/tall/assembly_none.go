//go:build !amd64 || purego

package tall

func useAssembly() {}
