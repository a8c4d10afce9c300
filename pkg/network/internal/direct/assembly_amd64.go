//go:build !purego

package direct

import "golang.org/x/sys/cpu"

//go:generate go -C gen run . -out ../kernels_amd64.s -stubs ../stubs_amd64.go -pkg direct

// assembly returns the kernels in assembly that this processor can run, the fastest first.
func assembly[T Float]() []*kernels[T] {
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA {
		return nil
	}
	narrow, wide := &kernels[T]{}, &kernels[T]{}
	switch k := any(narrow).(type) {
	case *kernels[float32]:
		*k = kernels[float32]{
			rows:   [4]int{1: 8, 2: 6, 3: 4},
			tile:   [4]tile[float32]{1: tile8x32AVX2, 2: tile16x32AVX2, 3: tile24x32AVX2},
			vector: vector32AVX2, outer: outer32AVX2, relu: relu32AVX2, gate: gate32AVX2, window: window32AVX2,
			plus: plus32AVX2, outerPlus: outerPlus32AVX2, affine: affine32AVX2, affinePair: affinePair32AVX2, moments: moments32AVX2,
		}
		w := any(wide).(*kernels[float32])
		*w = *k
		w.rows = [4]int{1: 8, 2: 8, 3: 8}
		w.tile = [4]tile[float32]{1: tile8x32AVX2, 2: tile16x32AVX512, 3: tile24x32AVX512}
		w.vector = vector32AVX512
	case *kernels[float64]:
		*k = kernels[float64]{
			rows:   [4]int{1: 6, 2: 3, 3: 2},
			tile:   [4]tile[float64]{1: tile8x64AVX2, 2: tile16x64AVX2, 3: tile24x64AVX2},
			vector: vector64AVX2, outer: outer64AVX2, relu: relu64AVX2, gate: gate64AVX2, window: window64AVX2,
			plus: plus64AVX2, outerPlus: outerPlus64AVX2, affine: affine64AVX2, affinePair: affinePair64AVX2, moments: moments64AVX2,
		}
		w := any(wide).(*kernels[float64])
		*w = *k
		w.rows = [4]int{1: 8, 2: 8, 3: 8}
		w.tile = [4]tile[float64]{1: tile8x64AVX512, 2: tile16x64AVX512, 3: tile24x64AVX512}
		w.vector = vector64AVX512
	}
	narrow.name, wide.name = "assembly AVX2", "assembly AVX-512"
	if !cpu.X86.HasAVX512F || !cpu.X86.HasAVX512DQ || !cpu.X86.HasAVX512VL {
		return []*kernels[T]{narrow}
	}
	return []*kernels[T]{wide, narrow}
}

// Tile8 computes, for 8 rows and 8 columns, what tile says. It needs AVX2 and FMA. Neither
// the processor nor indices are checked.
func Tile8(c []float32, ldc int, rows *[8]int32, a []float32, steps []int32, b []float32, ldb int, init *[8]float32) {
	tile8x32AVX2(c, ldc, rows[:], a, steps, b, ldb, init[:])
}

// Tile16 is Tile8 for 8 rows and 16 columns, with AVX-512.
func Tile16(c []float32, ldc int, rows *[8]int32, a []float32, steps []int32, b []float32, ldb int, init *[16]float32) {
	tile16x32AVX512(c, ldc, rows[:], a, steps, b, ldb, init[:])
}
