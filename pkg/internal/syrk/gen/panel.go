package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// panelStep: v = scale·p[r,col]; p[r,j] −= v·w[j]; g[j] += p[r,next]·p[r,j], from
// column next on, rounded down to a multiple of 16.
func (e element) panelStep() {
	e.begin("panelStep", "func(rows int, p []float64, col, next int, scale float64, w, sum *[48]float64)",
		"takes one Householder step on rows of the panel p.")
	rows := Load(Param("rows"), GP64())
	p := slice("p")
	col, next := Load(Param("col"), GP64()), Load(Param("next"), GP64())
	scale := XMM()
	Load(Param("scale"), scale)
	w, g := pointer("w"), pointer("sum")

	CMPQ(next, I32(16))
	JLT(LabelRef("rows0"))
	CMPQ(next, I32(32))
	JLT(LabelRef("rows16"))
	for _, first := range []int{32, 16, 0} {
		acc := map[int]reg.VecVirtual{}
		for q := first / e.lanes(); q < e.chunks(); q++ {
			acc[q] = e.vector()
		}
		// With 32 registers w has room, too; with 16 it stays in memory.
		wv := map[int]Op{}
		Label(fmt.Sprintf("rows%d", first))
		for q := first / e.lanes(); q < e.chunks(); q++ {
			e.load(g.Offset(q*e.bytes), acc[q])
			wv[q] = w.Offset(q * e.bytes)
			if e.registers() == 32 {
				v := e.vector()
				e.load(w.Offset(q*e.bytes), v)
				wv[q] = v
			}
		}
		Label(fmt.Sprintf("row%d", first))
		v, y, x := e.vector(), e.vector(), e.vector()
		VMULSD(p.Idx(col, 8), scale, v.AsX())
		VMOVSD(p.Idx(next, 8), y.AsX())
		VFNMADD231SD(w.Idx(next, 8), v.AsX(), y.AsX())
		VBROADCASTSD(v.AsX(), v)
		VBROADCASTSD(y.AsX(), y)
		for q := first / e.lanes(); q < e.chunks(); q++ {
			at := p.Offset(q * e.bytes)
			e.load(at, x)
			VFNMADD231PD(wv[q], v, x)
			e.store(x, at)
			VFMADD231PD(x, y, acc[q])
		}
		ADDQ(I32(width*8), p.Base)
		DECQ(rows)
		JNZ(LabelRef(fmt.Sprintf("row%d", first)))
		for q := first / e.lanes(); q < e.chunks(); q++ {
			e.store(acc[q], g.Offset(q*e.bytes))
		}
		if first > 0 {
			JMP(LabelRef("done"))
		}
	}
	Label("done")
	end()
}
