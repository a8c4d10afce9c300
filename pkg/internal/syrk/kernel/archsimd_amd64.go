//go:build goexperiment.simd

package kernel

import (
	"simd/archsimd"
	"unsafe"
)

// archsimdSets returns the kernels in Go with vector types, in place of assembly where
// that is left out (build tag purego).
//
// The compiler keeps at most 15 vectors in registers and loads early, so that micro
// tiles are smaller than in assembly: 3×3 vectors.
func archsimdSets() []*Set {
	if !archsimd.X86.AVX2() || !archsimd.X86.FMA() {
		return nil
	}
	narrow := &Set{
		Name:          "archsimd AVX2",
		MulTN32:       widened(mulTN32x8),
		MulTN64:       func(k int, a, b, c, _ []float64) { mul64x4(k, a, Width, 1, b, c) },
		MulNN64:       func(a, b, c, _ []float64) { mul64x4(Width, a, 1, Width, b, c) },
		PanelStep:     panelStep4,
		BandMulVec:    bandMulVec4,
		BandReflect:   bandReflect4,
		BandSymMulVec: bandSymMulVec4,
		BandRankTwo:   bandRankTwo4,
	}
	if !archsimd.X86.AVX512() {
		return []*Set{narrow}
	}
	wide := *narrow
	wide.Name = "archsimd AVX-512"
	wide.MulTN32 = widened(mulTN32x16)
	wide.MulTN64 = func(k int, a, b, c, _ []float64) { mul64x8(k, a, Width, 1, b, c) }
	wide.MulNN64 = func(a, b, c, _ []float64) { mul64x8(Width, a, 1, Width, b, c) }
	return []*Set{&wide, narrow}
}

// The loops of the products have no bounds checks: each function begins with one for
// all of what follows.

// at4 views the four numbers of s from i on as one vector.
func at4(s []float64, i int) *[4]float64 { return (*[4]float64)(s[i:]) }

// mulTN32x8 is mulTN with vectors of eight float32.
func mulTN32x8(k int, a, b, c, _ []float32) {
	if k == 0 {
		return
	}
	_, _, _ = a[k*Width-1], b[k*Width-1], c[Tile-1]
	for j := 0; j < Width; j += 24 {
		for i := 0; i < Width; i += 3 {
			ap, bp := unsafe.Pointer(&a[i]), unsafe.Pointer(&b[j])
			var c00, c01, c02, c10, c11, c12, c20, c21, c22 archsimd.Float32x8
			for at := 0; at < 4*Width*k; at += 4 * Width {
				al, bl := unsafe.Add(ap, at), unsafe.Add(bp, at)
				b0 := archsimd.LoadFloat32x8((*[8]float32)(bl))
				b1 := archsimd.LoadFloat32x8((*[8]float32)(unsafe.Add(bl, 32)))
				b2 := archsimd.LoadFloat32x8((*[8]float32)(unsafe.Add(bl, 64)))
				ai := (*[3]float32)(al)
				x := archsimd.BroadcastFloat32x8(ai[0])
				c00, c01, c02 = b0.MulAdd(x, c00), b1.MulAdd(x, c01), b2.MulAdd(x, c02)
				x = archsimd.BroadcastFloat32x8(ai[1])
				c10, c11, c12 = b0.MulAdd(x, c10), b1.MulAdd(x, c11), b2.MulAdd(x, c12)
				x = archsimd.BroadcastFloat32x8(ai[2])
				c20, c21, c22 = b0.MulAdd(x, c20), b1.MulAdd(x, c21), b2.MulAdd(x, c22)
			}
			add := func(row int, x, y, z archsimd.Float32x8) {
				p := (*[8]float32)(c[(i+row)*Width+j:])
				archsimd.LoadFloat32x8(p).Add(x).Store(p)
				p = (*[8]float32)(c[(i+row)*Width+j+8:])
				archsimd.LoadFloat32x8(p).Add(y).Store(p)
				p = (*[8]float32)(c[(i+row)*Width+j+16:])
				archsimd.LoadFloat32x8(p).Add(z).Store(p)
			}
			add(0, c00, c01, c02)
			add(1, c10, c11, c12)
			add(2, c20, c21, c22)
		}
	}
	archsimd.ClearAVXUpperBits()
}

// mulTN32x16 is mulTN with vectors of sixteen float32.
func mulTN32x16(k int, a, b, c, _ []float32) {
	if k == 0 {
		return
	}
	_, _, _ = a[k*Width-1], b[k*Width-1], c[Tile-1]
	for j := 0; j < Width; j += 48 {
		for i := 0; i < Width; i += 3 {
			ap, bp := unsafe.Pointer(&a[i]), unsafe.Pointer(&b[j])
			var c00, c01, c02, c10, c11, c12, c20, c21, c22 archsimd.Float32x16
			for at := 0; at < 4*Width*k; at += 4 * Width {
				al, bl := unsafe.Add(ap, at), unsafe.Add(bp, at)
				b0 := archsimd.LoadFloat32x16((*[16]float32)(bl))
				b1 := archsimd.LoadFloat32x16((*[16]float32)(unsafe.Add(bl, 64)))
				b2 := archsimd.LoadFloat32x16((*[16]float32)(unsafe.Add(bl, 128)))
				ai := (*[3]float32)(al)
				x := archsimd.BroadcastFloat32x16(ai[0])
				c00, c01, c02 = b0.MulAdd(x, c00), b1.MulAdd(x, c01), b2.MulAdd(x, c02)
				x = archsimd.BroadcastFloat32x16(ai[1])
				c10, c11, c12 = b0.MulAdd(x, c10), b1.MulAdd(x, c11), b2.MulAdd(x, c12)
				x = archsimd.BroadcastFloat32x16(ai[2])
				c20, c21, c22 = b0.MulAdd(x, c20), b1.MulAdd(x, c21), b2.MulAdd(x, c22)
			}
			add := func(row int, x, y, z archsimd.Float32x16) {
				p := (*[16]float32)(c[(i+row)*Width+j:])
				archsimd.LoadFloat32x16(p).Add(x).Store(p)
				p = (*[16]float32)(c[(i+row)*Width+j+16:])
				archsimd.LoadFloat32x16(p).Add(y).Store(p)
				p = (*[16]float32)(c[(i+row)*Width+j+32:])
				archsimd.LoadFloat32x16(p).Add(z).Store(p)
			}
			add(0, c00, c01, c02)
			add(1, c10, c11, c12)
			add(2, c20, c21, c22)
		}
	}
	archsimd.ClearAVXUpperBits()
}

// mul64x4 adds Σₗ a[l·step + i·row]·b[l,j] to the tile c: AᵀB of panels, or AB of tiles.
func mul64x4(k int, a []float64, step, row int, b, c []float64) {
	if k == 0 {
		return
	}
	_, _, _ = a[(k-1)*step+(Width-1)*row], b[k*Width-1], c[Tile-1]
	for j := 0; j < Width; j += 12 {
		for i := 0; i < Width; i += 3 {
			a0 := unsafe.Pointer(&a[i*row])
			a1 := unsafe.Add(a0, 8*row)
			a2 := unsafe.Add(a1, 8*row)
			bp := unsafe.Pointer(&b[j])
			var c00, c01, c02, c10, c11, c12, c20, c21, c22 archsimd.Float64x4
			for l := range k {
				at, bl := 8*step*l, unsafe.Add(bp, 8*Width*l)
				b0 := archsimd.LoadFloat64x4((*[4]float64)(bl))
				b1 := archsimd.LoadFloat64x4((*[4]float64)(unsafe.Add(bl, 32)))
				b2 := archsimd.LoadFloat64x4((*[4]float64)(unsafe.Add(bl, 64)))
				x := archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(a0, at)))
				c00, c01, c02 = b0.MulAdd(x, c00), b1.MulAdd(x, c01), b2.MulAdd(x, c02)
				x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(a1, at)))
				c10, c11, c12 = b0.MulAdd(x, c10), b1.MulAdd(x, c11), b2.MulAdd(x, c12)
				x = archsimd.BroadcastFloat64x4(*(*float64)(unsafe.Add(a2, at)))
				c20, c21, c22 = b0.MulAdd(x, c20), b1.MulAdd(x, c21), b2.MulAdd(x, c22)
			}
			add := func(row int, x, y, z archsimd.Float64x4) {
				p := (*[4]float64)(c[(i+row)*Width+j:])
				archsimd.LoadFloat64x4(p).Add(x).Store(p)
				p = (*[4]float64)(c[(i+row)*Width+j+4:])
				archsimd.LoadFloat64x4(p).Add(y).Store(p)
				p = (*[4]float64)(c[(i+row)*Width+j+8:])
				archsimd.LoadFloat64x4(p).Add(z).Store(p)
			}
			add(0, c00, c01, c02)
			add(1, c10, c11, c12)
			add(2, c20, c21, c22)
		}
	}
	archsimd.ClearAVXUpperBits()
}

// mul64x8 is mul64x4 with vectors of eight.
func mul64x8(k int, a []float64, step, row int, b, c []float64) {
	if k == 0 {
		return
	}
	_, _, _ = a[(k-1)*step+(Width-1)*row], b[k*Width-1], c[Tile-1]
	for j := 0; j < Width; j += 24 {
		for i := 0; i < Width; i += 3 {
			a0 := unsafe.Pointer(&a[i*row])
			a1 := unsafe.Add(a0, 8*row)
			a2 := unsafe.Add(a1, 8*row)
			bp := unsafe.Pointer(&b[j])
			var c00, c01, c02, c10, c11, c12, c20, c21, c22 archsimd.Float64x8
			for l := range k {
				at, bl := 8*step*l, unsafe.Add(bp, 8*Width*l)
				b0 := archsimd.LoadFloat64x8((*[8]float64)(bl))
				b1 := archsimd.LoadFloat64x8((*[8]float64)(unsafe.Add(bl, 64)))
				b2 := archsimd.LoadFloat64x8((*[8]float64)(unsafe.Add(bl, 128)))
				x := archsimd.BroadcastFloat64x8(*(*float64)(unsafe.Add(a0, at)))
				c00, c01, c02 = b0.MulAdd(x, c00), b1.MulAdd(x, c01), b2.MulAdd(x, c02)
				x = archsimd.BroadcastFloat64x8(*(*float64)(unsafe.Add(a1, at)))
				c10, c11, c12 = b0.MulAdd(x, c10), b1.MulAdd(x, c11), b2.MulAdd(x, c12)
				x = archsimd.BroadcastFloat64x8(*(*float64)(unsafe.Add(a2, at)))
				c20, c21, c22 = b0.MulAdd(x, c20), b1.MulAdd(x, c21), b2.MulAdd(x, c22)
			}
			add := func(row int, x, y, z archsimd.Float64x8) {
				p := (*[8]float64)(c[(i+row)*Width+j:])
				archsimd.LoadFloat64x8(p).Add(x).Store(p)
				p = (*[8]float64)(c[(i+row)*Width+j+8:])
				archsimd.LoadFloat64x8(p).Add(y).Store(p)
				p = (*[8]float64)(c[(i+row)*Width+j+16:])
				archsimd.LoadFloat64x8(p).Add(z).Store(p)
			}
			add(0, c00, c01, c02)
			add(1, c10, c11, c12)
			add(2, c20, c21, c22)
		}
	}
	archsimd.ClearAVXUpperBits()
}

// The rest is made of two loops that are not inlined. For scalar instructions are many
// times slower while the upper halves of the vector registers are in use, and the
// compiler neither clears them nor keeps the two kinds of code apart.

// add4 does y += x·a on the vectors of four from first on.
//
//go:noinline
func add4(y []float64, x float64, a []float64, first int) {
	y, a = y[:Width], a[:Width]
	xv := archsimd.BroadcastFloat64x4(x)
	for i := first; i <= Width-4; i += 4 {
		p := at4(y, i)
		archsimd.LoadFloat64x4(at4(a, i)).MulAdd(xv, archsimd.LoadFloat64x4(p)).Store(p)
	}
	archsimd.ClearAVXUpperBits()
}

// dot4 returns Σ x·y over the vectors of four from first on.
//
//go:noinline
func dot4(x, y []float64, first int) float64 {
	x, y = x[:Width], y[:Width]
	var sum archsimd.Float64x4
	for i := first; i <= Width-4; i += 4 {
		sum = archsimd.LoadFloat64x4(at4(x, i)).MulAdd(archsimd.LoadFloat64x4(at4(y, i)), sum)
	}
	var s [4]float64
	sum.Store(&s)
	archsimd.ClearAVXUpperBits()
	return s[0] + s[1] + (s[2] + s[3])
}

func panelStep4(rows int, p []float64, col, next int, scale float64, w, sum *Vector) {
	first := next &^ 15
	for r := range rows {
		row := p[r*Width : (r+1)*Width]
		add4(row, -row[col]*scale, w[:], first)
		add4(sum[:], row[next], row, first)
	}
}

func bandMulVec4(e []float64, v, y *Vector) {
	clear(y[:])
	for j, x := range v {
		add4(y[:], x, e[j*BandStride:], 0)
	}
}

func bandReflect4(e []float64, u, y, p *Vector, tau float64) {
	for j := 1; j < Width; j++ {
		col := e[j*BandStride:]
		add4(col, -u[j], y[:], 0)
		add4(col, -tau*dot4(p[:], col, 0), p[:], 0)
	}
}

func bandSymMulVec4(a []float64, v, y *Vector) {
	clear(y[:])
	for j, x := range v {
		col := a[j*BandStride:]
		dot := col[j] * x
		first := (j + 4) &^ 3
		for i := j + 1; i < first; i++ {
			y[i] += col[i] * x
			dot += col[i] * v[i]
		}
		add4(y[:], x, col, first)
		y[j] += dot + dot4(v[:], col, first)
	}
}

func bandRankTwo4(a []float64, v, w *Vector) {
	for j := range Width {
		col := a[j*BandStride:]
		first := (j + 3) &^ 3
		for i := j; i < first; i++ {
			col[i] -= v[i]*w[j] + w[i]*v[j]
		}
		add4(col, -w[j], v[:], first)
		add4(col, -v[j], w[:], first)
	}
}
