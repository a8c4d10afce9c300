// Gen writes the assembly kernels of sgdlab/pkg/internal/syrk/kernel, for AVX-512 and
// for AVX2, from one description, and those of sgdlab/pkg/internal/tall, for AVX-512. It
// is a module of its own, so that the project does not depend on avo. In the folder of
// the kernels,
//
//	go generate
//
// runs it, and a test there checks that the files in the repository are its output.
//
// In package kernel all strides are constants: 48 numbers in panels and tiles, 104 in
// bands.
package main

import (
	"flag"
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	width      = 48
	bandStride = 104
)

var avx512, avx2 = machine{"AVX512", 64}, machine{"AVX2", 32}

func main() {
	flag.Parse() // avo's flags
	ConstraintExpr("!purego")
	if flag.Lookup("pkg").Value.String() == "tall" {
		for _, size := range []int{4, 8} {
			element{machine: avx512, size: size}.strided()
		}
		Generate()
		return
	}
	declareLanes()
	for _, m := range []machine{avx512, avx2} {
		f32, f64 := element{machine: m, size: 4}, element{machine: m, size: 8}
		f32.mulTN()
		f64.mulTN()
		f64.mulNN()
		f64.panelStep()
		f64.bandMulVec()
		f64.bandReflect()
		f64.bandSymMulVec()
		f64.bandRankTwo()
	}
	Generate()
}

// machine is an instruction set.
type machine struct {
	name  string
	bytes int // of a vector register: 64 of 32 registers, or 32 of 16
}

// registers is the number of vector registers.
func (m machine) registers() int { return m.bytes / 2 }

// vector returns a fresh vector register.
func (m machine) vector() reg.VecVirtual {
	if m.bytes == 64 {
		return ZMM()
	}
	return YMM()
}

func (m machine) vectors(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = m.vector()
	}
	return v
}

// element is a number format on a machine.
type element struct {
	machine
	size int // bytes
}

// lanes is the number of elements in a vector.
func (e element) lanes() int { return e.bytes / e.size }

// chunks is the number of vectors in a row of a tile.
func (e element) chunks() int { return width / e.lanes() }

// begin opens the function name_MACHINE.
func (e element) begin(name, signature, doc string) {
	name = fmt.Sprintf("%s%s", name, e.name)
	TEXT(name, 4 /* NOSPLIT */, signature)
	Pragma("noescape")
	Doc(name + " " + doc)
}

// end returns from it.
func end() {
	VZEROUPPER()
	RET()
}

func (e element) load(m Mem, v reg.Register) {
	if e.size == 4 {
		VMOVUPS(m, v)
	} else {
		VMOVUPD(m, v)
	}
}

func (e element) store(v reg.Register, m Mem) {
	if e.size == 4 {
		VMOVUPS(v, m)
	} else {
		VMOVUPD(v, m)
	}
}

// spread fills v with the element at m.
func (e element) spread(m Op, v reg.Register) {
	if e.size == 4 {
		VBROADCASTSS(m, v)
	} else {
		VBROADCASTSD(m, v)
	}
}

// fma does c += a·b.
func (e element) fma(a, b, c Op) {
	if e.size == 4 {
		VFMADD231PS(a, b, c)
	} else {
		VFMADD231PD(a, b, c)
	}
}

func (e element) zero(v reg.VecVirtual) {
	if e.bytes == 64 {
		VPXORQ(v, v, v)
	} else {
		VXORPD(v, v, v)
	}
}

// total leaves the sum of the lanes of v, float64, in lane 0 of the result. v is lost.
func (e element) total(v reg.VecVirtual) reg.Register {
	y, x, t := v.AsY(), v.AsX(), XMM()
	if e.bytes == 64 {
		h := YMM()
		VEXTRACTF64X4(Imm(1), v, h)
		VADDPD(h, y, y)
	}
	h := XMM()
	if e.bytes == 64 {
		VEXTRACTF64X2(Imm(1), y, h)
	} else {
		VEXTRACTF128(Imm(1), y, h)
	}
	VADDPD(h, x, x)
	VPERMILPD(Imm(1), x, t)
	VADDSD(t, x, x)
	return x
}

// loop repeats body n times, n > 0.
func loop(label string, n int, body func()) {
	i := GP64()
	MOVQ(I32(n), i)
	Label(label)
	body()
	DECQ(i)
	JNZ(LabelRef(label))
}

func slice(name string) Mem   { return Mem{Base: Load(Param(name).Base(), GP64())} }
func pointer(name string) Mem { return Mem{Base: Load(Param(name), GP64())} }
