//go:build !purego

package direct

import "golang.org/x/sys/cpu"

//go:generate go -C gen run . -out ../kernels_amd64.s -stubs ../stubs_amd64.go -pkg direct

// useAssembly replaces k by kernels in assembly if this processor can run them.
func useAssembly[T Float](k *kernels[T]) {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return
	}
	switch k := any(k).(type) {
	case *kernels[float32]:
		k.rows = [4]int{1: 8, 2: 6, 3: 4}
		k.tile = [4]tile[float32]{1: tile8x32AVX2, 2: tile16x32AVX2, 3: tile24x32AVX2}
		k.vector, k.outer, k.relu, k.gate, k.window = vector32AVX2, outer32AVX2, relu32AVX2, gate32AVX2, window32AVX2
		k.plus, k.outerPlus, k.affine, k.affinePair, k.moments = plus32AVX2, outerPlus32AVX2, affine32AVX2, affinePair32AVX2, moments32AVX2
	case *kernels[float64]:
		k.rows = [4]int{1: 6, 2: 3, 3: 2}
		k.tile = [4]tile[float64]{1: tile8x64AVX2, 2: tile16x64AVX2, 3: tile24x64AVX2}
		k.vector, k.outer, k.relu, k.gate, k.window = vector64AVX2, outer64AVX2, relu64AVX2, gate64AVX2, window64AVX2
		k.plus, k.outerPlus, k.affine, k.affinePair, k.moments = plus64AVX2, outerPlus64AVX2, affine64AVX2, affinePair64AVX2, moments64AVX2
	}
}
