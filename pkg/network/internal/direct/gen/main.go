// Gen writes the assembly kernels of sgdlab/pkg/network/internal/direct, for AVX2 and
// FMA, and those that gain by it also for AVX-512. It is a module of its own, so that the project does not depend on avo. In the
// folder of the kernels,
//
//	go generate
//
// runs it, and a test there checks that the files in the repository are its output.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lanes is the unit in which the widths of tiles are counted.
const lanes = 8

const (
	vectorBytes = 32
	less        = 1 // predicate of a comparison
)

func main() {
	ConstraintExpr("!purego")
	for _, e := range []element{{"float32", 4}, {"float64", 8}} {
		for w := 1; w <= 3; w++ {
			e.tile(avx2, w)
			if w*lanes*e.size > avx2.bytes {
				e.tile(avx512, w)
			}
		}
		e.vector(avx2)
		e.vector(avx512)
		e.outer()
		e.relu()
		e.gate()
		e.window()
		e.plus()
		e.outerPlus()
		e.affine()
		e.affinePair()
		e.moments()
	}
	Generate()
}

// machine is an instruction set.
type machine struct {
	name  string
	bytes int // of its largest vector registers
}

var avx2, avx512 = machine{"AVX2", vectorBytes}, machine{"AVX512", 64}

// row returns registers for n bytes, the largest first.
func (m machine) row(n int) []reg.VecVirtual {
	var v []reg.VecVirtual
	for ; m.bytes == 64 && n >= 64; n -= 64 {
		v = append(v, ZMM())
	}
	return append(v, vectors(n/vectorBytes)...)
}

// at is where the vector k of such a row begins.
func at(v []reg.VecVirtual, k int) int {
	n := 0
	for _, r := range v[:k] {
		n += int(r.Size())
	}
	return n
}

// fresh returns a register like r.
func fresh(r reg.VecVirtual) reg.VecVirtual {
	if r.Size() == 64 {
		return ZMM()
	}
	return YMM()
}

func zero(r reg.VecVirtual) {
	if r.Size() == 64 {
		VPXORQ(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// element is a number format.
type element struct {
	name string
	size int // bytes
}

// perVector is the number of elements in a vector.
func (e element) perVector() int { return vectorBytes / e.size }

func (e element) begin(name, signature, doc string) { e.beginFor(avx2, name, signature, doc) }

func (e element) beginFor(m machine, name, signature, doc string) {
	name = fmt.Sprintf("%s%d%s", name, 8*e.size, m.name)
	TEXT(name, 4 /* NOSPLIT */, fmt.Sprintf(signature, e.name))
	Pragma("noescape")
	Doc(name + " " + doc)
}

func end() {
	VZEROUPPER()
	RET()
}

// rows is the number of rows of a tile of v vectors. Every row takes a general register,
// so there are at most eight; with 16 vector registers, twelve sums.
func (m machine) rows(v int) int {
	if m.bytes == 64 {
		return 8
	}
	return min(12/v, 8)
}

// tile: c[r·ldc + k] = init[k] + Σⱼ a[rows[r] + steps[j]]·b[j·ldb + k].
func (e element) tile(m machine, w int) {
	y := m.row(w * lanes * e.size)
	v := len(y)
	n := m.rows(v)
	e.beginFor(m, fmt.Sprintf("tile%dx", w*lanes), "func(c []%[1]s, ldc int, rows []int32, a []%[1]s, steps []int32, b []%[1]s, ldb int, init []%[1]s)",
		fmt.Sprintf("computes %d rows of %d columns.", n, w*lanes))
	acc := make([][]reg.VecVirtual, n)
	init := slice("init")
	for r := range acc {
		acc[r] = m.row(w * lanes * e.size)
		for k, s := range acc[r] {
			e.load(init.Offset(at(y, k)), s)
		}
	}
	a, table := slice("a"), slice("rows")
	row := make([]Mem, n)
	for r := range row {
		row[r] = Mem{Base: GP64(), Scale: uint8(e.size)}
		MOVLQSX(table.Offset(4*r), row[r].Base)
		LEAQ(Mem{Base: a.Base, Index: row[r].Base, Scale: uint8(e.size)}, row[r].Base)
	}
	steps := slice("steps")
	count := Load(Param("steps").Len(), GP64())
	b := slice("b")
	ldb := Load(Param("ldb"), GP64())
	SHLQ(Imm(shift(e.size)), ldb)
	step := GP64()

	Label("step")
	MOVLQSX(steps, step)
	for r := range row {
		row[r].Index = step
	}
	if v <= n { // b in registers, a one by one
		x := fresh(y[0])
		for k := range y {
			e.load(b.Offset(at(y, k)), y[k])
		}
		for r := range n {
			e.spread(row[r], x)
			for k, s := range acc[r] {
				if s.Size() == 64 {
					e.fma(y[k], x, s)
				} else {
					e.fma(y[k], x.AsY(), s)
				}
			}
		}
	} else {
		x, y := vectors(n), YMM()
		for r := range n {
			e.spread(row[r], x[r])
		}
		for k := range v {
			e.load(b.Offset(k*vectorBytes), y)
			for r := range n {
				e.fma(y, x[r], acc[r][k])
			}
		}
	}
	ADDQ(Imm(4), steps.Base)
	ADDQ(ldb, b.Base)
	DECQ(count)
	JNZ(LabelRef("step"))

	c := slice("c")
	ldc := Load(Param("ldc"), GP64())
	SHLQ(Imm(shift(e.size)), ldc)
	for r := range n {
		for k, s := range acc[r] {
			e.store(s, c.Offset(at(y, k)))
		}
		ADDQ(ldc, c.Base)
	}
	end()
}

// vector: c[k] = init[k] + Σⱼ a[j]·b[j·ldb + k], for a multiple of lanes columns. Eight
// sums at a time, of different columns or of parts of the sum, hide the latency.
func (e element) vector(m machine) {
	e.beginFor(m, "vector", "func(c, a, b []%[1]s, ldb int, init []%[1]s)", "computes one row; len(c) is a multiple of 8.")
	c, first, init := slice("c"), slice("b"), slice("init")
	left := Load(Param("c").Len(), GP64())
	ldb := Load(Param("ldb"), GP64())
	SHLQ(Imm(shift(e.size)), ldb)
	type pass struct{ columns, parts int }
	passes := []pass{{8 * e.perVector(), 1}, {lanes, 4}}
	if m == avx512 {
		passes = []pass{{64, e.perVector() / 4}, {lanes, 4}}
	}
	for _, wide := range passes {
		columns := wide.columns
		label := func(name string) string { return fmt.Sprintf("%s%d", name, columns) }
		Label(label("columns"))
		CMPQ(left, I32(columns))
		JL(LabelRef(label("end")))
		acc := make([][]reg.VecVirtual, wide.parts)
		for p := range acc {
			acc[p] = m.row(columns * e.size)
			for k, s := range acc[p] {
				if p == 0 {
					e.load(init.Offset(at(acc[p], k)), s)
				} else {
					zero(s)
				}
			}
		}
		x := fresh(acc[0][0])
		a, count := slice("a"), Load(Param("a").Len(), GP64())
		b := Mem{Base: GP64()}
		MOVQ(first.Base, b.Base)
		terms := func(name string, parts int) {
			Label(label(name))
			CMPQ(count, I32(parts))
			JL(LabelRef(label("end" + name)))
			for p := range parts {
				e.spread(a.Offset(p*e.size), x)
				for k, s := range acc[p] {
					e.fma(b.Offset(at(acc[p], k)), x, s)
				}
				ADDQ(ldb, b.Base)
			}
			ADDQ(I32(parts*e.size), a.Base)
			SUBQ(I32(parts), count)
			JMP(LabelRef(label(name)))
			Label(label("end" + name))
		}
		if wide.parts > 1 {
			terms("parts", wide.parts)
		}
		terms("one", 1)
		for p := wide.parts / 2; p > 0; p /= 2 {
			for i := range p {
				for k, s := range acc[i] {
					e.add(acc[i+p][k], s, s)
				}
			}
		}
		for k, s := range acc[0] {
			e.store(s, c.Offset(at(acc[0], k)))
		}
		for _, p := range []Mem{c, first, init} {
			ADDQ(I32(columns*e.size), p.Base)
		}
		SUBQ(I32(columns), left)
		JMP(LabelRef(label("columns")))
		Label(label("end"))
	}
	end()
}

// outer: c[i·len(b) + j] = a[i]·b[j].
func (e element) outer() {
	e.begin("outer", "func(c, a, b []%[1]s)", "stores the products of a and b, row by row, in c.")
	c, a := slice("c"), slice("a")
	rows := Load(Param("a").Len(), GP64())
	s, x := YMM(), YMM()
	Label("row")
	CMPQ(rows, I32(1))
	JL(LabelRef("endrow"))
	e.spread(a, s)
	b, n := slice("b"), Load(Param("b").Len(), GP64())
	e.each(n, []Mem{c, b}, func() {
		e.mul(b, s, x)
		e.store(x, c)
	}, func() {
		e.mulOne(b, s.AsX(), x.AsX())
		e.storeOne(x.AsX(), c)
	})
	ADDQ(I32(e.size), a.Base)
	DECQ(rows)
	JMP(LabelRef("row"))
	Label("endrow")
	end()
}

// relu: c = max(a, 0).
func (e element) relu() {
	e.begin("relu", "func(c, a []%[1]s)", "stores max(a, 0) in c.")
	c, a := slice("c"), slice("a")
	n := Load(Param("a").Len(), GP64())
	zero, x := YMM(), YMM()
	VXORPS(zero, zero, zero)
	e.each(n, []Mem{c, a}, func() {
		e.max(a, zero, x)
		e.store(x, c)
	}, func() {
		e.maxOne(a, zero.AsX(), x.AsX())
		e.storeOne(x.AsX(), c)
	})
	end()
}

// gate: c = d where y > 0, else 0.
func (e element) gate() {
	e.begin("gate", "func(c, d, y []%[1]s)", "stores d where y > 0 and 0 elsewhere in c.")
	c, d, y := slice("c"), slice("d"), slice("y")
	n := Load(Param("d").Len(), GP64())
	zero, x := YMM(), YMM()
	VXORPS(zero, zero, zero)
	e.each(n, []Mem{c, d, y}, func() {
		e.compare(Imm(less), y, zero, x) // 0 < y
		VANDPS(d, x, x)
		e.store(x, c)
	}, func() {
		z := XMM()
		e.compareOne(Imm(less), y, zero.AsX(), x.AsX())
		e.loadOne(d, z)
		VANDPS(z, x.AsX(), x.AsX())
		e.storeOne(x.AsX(), c)
	})
	end()
}

// window: best[k] = max over j of a[steps[j] + k], chosen[k] the first j where it is.
func (e element) window() {
	e.begin("window", "func(best, chosen, a []%[1]s, steps []int32, ones []%[1]s)", "finds maxima in vectors; it may write one vector less one element beyond best and chosen.")
	best, chosen, a := slice("best"), slice("chosen"), slice("a")
	n := Load(Param("best").Len(), GP64())
	one, j := YMM(), YMM()
	e.spread(slice("ones"), one)
	Label("columns")
	CMPQ(n, I32(1))
	JL(LabelRef("end"))
	steps, count, step := slice("steps"), Load(Param("steps").Len(), GP64()), GP64()
	m, c, x, larger := YMM(), YMM(), YMM(), YMM()
	MOVLQSX(steps, step)
	e.load(Mem{Base: a.Base, Index: step, Scale: uint8(e.size)}, m)
	VXORPS(c, c, c)
	VXORPS(j, j, j)
	Label("step")
	DECQ(count)
	JZ(LabelRef("store"))
	ADDQ(Imm(4), steps.Base)
	MOVLQSX(steps, step)
	e.load(Mem{Base: a.Base, Index: step, Scale: uint8(e.size)}, x)
	e.add(one, j, j)
	e.compare(Imm(less), x, m, larger) // m < x
	e.blend(larger, x, m, m)
	e.blend(larger, j, c, c)
	JMP(LabelRef("step"))
	Label("store")
	e.store(m, best)
	e.store(c, chosen)
	for _, p := range []Mem{best, chosen, a} {
		ADDQ(I32(vectorBytes), p.Base)
	}
	SUBQ(I32(e.perVector()), n)
	JMP(LabelRef("columns"))
	Label("end")
	end()
}

// plus: c += a.
func (e element) plus() {
	e.begin("plus", "func(c, a []%[1]s)", "adds a to c.")
	c, a := slice("c"), slice("a")
	n := Load(Param("a").Len(), GP64())
	x := YMM()
	e.each(n, []Mem{c, a}, func() {
		e.load(a, x)
		e.add(c, x, x)
		e.store(x, c)
	}, func() {
		e.loadOne(a, x.AsX())
		e.addOne(c, x.AsX(), x.AsX())
		e.storeOne(x.AsX(), c)
	})
	end()
}

// outerPlus: c[i·len(b) + j] += a[i]·b[j].
func (e element) outerPlus() {
	e.begin("outerPlus", "func(c, a, b []%[1]s)", "adds the products of a and b, row by row, to c.")
	c, a := slice("c"), slice("a")
	rows := Load(Param("a").Len(), GP64())
	s, x := YMM(), YMM()
	Label("row")
	CMPQ(rows, I32(1))
	JL(LabelRef("endrow"))
	e.spread(a, s)
	b, n := slice("b"), Load(Param("b").Len(), GP64())
	e.each(n, []Mem{c, b}, func() {
		e.load(c, x)
		e.fma(b, s, x)
		e.store(x, c)
	}, func() {
		e.loadOne(c, x.AsX())
		e.fmaOne(b, s.AsX(), x.AsX())
		e.storeOne(x.AsX(), c)
	})
	ADDQ(I32(e.size), a.Base)
	DECQ(rows)
	JMP(LabelRef("row"))
	Label("endrow")
	end()
}

// affine: c[i] = a[i]·scale[i mod p] + shift[i mod p], p = len(scale).
func (e element) affine() {
	e.begin("affine", "func(c, a, scale, shift []%[1]s)", "stores a·scale + shift, both repeated, in c; it may write one vector less one element beyond c.")
	c, a := slice("c"), slice("a")
	e.periodic([]Mem{c, a}, []string{"scale", "shift"}, func(p []Mem) {
		x, y := YMM(), YMM()
		e.load(p[1], y)
		e.load(a, x)
		e.fma(p[0], x, y)
		e.store(y, c)
	})
}

// affinePair: c[i] = d[i]·along[i mod p] + a[i]·scale[i mod p] + shift[i mod p], p = len(scale).
func (e element) affinePair() {
	e.begin("affinePair", "func(c, d, a, along, scale, shift []%[1]s)", "stores d·along + a·scale + shift, the last three repeated, in c; it may write one vector less one element beyond c.")
	c, d, a := slice("c"), slice("d"), slice("a")
	e.periodic([]Mem{c, d, a}, []string{"scale", "along", "shift"}, func(p []Mem) {
		x, y := YMM(), YMM()
		e.load(p[2], y)
		e.load(a, x)
		e.fma(p[0], x, y)
		e.load(d, x)
		e.fma(p[1], x, y)
		e.store(y, c)
	})
}

// periodic runs body for whole vectors until len(c) elements are done. The parameters
// named, as long as the scale, begin again at their end.
func (e element) periodic(pointers []Mem, names []string, body func(p []Mem)) {
	left := Load(Param("c").Len(), GP64())
	Label("period")
	CMPQ(left, I32(1))
	JL(LabelRef("end"))
	p := make([]Mem, len(names))
	for i, name := range names {
		p[i] = slice(name)
	}
	n := Load(Param("scale").Len(), GP64())
	Label("vector")
	body(p)
	for _, m := range append(append([]Mem{}, pointers...), p...) {
		ADDQ(I32(vectorBytes), m.Base)
	}
	SUBQ(I32(e.perVector()), left)
	CMPQ(left, I32(1))
	JL(LabelRef("end"))
	SUBQ(I32(e.perVector()), n)
	JNZ(LabelRef("vector"))
	JMP(LabelRef("period"))
	Label("end")
	end()
}

// moments: first[k] += Σᵣ (d[r·ld + k] − level[k]), second[k] += Σᵣ (d[r·ld + k] − level[k])·(a[r·ld + k] − centre[k]).
// Twenty-four columns at a time hide the latency of the sums.
func (e element) moments() {
	e.begin("moments", "func(first, second, d, a []%[1]s, ld, rows int, level, centre []%[1]s)", "adds up rows of len(first) columns, a multiple of 8; rows is positive.")
	first, second, d0, a0, level, centre := slice("first"), slice("second"), slice("d"), slice("a"), slice("level"), slice("centre")
	left := Load(Param("first").Len(), GP64())
	ld := Load(Param("ld"), GP64())
	SHLQ(Imm(shift(e.size)), ld)
	for _, columns := range []int{3 * lanes, lanes} {
		v := columns / e.perVector()
		label := func(name string) string { return fmt.Sprintf("%s%d", name, columns) }
		Label(label("columns"))
		CMPQ(left, I32(columns))
		JL(LabelRef(label("end")))
		s1, s2, x, y := vectors(v), vectors(v), YMM(), YMM()
		for k := range v {
			e.load(first.Offset(k*vectorBytes), s1[k])
			e.load(second.Offset(k*vectorBytes), s2[k])
		}
		d, a, rows := Mem{Base: GP64()}, Mem{Base: GP64()}, Load(Param("rows"), GP64())
		MOVQ(d0.Base, d.Base)
		MOVQ(a0.Base, a.Base)
		Label(label("row"))
		for k := range v {
			e.load(d.Offset(k*vectorBytes), x)
			e.sub(level.Offset(k*vectorBytes), x, x)
			e.load(a.Offset(k*vectorBytes), y)
			e.sub(centre.Offset(k*vectorBytes), y, y)
			e.add(x, s1[k], s1[k])
			e.fma(x, y, s2[k])
		}
		ADDQ(ld, d.Base)
		ADDQ(ld, a.Base)
		DECQ(rows)
		JNZ(LabelRef(label("row")))
		for k := range v {
			e.store(s1[k], first.Offset(k*vectorBytes))
			e.store(s2[k], second.Offset(k*vectorBytes))
		}
		for _, m := range []Mem{first, second, d0, a0, level, centre} {
			ADDQ(I32(columns*e.size), m.Base)
		}
		SUBQ(I32(columns), left)
		JMP(LabelRef(label("columns")))
		Label(label("end"))
	}
	end()
}

// each runs body for whole vectors and one for what is left of n elements, and moves the
// pointers on.
func (e element) each(n reg.Register, pointers []Mem, body, one func()) {
	loop := func(label string, step int, body func()) {
		Label(label)
		CMPQ(n, I32(step))
		JL(LabelRef("end" + label))
		body()
		for _, p := range pointers {
			ADDQ(I32(step*e.size), p.Base)
		}
		SUBQ(I32(step), n)
		JMP(LabelRef(label))
		Label("end" + label)
	}
	loop("vectors", e.perVector(), body)
	loop("ones", 1, one)
}

func vectors(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = YMM()
	}
	return v
}

func slice(name string) Mem { return Mem{Base: Load(Param(name).Base(), GP64())} }

func shift(size int) uint64 { return map[int]uint64{4: 2, 8: 3}[size] }

func choose[F any](e element, single, double F) F {
	if e.size == 4 {
		return single
	}
	return double
}

func (e element) load(m Mem, v reg.Register)     { choose(e, VMOVUPS, VMOVUPD)(m, v) }
func (e element) store(v reg.Register, m Mem)    { choose(e, VMOVUPS, VMOVUPD)(v, m) }
func (e element) loadOne(m Mem, v reg.Register)  { choose(e, VMOVSS, VMOVSD)(m, v) }
func (e element) storeOne(v reg.Register, m Mem) { choose(e, VMOVSS, VMOVSD)(v, m) }
func (e element) spread(m Op, v reg.Register)    { choose(e, VBROADCASTSS, VBROADCASTSD)(m, v) }
func (e element) fma(a, b, c Op)                 { choose(e, VFMADD231PS, VFMADD231PD)(a, b, c) }
func (e element) add(a, b, c Op)                 { choose(e, VADDPS, VADDPD)(a, b, c) }
func (e element) addOne(a, b, c Op)              { choose(e, VADDSS, VADDSD)(a, b, c) }
func (e element) sub(a, b, c Op)                 { choose(e, VSUBPS, VSUBPD)(a, b, c) }
func (e element) fmaOne(a, b, c Op)              { choose(e, VFMADD231SS, VFMADD231SD)(a, b, c) }
func (e element) mul(a, b, c Op)                 { choose(e, VMULPS, VMULPD)(a, b, c) }
func (e element) mulOne(a, b, c Op)              { choose(e, VMULSS, VMULSD)(a, b, c) }
func (e element) max(a, b, c Op)                 { choose(e, VMAXPS, VMAXPD)(a, b, c) }
func (e element) maxOne(a, b, c Op)              { choose(e, VMAXSS, VMAXSD)(a, b, c) }
func (e element) compare(how, a, b, c Op)        { choose(e, VCMPPS, VCMPPD)(how, a, b, c) }
func (e element) blend(mask, a, b, c Op)         { choose(e, VBLENDVPS, VBLENDVPD)(mask, a, b, c) }
func (e element) compareOne(how, a, b, c Op)     { choose(e, VCMPSS, VCMPSD)(how, a, b, c) }
