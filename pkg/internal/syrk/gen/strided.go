package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// strided: c[i·ldc+j] += Σₖ a[i·si+k·sk]·b[k·ldb+j] for a tile of 8 rows and two vectors,
// n > 0. All of it stays in registers: 16 sums, two vectors of b, and elements of a by turns.
func (e element) strided() {
	const rows, across = 8, 2
	e.begin(fmt.Sprintf("mul%d", 8*e.size), fmt.Sprintf("func(n int, a []float%[1]d, si, sk int, b []float%[1]d, ldb int, c []float%[1]d, ldc int)", 8*e.size),
		"adds the product of a and b to a tile of c; n > 0.")
	n := Load(Param("n"), GP64())
	a, b, c := slice("a"), slice("b"), slice("c")
	bytes := func(name string) reg.Register {
		r := Load(Param(name), GP64())
		SHLQ(Imm(uint64(e.size/4+1)), r) // times 4 or 8
		return r
	}
	si, sk, ldb, ldc := bytes("si"), bytes("sk"), bytes("ldb"), bytes("ldc")

	// Row i is at the i/3-th pointer, plus i%3 times si.
	at := []Mem{a, {Base: GP64()}, {Base: GP64()}}
	for p := 1; p < len(at); p++ {
		LEAQ(Mem{Base: at[p-1].Base, Index: si, Scale: 2}, at[p].Base)
		ADDQ(si, at[p].Base)
	}
	acc, bv, av := e.vectors(rows*across), e.vectors(across), e.vectors(rows)
	for _, v := range acc {
		e.zero(v)
	}
	Label("sum")
	for s, v := range bv {
		e.load(b.Offset(s*e.bytes), v)
	}
	PREFETCHT0(a.Offset(64)) // for the next columns, where a row is far from the next one
	for i := range rows {
		x := at[i/3]
		if i%3 > 0 {
			x.Index, x.Scale = si, uint8(i%3)
		}
		e.spread(x, av[i])
		for s, v := range bv {
			e.fma(v, av[i], acc[i*across+s])
		}
	}
	for _, p := range at {
		ADDQ(sk, p.Base)
	}
	ADDQ(ldb, b.Base)
	DECQ(n)
	JNZ(LabelRef("sum"))

	for i := range rows {
		for s := range across {
			v, m := acc[i*across+s], c.Offset(s*e.bytes)
			if e.size == 4 {
				VADDPS(m, v, v)
			} else {
				VADDPD(m, v, v)
			}
			e.store(v, m)
		}
		ADDQ(ldc, c.Base)
	}
	end()
}
