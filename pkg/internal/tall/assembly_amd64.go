//go:build !purego

package tall

import "golang.org/x/sys/cpu"

//go:generate go -C ../syrk/gen run . -out ../../tall/assembly_amd64.s -stubs ../../tall/stubs_amd64.go -pkg tall

func useAssembly() {
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		mul64, mul32 = checked(mul64AVX512, Cols64), checked(mul32AVX512, Cols32)
	}
}

// checked panics where k would read or write beyond a slice.
func checked[T float32 | float64](k kernel[T], cols int) kernel[T] {
	return func(n int, a []T, si, sk int, b []T, ldb int, c []T, ldc int) {
		if n == 0 {
			return
		}
		_, _, _ = a[(Rows-1)*si+(n-1)*sk], b[(n-1)*ldb+cols-1], c[(Rows-1)*ldc+cols-1]
		k(n, a, si, sk, b, ldb, c, ldc)
	}
}
