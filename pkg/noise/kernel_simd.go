//go:build goexperiment.simd && amd64

package noise

import (
	"simd/archsimd"
	"unsafe"
)

func init() {
	if archsimd.X86.AVX2() && archsimd.X86.FMA() {
		outer, inner = outerAVX2, innerAVX2
	}
}

// outerAVX2 is outerPortable with fused multiply-adds: eight accumulators of four.
func outerAVX2(n int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) {
	if n == 0 {
		return
	}
	_, _ = a[(n-1)*lda+tileRows-1], b[(n-1)*ldb+tileCols-1]
	pa, pb := unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0])
	i, j := 0, 0 // offsets in bytes of row k of a and of b
	var s00, s01, s10, s11, s20, s21, s30, s31 archsimd.Float64x4
	for range n {
		y0 := archsimd.LoadFloat64x4((*[4]float64)(unsafe.Add(pb, j)))
		y1 := archsimd.LoadFloat64x4((*[4]float64)(unsafe.Add(pb, j+32)))
		x := archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(pa, i)))
		s00, s01 = x.MulAdd(y0, s00), x.MulAdd(y1, s01)
		x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(pa, i+8)))
		s10, s11 = x.MulAdd(y0, s10), x.MulAdd(y1, s11)
		x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(pa, i+16)))
		s20, s21 = x.MulAdd(y0, s20), x.MulAdd(y1, s21)
		x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(pa, i+24)))
		s30, s31 = x.MulAdd(y0, s30), x.MulAdd(y1, s31)
		i, j = i+8*lda, j+8*ldb
	}
	addVectors(c, s00, s01)
	addVectors(c[ldc:], s10, s11)
	addVectors(c[2*ldc:], s20, s21)
	addVectors(c[3*ldc:], s30, s31)
}

// innerAVX2 is innerPortable with fused multiply-adds.
func innerAVX2(n int, a []float64, lda int, b []float64, ldb int, c []float64, ldc int) {
	if n == 0 {
		return
	}
	_, _ = a[(tileRows-1)*lda+n-1], b[(n-1)*ldb+tileCols-1]
	pa, pb := unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0])
	p1, p2, p3 := unsafe.Pointer(&a[lda]), unsafe.Pointer(&a[2*lda]), unsafe.Pointer(&a[3*lda])
	i, j := 0, 0 // offsets in bytes of column k of a and of row k of b
	var s00, s01, s10, s11, s20, s21, s30, s31 archsimd.Float64x4
	for range n {
		y0 := archsimd.LoadFloat64x4((*[4]float64)(unsafe.Add(pb, j)))
		y1 := archsimd.LoadFloat64x4((*[4]float64)(unsafe.Add(pb, j+32)))
		x := archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(pa, i)))
		s00, s01 = x.MulAdd(y0, s00), x.MulAdd(y1, s01)
		x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(p1, i)))
		s10, s11 = x.MulAdd(y0, s10), x.MulAdd(y1, s11)
		x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(p2, i)))
		s20, s21 = x.MulAdd(y0, s20), x.MulAdd(y1, s21)
		x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(p3, i)))
		s30, s31 = x.MulAdd(y0, s30), x.MulAdd(y1, s31)
		i, j = i+8, j+8*ldb
	}
	addVectors(c, s00, s01)
	addVectors(c[ldc:], s10, s11)
	addVectors(c[2*ldc:], s20, s21)
	addVectors(c[3*ldc:], s30, s31)
}

func addVectors(c []float64, lo, hi archsimd.Float64x4) {
	p := (*[tileCols]float64)(c)
	left, right := (*[4]float64)(p[:4]), (*[4]float64)(p[4:])
	archsimd.LoadFloat64x4(left).Add(lo).Store(left)
	archsimd.LoadFloat64x4(right).Add(hi).Store(right)
}
