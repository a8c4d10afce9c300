package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const column = bandStride * 8 // bytes from one column of a band to the next

// declareLanes declares eight words of zeros and eight of ones: read from word 8−t on,
// a mask of the lanes from t on.
func declareLanes() {
	lanes := GLOBL("lanes", 8|16 /* RODATA|NOPTR */)
	for i := range 16 {
		DATA(8*i, U64(map[bool]uint64{true: 1<<64 - 1}[i >= 8]))
	}
	lanesTable = lanes
}

var lanesTable Mem

// bandMulVec: y = E·v.
func (e element) bandMulVec() {
	e.begin("bandMulVec", "func(e []float64, v, y *[48]float64)", "sets y = E·v for a 48×48 block of a band.")
	m, v, y := slice("e"), pointer("v"), pointer("y")
	// Where registers allow, two sums, of even and odd columns, hide the latency.
	sets := e.registers() / 16
	acc := make([][]reg.VecVirtual, sets)
	for s := range acc {
		acc[s] = e.vectors(e.chunks())
		for _, a := range acc[s] {
			e.zero(a)
		}
	}
	loop("column", width/sets, func() {
		for s := range acc {
			x := e.vector()
			e.spread(v.Offset(8*s), x)
			for q, a := range acc[s] {
				VFMADD231PD(m.Offset(s*column+q*e.bytes), x, a)
			}
		}
		ADDQ(I32(sets*column), m.Base)
		ADDQ(I32(8*sets), v.Base)
	})
	for q, a := range acc[0] {
		for s := 1; s < sets; s++ {
			VADDPD(acc[s][q], a, a)
		}
		e.store(a, y.Offset(q*e.bytes))
	}
	end()
}

// bandReflect: column j ← c − τ(p·c)p with c = column j − y·u[j], for j = 1..47.
func (e element) bandReflect() {
	e.begin("bandReflect", "func(e []float64, u, y, p *[48]float64, tau float64)",
		"replaces E by (I − τppᵀ)(E − yuᵀ) in the columns 1..47.")
	m, u, y, p := slice("e"), pointer("u"), pointer("y"), pointer("p")
	tau := XMM()
	Load(Param("tau"), tau)
	yv, pv := e.operands(y), e.operands(p)
	c := e.vectors(e.chunks())
	ADDQ(I32(column), m.Base)
	ADDQ(I32(8), u.Base)
	loop("column", width-1, func() {
		x, dot := e.vector(), e.vector()
		e.spread(u, x)
		for q := range c {
			e.load(m.Offset(q*e.bytes), c[q])
			VFNMADD231PD(yv[q], x, c[q])
		}
		// Two sums: one chain of products would be longer than the rest takes.
		odd := e.vector()
		VMULPD(pv[0], c[0], dot)
		VMULPD(pv[1], c[1], odd)
		for q := 2; q < len(c); q += 2 {
			VFMADD231PD(pv[q], c[q], dot)
			VFMADD231PD(pv[q+1], c[q+1], odd)
		}
		VADDPD(odd, dot, dot)
		sum := e.total(dot)
		VMULSD(tau, sum, sum)
		VBROADCASTSD(sum, dot)
		for q := range c {
			VFNMADD231PD(pv[q], dot, c[q])
			e.store(c[q], m.Offset(q*e.bytes))
		}
		ADDQ(I32(column), m.Base)
		ADDQ(I32(8), u.Base)
	})
	end()
}

// operands returns the vectors of the 48 numbers at m: in registers if there are 32,
// else in memory.
func (e element) operands(m Mem) []Op {
	ops := make([]Op, e.chunks())
	for q := range ops {
		ops[q] = m.Offset(q * e.bytes)
		if e.registers() == 32 {
			v := e.vector()
			e.load(m.Offset(q*e.bytes), v)
			ops[q] = v
		}
	}
	return ops
}

// In the two kernels on symmetric blocks, column j begins with the vector that holds
// its diagonal entry. What that vector holds above the diagonal is padding of the
// column before, zero; masks keep it zero.

// diagonals goes over the columns of a symmetric block: body gets the index q of the
// vector with the diagonal entry, and the place where its mask begins: at offset 0 that
// of the lanes from the diagonal on, at −8 that of the lanes below it.
func (e element) diagonals(body func(q int, mask Mem)) {
	table := Mem{Base: GP64()}
	LEAQ(lanesTable, table.Base)
	for q := range e.chunks() {
		mask := Mem{Base: GP64()}
		LEAQ(table.Offset(64), mask.Base)
		loop(fmt.Sprintf("vector%d", q), e.lanes(), func() {
			body(q, mask)
			SUBQ(I32(8), mask.Base)
		})
	}
}

// bandSymMulVec: y = A·v from the lower triangle.
func (e element) bandSymMulVec() {
	e.begin("bandSymMulVec", "func(a []float64, v, y *[48]float64)", "sets y = A·v for a symmetric diagonal block of a band.")
	m, v, y := slice("a"), pointer("v"), pointer("y")
	acc := e.vectors(e.chunks())
	for _, a := range acc {
		e.zero(a)
	}
	vj, yj := Mem{Base: GP64()}, Mem{Base: GP64()}
	MOVQ(v.Base, vj.Base)
	MOVQ(y.Base, yj.Base)
	e.diagonals(func(q int, mask Mem) {
		s, x, dot := e.vector(), e.vector(), e.vector()
		e.spread(vj, s)
		e.load(m.Offset(q*e.bytes), x)
		VFMADD231PD(x, s, acc[q])
		e.load(mask.Offset(-8), dot)
		VANDPD(v.Offset(q*e.bytes), dot, dot)
		VMULPD(x, dot, dot)
		for i := q + 1; i < len(acc); i++ {
			e.load(m.Offset(i*e.bytes), x)
			VFMADD231PD(x, s, acc[i])
			VFMADD231PD(v.Offset(i*e.bytes), x, dot)
		}
		VMOVSD(e.total(dot).(reg.VecVirtual), yj)
		ADDQ(I32(column), m.Base)
		ADDQ(I32(8), vj.Base)
		ADDQ(I32(8), yj.Base)
	})
	for q, a := range acc {
		VADDPD(y.Offset(q*e.bytes), a, a)
		e.store(a, y.Offset(q*e.bytes))
	}
	end()
}

// bandRankTwo: A −= vwᵀ + wvᵀ in the lower triangle.
func (e element) bandRankTwo() {
	e.begin("bandRankTwo", "func(a []float64, v, w *[48]float64)", "subtracts vwᵀ + wvᵀ from the lower triangle of a diagonal block of a band.")
	m, v, w := slice("a"), pointer("v"), pointer("w")
	vv, wv := e.operands(v), e.operands(w)
	vj, wj := Mem{Base: GP64()}, Mem{Base: GP64()}
	MOVQ(v.Base, vj.Base)
	MOVQ(w.Base, wj.Base)
	e.diagonals(func(q int, mask Mem) {
		s, t, x, k, f := e.vector(), e.vector(), e.vector(), e.vector(), e.vector()
		e.spread(vj, s)
		e.spread(wj, t)
		e.load(m.Offset(q*e.bytes), x)
		e.load(mask, k)
		VANDPD(vv[q], k, f)
		VFNMADD231PD(f, t, x)
		VANDPD(wv[q], k, f)
		VFNMADD231PD(f, s, x)
		e.store(x, m.Offset(q*e.bytes))
		for i := q + 1; i < e.chunks(); i++ {
			e.load(m.Offset(i*e.bytes), x)
			VFNMADD231PD(vv[i], t, x)
			VFNMADD231PD(wv[i], s, x)
			e.store(x, m.Offset(i*e.bytes))
		}
		ADDQ(I32(column), m.Base)
		ADDQ(I32(8), vj.Base)
		ADDQ(I32(8), wj.Base)
	})
	end()
}
