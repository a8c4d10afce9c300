package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
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

// mulTN: c[i,j] += Σₗ a[l,i]·b[l,j] for k×48 panels a, b and a float64 tile c.
func (e element) mulTN() {
	e.begin(fmt.Sprintf("mulTN%d", 8*e.size), fmt.Sprintf("func(k int, a, b []float%[1]d, c []float64, ahead []float%[1]d)", 8*e.size),
		"adds AᵀB to the tile c, and fetches ahead; a and b are k×48 panels.")
	k := Load(Param("k"), GP64())
	a, b, c := slice("a"), slice("b"), slice("c")
	ahead := sliceOr("ahead", a)
	stride := width * e.size
	al, bl, count := Mem{Base: GP64()}, Mem{Base: GP64()}, GP64()
	e.microTiles(a, b, c, func() { ADDQ(I32(e.down()*e.size), a.Base) }, func() {
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
		PREFETCHT1(ahead)
		ADDQ(I32(64), ahead.Base)
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
	ahead := sliceOr("ahead", a)
	// Each micro tile fetches its share of the tile ahead to the second cache.
	fetch := width * width * e.size / (width / e.down() * width * e.size / (across * e.bytes))
	stride := width * e.size
	al, bl := Mem{Base: GP64()}, Mem{Base: GP64()}
	e.microTiles(a, b, c, func() { ADDQ(I32(e.down()*stride), a.Base) }, func() {
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

// sliceOr returns the named argument, or other if it is nil.
func sliceOr(name string, other Mem) Mem {
	s := slice(name)
	TESTQ(s.Base, s.Base)
	CMOVQEQ(other.Base, s.Base)
	return s
}

// microTiles goes over the micro tiles of c, column by column, so that a narrow panel
// of b stays in the first cache. next moves a to the following micro tile below,
// rewind back to the top. sum calls term for every product of a column and a row.
func (e element) microTiles(a, b, c Mem, next, rewind func(), sum func(term func(a func(i int) Mem, b Mem))) {
	down := e.down()
	columns, rows := e.chunks()/across, width/down
	acc := e.vectors(down * across)
	bv := e.vectors(across)
	// The registers that are left take elements of a by turns.
	av := e.vectors(min(4, e.registers()-len(acc)-len(bv)))
	const stride = width * 8
	step := across * e.lanes() * 8
	j, i := GP64(), GP64()
	MOVQ(I32(columns), j)
	Label("column")
	MOVQ(I32(rows), i)
	Label("tile")
	for r := range down {
		e.open(acc[r*across:(r+1)*across], c.Offset(r*stride))
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
		e.shut(acc[r*across:(r+1)*across], c.Offset(r*stride))
	}
	next()
	ADDQ(I32(down*stride), c.Base)
	DECQ(i)
	JNZ(LabelRef("tile"))
	rewind()
	SUBQ(I32(width*stride-step), c.Base)
	ADDQ(I32(across*e.bytes), b.Base)
	DECQ(j)
	JNZ(LabelRef("column"))
	end()
}

// open begins sums that shut adds to the row of float64 at c. Those in float32 begin at
// zero, and the row is fetched meanwhile.
func (e element) open(acc []reg.VecVirtual, c Mem) {
	if e.size == 4 {
		for at := 0; at < len(acc)*e.lanes()*8; at += 64 {
			PREFETCHT0(c.Offset(at))
		}
	}
	for s, v := range acc {
		if e.size == 4 {
			e.zero(v)
		} else {
			e.load(c.Offset(s*e.bytes), v)
		}
	}
}

func (e element) shut(acc []reg.VecVirtual, c Mem) {
	f64 := element{machine: e.machine, size: 8}
	for s, v := range acc {
		if e.size == 8 {
			e.store(v, c.Offset(s*e.bytes))
			continue
		}
		for half := range 2 {
			wide, at := e.vector(), c.Offset((2*s+half)*e.bytes)
			if half == 1 {
				e.upper(v)
			}
			if e.bytes == 64 {
				VCVTPS2PD(v.AsY(), wide)
			} else {
				VCVTPS2PD(v.AsX(), wide)
			}
			VADDPD(at, wide, wide)
			f64.store(wide, at)
		}
	}
}

// upper moves the upper half of v to the lower half.
func (e element) upper(v reg.VecVirtual) {
	if e.bytes == 64 {
		VEXTRACTF64X4(Imm(1), v, v.AsY())
	} else {
		VEXTRACTF128(Imm(1), v, v.AsX())
	}
}
