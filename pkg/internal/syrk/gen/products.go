package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// A micro tile of c stays in registers for the whole sum: 8×3 vectors of 512 bits or
// 4×3 of 256, 24 of 32 registers or 12 of 16. Three vectors hold a row of b, the rest
// takes elements of a.
const across = 3

func (e element) down() int {
	if e.bytes == 64 {
		return 8
	}
	return 4
}

// mulTN: c[i,j] += Σₗ a[l,i]·b[l,j] for k×48 panels a, b and a tile c.
func (e element) mulTN() {
	float := map[int]string{4: "float32", 8: "float64"}[e.size]
	e.begin("mulTN"+float[5:], "func(k int, a, b, c []"+float+")", "adds AᵀB to the tile c; a and b are k×48 panels.")
	k := Load(Param("k"), GP64())
	a, b, c := slice("a"), slice("b"), slice("c")
	stride := width * e.size
	al, bl, count := Mem{Base: GP64()}, Mem{Base: GP64()}, GP64()
	e.microTiles(a, b, c, stride, func() { ADDQ(I32(e.down()*e.size), a.Base) }, func() {
		SUBQ(I32(stride), a.Base)
	}, func(term func(a func(i int) Mem, b Mem)) {
		at := func(l int) func(i int) Mem {
			return func(i int) Mem { return al.Offset(l*stride + i*e.size) }
		}
		MOVQ(a.Base, al.Base)
		MOVQ(b.Base, bl.Base)
		const unroll = 4
		MOVQ(k, count)
		SHRQ(Imm(2), count)
		JZ(LabelRef("rest"))
		Label("four")
		for l := range unroll {
			term(at(l), bl.Offset(l*stride))
		}
		ADDQ(I32(unroll*stride), al.Base)
		ADDQ(I32(unroll*stride), bl.Base)
		DECQ(count)
		JNZ(LabelRef("four"))
		Label("rest")
		MOVQ(k, count)
		ANDQ(I32(unroll-1), count)
		JZ(LabelRef("store"))
		Label("one")
		term(at(0), bl)
		ADDQ(I32(stride), al.Base)
		ADDQ(I32(stride), bl.Base)
		DECQ(count)
		JNZ(LabelRef("one"))
		Label("store")
	})
}

// mulNN: c[i,j] += Σₗ a[i,l]·b[l,j] for tiles.
func (e element) mulNN() {
	e.begin("mulNN64", "func(a, b, c, ahead []float64)", "adds the product AB of two tiles to the tile c, and fetches the tile ahead.")
	a, b, c := slice("a"), slice("b"), slice("c")
	ahead := slice("ahead")
	// Each micro tile fetches its share of the tile ahead to the second cache.
	fetch := width * width * e.size / (width / e.down() * width * e.size / (across * e.bytes))
	stride := width * e.size
	al, bl := Mem{Base: GP64()}, Mem{Base: GP64()}
	e.microTiles(a, b, c, stride, func() { ADDQ(I32(e.down()*stride), a.Base) }, func() {
		SUBQ(I32(width*stride), a.Base)
	}, func(term func(a func(i int) Mem, b Mem)) {
		for at := 0; at < fetch; at += 64 {
			PREFETCHT1(ahead.Offset(at))
		}
		ADDQ(I32(fetch), ahead.Base)
		MOVQ(a.Base, al.Base)
		MOVQ(b.Base, bl.Base)
		const unroll = 4
		loop("sum", width/unroll, func() {
			for l := range unroll {
				term(func(i int) Mem { return al.Offset(i*stride + l*e.size) }, bl.Offset(l*stride))
			}
			ADDQ(I32(unroll*e.size), al.Base)
			ADDQ(I32(unroll*stride), bl.Base)
		})
	})
}

// microTiles goes over the micro tiles of c, column by column, so that a narrow panel
// of b stays in the first cache. next moves a to the following micro tile below,
// rewind back to the top. sum calls term for every product of a column and a row.
func (e element) microTiles(a, b, c Mem, stride int, next, rewind func(), sum func(term func(a func(i int) Mem, b Mem))) {
	down, step := e.down(), across*e.bytes
	columns, rows := width*e.size/step, width/down
	acc := e.vectors(down * across)
	bv := e.vectors(across)
	// The registers that are left take elements of a by turns.
	av := e.vectors(min(4, e.registers()-len(acc)-len(bv)))
	j, i := GP64(), GP64()
	MOVQ(I32(columns), j)
	Label("column")
	MOVQ(I32(rows), i)
	Label("tile")
	for r := range down {
		for s := range across {
			e.load(c.Offset(r*stride+s*e.bytes), acc[r*across+s])
		}
	}
	sum(func(a func(i int) Mem, b Mem) {
		for s := range across {
			e.load(b.Offset(s*e.bytes), bv[s])
		}
		for r := range down {
			x := av[r%len(av)]
			e.spread(a(r), x)
			for s := range across {
				e.fma(bv[s], x, acc[r*across+s])
			}
		}
	})
	for r := range down {
		for s := range across {
			e.store(acc[r*across+s], c.Offset(r*stride+s*e.bytes))
		}
	}
	next()
	ADDQ(I32(down*stride), c.Base)
	DECQ(i)
	JNZ(LabelRef("tile"))
	rewind()
	SUBQ(I32(width*stride-step), c.Base)
	ADDQ(I32(step), b.Base)
	DECQ(j)
	JNZ(LabelRef("column"))
	end()
}

// addTile: dst[i·stride+j] += c[i,j], c float32, dst float64.
func addTile(m machine) {
	e := element{machine: m, size: 8}
	e.begin("addTile", "func(dst []float64, stride int, c []float32)", "adds the float32 tile c to 48 rows of dst that are stride apart.")
	dst, c := slice("dst"), slice("c")
	step := Load(Param("stride"), GP64())
	SHLQ(Imm(3), step)
	v := e.vectors(6)
	loop("row", width, func() {
		for q := range e.chunks() {
			x := v[q%len(v)]
			VCVTPS2PD(c.Offset(q*e.bytes/2), x)
			VADDPD(dst.Offset(q*e.bytes), x, x)
			e.store(x, dst.Offset(q*e.bytes))
		}
		ADDQ(step, dst.Base)
		ADDQ(I32(width*4), c.Base)
	})
	end()
}
