//go:build goexperiment.simd && amd64

package tall

import (
	"simd/archsimd"
	"unsafe"
)

func useArchsimd() {
	if archsimd.X86.AVX2() && archsimd.X86.FMA() {
		mul64, mul32, sub32 = halves(mul64x4), halves(mul32x8), sub32x8
	}
}

// quad is the number of rows whose sums stay in registers.
const quad = Rows / 2

// halves makes a kernel of one for quad rows.
func halves[T float32 | float64](k kernel[T]) kernel[T] {
	return func(n int, a []T, si, sk int, b []T, ldb int, c []T, ldc int) {
		if n == 0 {
			return
		}
		k(n, a, si, sk, b, ldb, c, ldc)
		k(n, a[quad*si:], si, sk, b, ldb, c[quad*ldc:], ldc)
	}
}

// mul64x4 is portable64 for quad rows, with fused multiply-adds on eight accumulators, half a tile at a time.
func mul64x4(n int, a []float64, si, sk int, b []float64, ldb int, c []float64, ldc int) {
	_, _ = a[(quad-1)*si+(n-1)*sk], b[(n-1)*ldb+Cols64-1]
	p0, p1, p2, p3 := unsafe.Pointer(&a[0]), unsafe.Pointer(&a[si]), unsafe.Pointer(&a[2*si]), unsafe.Pointer(&a[3*si])
	for col := 0; col < Cols64; col += 8 {
		pb := unsafe.Pointer(&b[col])
		i, j := 0, 0 // offsets in bytes of a and of row k of b
		var s00, s01, s10, s11, s20, s21, s30, s31 archsimd.Float64x4
		for range n {
			y0 := archsimd.LoadFloat64x4((*[4]float64)(unsafe.Add(pb, j)))
			y1 := archsimd.LoadFloat64x4((*[4]float64)(unsafe.Add(pb, j+32)))
			x := archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(p0, i)))
			s00, s01 = x.MulAdd(y0, s00), x.MulAdd(y1, s01)
			x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(p1, i)))
			s10, s11 = x.MulAdd(y0, s10), x.MulAdd(y1, s11)
			x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(p2, i)))
			s20, s21 = x.MulAdd(y0, s20), x.MulAdd(y1, s21)
			x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(p3, i)))
			s30, s31 = x.MulAdd(y0, s30), x.MulAdd(y1, s31)
			i, j = i+8*sk, j+8*ldb
		}
		add64x4(c[col:], s00, s01)
		add64x4(c[ldc+col:], s10, s11)
		add64x4(c[2*ldc+col:], s20, s21)
		add64x4(c[3*ldc+col:], s30, s31)
	}
}

func add64x4(c []float64, lo, hi archsimd.Float64x4) {
	p := (*[2 * 4]float64)(c)
	left, right := (*[4]float64)(p[:4]), (*[4]float64)(p[4:])
	archsimd.LoadFloat64x4(left).Add(lo).Store(left)
	archsimd.LoadFloat64x4(right).Add(hi).Store(right)
}

// mul32x8 is portable32 for quad rows, with fused multiply-adds on eight accumulators, half a tile at a time.
func mul32x8(n int, a []float32, si, sk int, b []float32, ldb int, c []float32, ldc int) {
	_, _ = a[(quad-1)*si+(n-1)*sk], b[(n-1)*ldb+Cols32-1]
	p0, p1, p2, p3 := unsafe.Pointer(&a[0]), unsafe.Pointer(&a[si]), unsafe.Pointer(&a[2*si]), unsafe.Pointer(&a[3*si])
	for col := 0; col < Cols32; col += 16 {
		pb := unsafe.Pointer(&b[col])
		i, j := 0, 0 // offsets in bytes of a and of row k of b
		var s00, s01, s10, s11, s20, s21, s30, s31 archsimd.Float32x8
		for range n {
			y0 := archsimd.LoadFloat32x8((*[8]float32)(unsafe.Add(pb, j)))
			y1 := archsimd.LoadFloat32x8((*[8]float32)(unsafe.Add(pb, j+32)))
			x := archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(p0, i)))
			s00, s01 = x.MulAdd(y0, s00), x.MulAdd(y1, s01)
			x = archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(p1, i)))
			s10, s11 = x.MulAdd(y0, s10), x.MulAdd(y1, s11)
			x = archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(p2, i)))
			s20, s21 = x.MulAdd(y0, s20), x.MulAdd(y1, s21)
			x = archsimd.BroadcastFloat32x8(*(*float32)(unsafe.Add(p3, i)))
			s30, s31 = x.MulAdd(y0, s30), x.MulAdd(y1, s31)
			i, j = i+4*sk, j+4*ldb
		}
		add32x8(c[col:], s00, s01)
		add32x8(c[ldc+col:], s10, s11)
		add32x8(c[2*ldc+col:], s20, s21)
		add32x8(c[3*ldc+col:], s30, s31)
	}
}

func add32x8(c []float32, lo, hi archsimd.Float32x8) {
	p := (*[2 * 8]float32)(c)
	left, right := (*[8]float32)(p[:8]), (*[8]float32)(p[8:])
	archsimd.LoadFloat32x8(left).Add(lo).Store(left)
	archsimd.LoadFloat32x8(right).Add(hi).Store(right)
}

// sub32x8 is subPortable.
func sub32x8(dst, a, b []float32) {
	const width = 8
	i := 0
	for ; i+width <= len(dst); i += width {
		x := archsimd.LoadFloat32x8((*[width]float32)(a[i:]))
		x.Sub(archsimd.LoadFloat32x8((*[width]float32)(b[i:]))).Store((*[width]float32)(dst[i:]))
	}
	subPortable(dst[i:], a[i:], b[i:])
}
