//go:build goexperiment.simd && amd64

package sde

import (
	"math"
	"simd/archsimd"

	"sgdlab/pkg/problem"
)

var haveVector = archsimd.X86.AVX512()

// clearUpper ends a use of vectors. Without it every mix of scalar instructions, old and
// new, costs a hundred times its time, as in math.Exp; a goroutine that was preempted
// resumes in that state too.
func clearUpper() {
	if archsimd.X86.AVX() {
		archsimd.ClearAVXUpperBits()
	}
}

// stepLanes stores in next the points of b after one step of Euler and Maruyama with the
// normal variates z: the operations of group.stepPlane in the same order, none fused.
// It returns the lanes for which next is not to be used: D is not positive definite, or
// next is out of bounds. (The bound is no argument: it would travel through an old
// instruction.)
func (g *group) stepLanes(next, b *problem.Batch, z *[2]lanes) (bad uint) {
	dt, sqrtDt, amplitude := archsimd.BroadcastFloat64x8(g.st.dt), archsimd.BroadcastFloat64x8(g.st.sqrtDt), archsimd.BroadcastFloat64x8(g.st.amplitude)
	for i := 0; i < problem.Lanes; i += 8 {
		xx, xy, yy := load(&b.XX, i), load(&b.XY, i), load(&b.YY, i)
		var zero archsimd.Float64x8
		trace, det := xx.Add(yy), xx.Mul(yy).Sub(xy.Mul(xy))
		good := det.Greater(zero).And(trace.Greater(zero)).And(trace.LessEqual(archsimd.BroadcastFloat64x8(math.MaxFloat64)))
		root := det.Sqrt()
		scale := archsimd.BroadcastFloat64x8(1).Div(trace.Add(root.Add(root)).Sqrt())
		b11 := amplitude.Mul(xx.Add(root).Mul(scale))
		b12 := amplitude.Mul(xy.Mul(scale))
		b22 := amplitude.Mul(yy.Add(root).Mul(scale))
		w1, w2 := sqrtDt.Mul(load(&z[0], i)), sqrtDt.Mul(load(&z[1], i))
		x1 := load(&b.X1, i).Add(load(&b.U1, i).Mul(dt)).Add(b11.Mul(w1)).Add(b12.Mul(w2))
		x2 := load(&b.X2, i).Add(load(&b.U2, i).Mul(dt)).Add(b12.Mul(w1)).Add(b22.Mul(w2))
		x1.Store((*[8]float64)(next.X1[i:]))
		x2.Store((*[8]float64)(next.X2[i:]))
		upper := archsimd.BroadcastFloat64x8(g.bound)
		lower := zero.Sub(upper)
		good = good.And(x1.LessEqual(upper)).And(x1.GreaterEqual(lower)).And(x2.LessEqual(upper)).And(x2.GreaterEqual(lower))
		bad |= uint(^good.ToBits()) << i
	}
	return bad
}

func load(a *lanes, i int) archsimd.Float64x8 { return archsimd.LoadFloat64x8((*[8]float64)(a[i:])) }
